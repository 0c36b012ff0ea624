"""One stack a folder: a lock that its supervisor holds as well, so that it ends when the last server has ended."""

import fcntl
import os
import time
from pathlib import Path

from streams.contracts.errors import KallanError

_LONGEST_STOP = 15.0


class FolderLock:
    """The lock on a stack's folder, held from the moment it is made until `release` and the supervisor's end.

    Raises `KallanError("stack.in-use")` while another stack lives there. A stack that was killed needs no help: its
    supervisor is still stopping its servers, and that is waited for.
    """

    def __init__(self, folder: Path) -> None:
        self.handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        end = time.monotonic() + _LONGEST_STOP
        while not self._try():
            holder = os.read(self.handle, 32).decode().strip()
            os.lseek(self.handle, 0, os.SEEK_SET)
            if _lives(holder) or time.monotonic() > end:
                os.close(self.handle)
                raise KallanError("stack.in-use", f"{folder} (process {holder or 'unknown'})")
            time.sleep(0.1)
        os.ftruncate(self.handle, 0)
        os.write(self.handle, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        os.close(self.handle)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _lives(pid: str) -> bool:
    """The process is there and no zombie."""
    try:
        stat = Path("/proc", pid, "stat").read_bytes() if pid.isdigit() else b""
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat != b"" and stat.rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
