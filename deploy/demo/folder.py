"""The demo's folder: a story is told from its beginning, so what an earlier demo left there is removed first."""

import shutil
from pathlib import Path

from deploy.embedded.folder_lock import FolderLock
from streams.contracts.errors import KallanError

MARK = ".demo"
"""Says that everything in the folder was made by a demo. `kallan up` takes the folder over and removes it."""

_LOCK = ".lock"


def begin_anew(folder: Path) -> None:
    """An empty folder for a demo, made if it is missing.

    Raises `KallanError("stack.in-use")` where a stack runs in it, and where it holds something that no demo made: that
    is never removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(folder)
    try:
        content = [path for path in folder.iterdir() if path.name not in {_LOCK, MARK}]
        if content and not (folder / MARK).exists():
            raise KallanError(
                "stack.in-use", f"{folder} holds data that no demo made; set KALLAN_HOME to another folder"
            )
        (folder / MARK).touch()
        for path in content:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    finally:
        lock.release()


def take_over(folder: Path) -> None:
    """From now on this is somebody's data: no demo removes it any more."""
    (folder / MARK).unlink(missing_ok=True)
