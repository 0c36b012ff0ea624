"""One watch in each worker: looks every few seconds at what is pending and whether work moves, and keeps the verdict.

Ready means that work moves: a worker is ready unless work is pending and nothing has moved for `KALLAN_STALL_SECONDS`, the
brake on dead letters holds something, or what the look itself asks does not answer.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from streams import worker_metrics as measured
from streams.clock import Ticker
from streams.contracts.errors import KallanError, Unavailable
from streams.failures import unexpected
from streams.metrics import Meter
from streams.progress import Progress, Stall

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
LATE_SECONDS = 60.0
"""A verdict that is older than this and the time to a stall says that the watch itself hangs."""


@dataclass(frozen=True)
class Part:
    """A part of a worker that works by itself. `look` sets the part's gauges and gives how much could be done now; it
    raises what the servers that it asks raise."""

    name: str
    progress: Progress
    look: Callable[[], int]
    stall: Stall = field(default_factory=Stall)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is empty where the worker is ready."""

    code: str = ""
    detail: str = ""

    @property
    def ready(self) -> bool:
        return not self.code


Held = Callable[[], Sequence[str]]
"""What the brake on dead letters holds, in words."""
Tell = Callable[[float, Verdict], None]
"""Writes down when work last moved and the verdict, for those who look from outside."""


class Watch:
    """Its thread ends with the process, or by `stop`."""

    def __init__(
        self,
        parts: Sequence[Part],
        meter: Meter,
        ticker: Ticker,
        *,
        stall_seconds: float,
        held: Held = tuple,
        tell: Tell = lambda _moved, _verdict: None,
    ) -> None:
        self._parts = tuple(parts)
        self._meter = meter
        self._ticker = ticker
        self._stall_seconds = stall_seconds
        self._held = held
        self._tell = tell
        self._lock = threading.Lock()
        self._verdict = Verdict("worker.starting")
        self._looked_at = ticker.monotonic()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        meter.know(measured.PART, [part.name for part in parts])

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def verdict(self) -> Verdict:
        """The newest. Where the look itself hangs, that is the verdict."""
        with self._lock:
            late = self._ticker.monotonic() - self._looked_at
            if late > max(LATE_SECONDS, self._stall_seconds):
                return Verdict("worker.stalled", f"the watch has not looked for {late:.0f} s")
            return self._verdict

    def look(self) -> Verdict:
        """Look once, now."""
        verdicts = [self._look_at(part) for part in self._parts]
        found = next((one for one in verdicts if not one.ready), Verdict())
        if found.code != "service.unavailable" and (held := self._held()):
            found = Verdict("worker.braked", "; ".join(held))
        with self._lock:
            if found != self._verdict and (found.code or self._verdict.code not in ("", "worker.starting")):
                log.log(
                    logging.WARNING if found.code else logging.INFO,
                    "%s",
                    f"not ready: {found.code}: {found.detail}" if found.code else "ready again",
                    extra={"code": found.code},
                )
            self._verdict, self._looked_at = found, self._ticker.monotonic()
        self._meter.set(measured.READY, 1.0 if found.ready else 0.0)
        return found

    def _look_at(self, part: Part) -> Verdict:
        try:
            pending = part.look()
        except (KallanError, psycopg.Error) as error:
            return Verdict("service.unavailable", f"{part.name}: {_what(error)}")
        stalled = part.stall.look(self._ticker.monotonic(), pending, part.progress.total)
        self._meter.set(measured.PENDING, pending, part=part.name)
        self._meter.set(measured.STALLED, stalled, part=part.name)
        self._meter.set(measured.PROGRESS, part.progress.last, part=part.name)
        if stalled >= self._stall_seconds:
            return Verdict("worker.stalled", f"{part.name}: {pending} pending, nothing moved for {stalled:.0f} s")
        return Verdict()

    def _run(self) -> None:
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                verdict = self.look()
            except Exception as error:  # noqa: BLE001  # the watch must go on; the verdict says so
                verdict = Verdict("internal.unexpected", unexpected(error).detail)
                with self._lock:
                    self._verdict, self._looked_at = verdict, self._ticker.monotonic()
                log.error("the watch failed: %s", verdict.detail, extra={"code": verdict.code})  # noqa: TRY400
            with contextlib.suppress(psycopg.Error, Unavailable):  # the verdict has told already what is away
                self._tell(max((part.progress.last for part in self._parts), default=0.0), verdict)
            self._ending.wait(max(0.2, LOOK_SECONDS - (time.monotonic() - began)))


def _what(error: Exception) -> str:
    return error.detail or error.code if isinstance(error, KallanError) else f"PostgreSQL ({type(error).__name__})"
