"""That work moved: what a worker tells of itself while it works, and what tells a stalled one from an idle one."""

import threading
import time


class Progress:
    """One part of a worker. `moved` is called by whoever works, whenever something is done; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moved = 0
        self._last = 0.0

    def moved(self, count: int = 1) -> None:
        with self._lock:
            self._moved += count
            self._last = time.time()

    @property
    def total(self) -> int:
        """How much has been done since the process began."""
        with self._lock:
            return self._moved

    @property
    def last(self) -> float:
        """When work last moved, Unix time; 0: never."""
        with self._lock:
            return self._last


class Stall:
    """How long work has been pending without anything moving, from looks at it. Times are a ticker's, in seconds.

    Nothing pending is never a stall, however long ago something moved; work that has just come has its full time.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._total = 0
        self._pending = 0

    def look(self, now: float, pending: int, total: int) -> float:
        """`pending`: what could be done now; `total`: all that was ever done here. Less pending than at the last look is
        movement too: another process of the same kind did it."""
        moved = total != self._total or pending < self._pending
        self._total, self._pending = total, pending
        if pending == 0:
            self._since = None
            return 0.0
        if moved or self._since is None:
            self._since = now
        return now - self._since
