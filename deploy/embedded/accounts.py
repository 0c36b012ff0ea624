"""As whom a server runs that refuses to run as root (PostgreSQL does).

An ordinary user runs it as themselves. Root hands it to an unprivileged account, in this order:

1. an account of the machine (`postgres`, `nobody`), if it can reach the binaries and the folder;
2. the same process in a user namespace that shows root as that account: it reaches what root's files allow, so a clone
   or a data folder below a closed home works too (`unshare`, where the kernel permits it);
3. an account of the machine again, with a copy of the binaries and the data in a folder of the machine's own (/var/tmp).
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streams.contracts.errors import Unavailable

_ACCOUNTS = ("postgres", "nobody")
_ELSEWHERE = Path("/var/tmp")  # noqa: S108 - the folder made in it is checked to be ours


@dataclass(frozen=True, slots=True)
class RunAs:
    """How to start a server: `prefix` goes before its command, `user` is (uid, gid) to change to, `owner` owns its data.
    `program` and `folder` are where its binaries and its data are for this account."""

    program: Path
    folder: Path
    prefix: tuple[str, ...] = ()
    user: tuple[int, int] | None = None
    owner: tuple[int, int] | None = None
    elsewhere: Path | None = None
    """The folder outside the given one that holds copies, if there is one: to be removed with throwaway data."""


def choose(program: Path, folder: Path, copy: Callable[[Path], Path], unshare: str | None = "unshare") -> RunAs:
    """How `program` can run with its data in `folder` (made if missing).

    `copy` brings the installation into a folder and returns the program there. Raises Unavailable when no way is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return RunAs(program, folder)
    account = _account()
    ids = (account.pw_uid, account.pw_gid)
    folder.chmod(0o711)
    if _reaches(ids, program, folder):
        return RunAs(program, folder, user=ids, owner=ids)
    prefix = (unshare or "", "--user", f"--map-user={ids[0]}", f"--map-group={ids[1]}", "--")
    if unshare and _works((*prefix, str(program), "--version")):
        return RunAs(program, folder, prefix=prefix, owner=(0, 0))
    elsewhere = _ELSEWHERE / f"kallan-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"
    elsewhere.mkdir(mode=0o711, exist_ok=True)
    if elsewhere.is_symlink() or elsewhere.stat().st_uid != 0:
        raise Unavailable("service.unavailable", f"{elsewhere} belongs to somebody else")
    elsewhere.chmod(0o711)
    copied = copy(elsewhere / "program")
    if not _reaches(ids, copied, elsewhere):
        raise Unavailable("service.unavailable", f"the account {account.pw_name} cannot reach {elsewhere}")
    return RunAs(copied, elsewhere, user=ids, owner=ids, elsewhere=elsewhere)


def give(path: Path, run_as: RunAs) -> None:
    """Let the account own a file or folder."""
    if run_as.owner is not None:
        os.chown(path, *run_as.owner)


def give_all(folder: Path, run_as: RunAs) -> None:
    """Let the account own a folder that may have belonged to another one in an earlier run, with all that is in it."""
    if run_as.owner is not None and folder.stat().st_uid != run_as.owner[0]:
        for path in folder.rglob("*"):
            os.chown(path, *run_as.owner, follow_symlinks=False)
        os.chown(folder, *run_as.owner)


def remove_elsewhere(run_as: RunAs) -> None:
    if run_as.elsewhere is not None:
        shutil.rmtree(run_as.elsewhere)


def _account() -> pwd.struct_passwd:
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    for entry in pwd.getpwall():
        if entry.pw_uid != 0:
            return entry
    raise Unavailable("service.unavailable", "no account but root on this machine to run PostgreSQL as")


def _reaches(ids: tuple[int, int], program: Path, folder: Path) -> bool:
    check = 'test -x "$1" && test -x "$2" && "$1" --version'
    return _works(("sh", "-c", check, "sh", str(program), str(folder)), ids)


def _works(argv: tuple[str, ...], ids: tuple[int, int] | None = None) -> bool:
    user, group = ids or (None, None)
    try:
        done = subprocess.run(
            argv,
            user=user,
            group=group,
            extra_groups=None if ids is None else [],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
