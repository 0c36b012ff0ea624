"""How a worker process ends in time: signals set a flag, and a watch ends what does not end by itself.

Kafka clients wait for each other and for brokers that are away; a thread that handles a batch cannot be ended. What was
not committed is read again, so a process may always be left as it is.
"""

import logging
import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import NoReturn

from streams.contracts.errors import Unavailable

log = logging.getLogger(__name__)

STOP_SECONDS = 9.0
"""How long a worker process takes to end at most after it was asked to, whatever broker or batch do."""

_TICK = 0.1
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """A context manager around the life of a worker. Only in the main thread of a process does it take signals and end
    the process; elsewhere it does neither."""

    def __init__(self, name: str, stop: threading.Event) -> None:
        self._name = name
        self._stop = stop
        self._process = threading.current_thread() is threading.main_thread()
        self._ended = threading.Event()
        self._leave_by = float("inf")
        self._status = 1

    def __enter__(self) -> "Ending":
        if self._process:
            self._before = [signal.signal(one, self._asked) for one in _SIGNALS]
            threading.Thread(target=self._watch, daemon=True, name=f"{self._name}-ending").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._process:
            for one, handler in zip(_SIGNALS, self._before, strict=True):
                signal.signal(one, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def leave_within(self, seconds: float, status: int) -> None:
        """From now on nothing is lost if the process ends: it does so with this status unless `left` comes in time."""
        self._status = status
        self._leave_by = time.monotonic() + seconds

    def left(self) -> None:
        self._leave_by = float("inf")

    def abandon(self, why: str, status: int) -> NoReturn:
        """End without what cannot be ended. The client's threads would keep the process, or come back to the group and
        hold partitions that nobody reads."""
        log.warning("%s: %s; leaving as it is, what was not committed is read again", self._name, why)
        if not self._process:
            raise Unavailable("service.unavailable", f"Kafka: {why}")
        logging.shutdown()
        os._exit(status)

    def _watch(self) -> None:
        asked: float | None = None
        while not self._ended.wait(_TICK):
            now = time.monotonic()
            if asked is None and self._stop.is_set():
                asked = now
            if now > self._leave_by:
                self.abandon("leaving the group takes too long", self._status)
            if asked is not None and now - asked > STOP_SECONDS:
                self.abandon(f"not ended in {STOP_SECONDS:.0f} s", 1)
