"""The Java servers' jars, by their coordinates: fetched once into a cache, verified by the hashes in jars.json.

Coordinates, sizes and SHA-256 are pinned in the tree; where a jar comes from is jgo's own affair (its configuration file
names a mirror). A jar appears in the cache only verified and by renaming, one process at a time fetches, and a jar that
no longer matches its hash is fetched again. With everything in the cache no network is used.
"""

import fcntl
import hashlib
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from streams.contracts.errors import Unavailable

LOCK_FILE = Path(__file__).with_name("jars.json")
_AT_ONCE = 6
_ATTEMPTS = 3


class Jar(msgspec.Struct, frozen=True):
    """One pinned file: `group:artifact:version`, its SHA-256, its size in bytes."""

    coordinate: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        return f"{'-'.join(self.coordinate.split(':')[1:])}.{self.sha256[:12]}.jar"


@dataclass(frozen=True, slots=True)
class JarSet:
    """The jars of one server, in the cache."""

    folder: Path
    jars: Sequence[Jar]

    @property
    def class_path(self) -> str:
        return os.pathsep.join(str(self.folder / jar.file_name) for jar in self.jars)


def cache_folder() -> Path:
    """KALLAN_CACHE, else the user's cache folder by the XDG rule."""
    given = os.environ.get("KALLAN_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kallan"


def pinned() -> dict[str, list[Jar]]:
    """Which jars each server needs, from the lock file."""
    return msgspec.json.decode(LOCK_FILE.read_bytes(), type=dict[str, list[Jar]])


def jar_sets(cache: Path | None = None, wanted: Mapping[str, Sequence[Jar]] | None = None) -> dict[str, JarSet]:
    """Every server's jars (`wanted`: the pinned ones), fetched if they are not in the cache yet.

    Raises Unavailable naming the coordinate that cannot be fetched.
    """
    folder = (cache or cache_folder()) / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    sets = pinned() if wanted is None else wanted
    needed = [jar for jars in sets.values() for jar in jars]
    if any(not _is_good(folder / jar.file_name, jar) for jar in needed):
        with _one_at_a_time(folder):
            missing = [jar for jar in needed if not _is_good(folder / jar.file_name, jar)]
            if missing:
                _fetch(missing, folder)
    return {name: JarSet(folder, tuple(jars)) for name, jars in sets.items()}


def _is_good(path: Path, jar: Jar) -> bool:
    if not path.exists() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with this process, however that ends
        for left in folder.glob("staging-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _fetch(missing: Sequence[Jar], folder: Path) -> None:
    """Download several at once with a progress bar. The threads are daemons: Ctrl-C does not wait for a slow server."""
    todo: queue.SimpleQueue[Jar] = queue.SimpleQueue()
    for jar in sorted(missing, key=lambda jar: -jar.size):
        todo.put(jar)
    done: queue.SimpleQueue[tuple[Jar, Exception | None]] = queue.SimpleQueue()
    staging = Path(tempfile.mkdtemp(prefix="staging-", dir=folder))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        total = sum(jar.size for jar in missing)
        task = progress.add_task(f"Fetching {len(missing)} Java libraries (once)", total=total)
        for number in range(min(_AT_ONCE, len(missing))):
            threading.Thread(target=_work, args=(todo, done, staging / str(number), folder), daemon=True).start()
        for _ in missing:
            jar, error = done.get()
            if error is not None:
                raise Unavailable("service.unavailable", f"{jar.coordinate} cannot be fetched: {error}") from error
            progress.advance(task, jar.size)
    shutil.rmtree(staging, ignore_errors=True)


def _work(
    todo: "queue.SimpleQueue[Jar]",
    done: "queue.SimpleQueue[tuple[Jar, Exception | None]]",
    staging: Path,
    folder: Path,
) -> None:
    while not todo.empty():
        try:
            jar = todo.get_nowait()
        except queue.Empty:
            return
        error: Exception | None = None
        for attempt in range(_ATTEMPTS):
            try:
                _download(jar, staging / str(attempt), folder)
                error = None
                break
            except (OSError, RuntimeError, ValueError) as failure:  # what jgo and requests raise
                error = failure
        done.put((jar, error))


def _download(jar: Jar, staging: Path, folder: Path) -> None:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    settings = GlobalSettings.load()
    context = MavenContext(
        repo_cache=staging,
        local_repos=[settings.repo_cache],  # what this user's other Java tools have fetched already
        remote_repos={"central": MAVEN_CENTRAL_URL, **settings.repositories},
        timeout=20,
    )
    group, artifact, version = jar.coordinate.split(":")
    found = context.project(group, artifact).at_version(version).artifact().resolve()
    making = staging / jar.file_name
    making.parent.mkdir(parents=True, exist_ok=True)
    if found.is_relative_to(staging):
        found.rename(making)
    else:
        shutil.copyfile(found, making)
    if not _is_good(making, jar):
        making.unlink()
        raise ValueError("it does not match its pinned hash")
    making.replace(folder / jar.file_name)
