"""One circuit breaker per target: a target that does not answer is asked again by one thread, ever more seldom."""

import logging
import threading
from enum import IntEnum

from streams.clock import Ticker

log = logging.getLogger(__name__)

TIMEOUTS_TO_OPEN = 3
"""So many calls in a row without an answer in time count as a target that is away."""


class BreakerState(IntEnum):
    """The number is what the metric shows."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Passage(IntEnum):
    """What a thread that asks may do now."""

    CALL = 0
    PROBE = 1
    WAIT = 2


class Breaker:
    """Thread-safe. Opens at the first call that could not be sent, or after `TIMEOUTS_TO_OPEN` time-outs in a row.

    While open everybody waits; when the wait (seconds, doubled up to `longest`) is over exactly one thread gets PROBE
    and must answer with `succeeded` or `failed`. One log line when it opens and one when it closes, however long it is.
    """

    def __init__(self, target: str, ticker: Ticker, *, first: float = 0.5, longest: float = 10.0) -> None:
        self.target = target
        self._ticker = ticker
        self._first = first
        self._longest = longest
        self._lock = threading.Lock()
        self._state = BreakerState.CLOSED
        self._wait = first
        self._ask_again_at = 0.0
        self._opened_at = 0.0
        self._timeouts = 0

    @property
    def state(self) -> BreakerState:
        with self._lock:
            return self._state

    def passage(self) -> Passage:
        """CALL, WAIT, or PROBE for the one thread that shall find out whether the target is back."""
        with self._lock:
            if self._state is BreakerState.CLOSED:
                return Passage.CALL
            if self._state is BreakerState.OPEN and self._ticker.monotonic() >= self._ask_again_at:
                self._state = BreakerState.HALF_OPEN
                return Passage.PROBE
            return Passage.WAIT

    def succeeded(self) -> None:
        """The target answered, if only to refuse."""
        with self._lock:
            self._timeouts = 0
            self._wait = self._first
            if self._state is BreakerState.CLOSED:
                return
            self._state = BreakerState.CLOSED
            away = self._ticker.monotonic() - self._opened_at
            log.warning("target %s answers again after %.1f s: the waiting changes go on", self.target, away)

    def failed(self) -> None:
        """The target could not be reached: nothing was sent."""
        with self._lock:
            self._open()

    def timed_out(self) -> None:
        """No answer in time. One slow call is not an outage; several in a row are."""
        with self._lock:
            self._timeouts += 1
            if self._timeouts >= TIMEOUTS_TO_OPEN or self._state is not BreakerState.CLOSED:
                self._open()

    def ask_at_once(self) -> None:
        """Cut the wait short: the next `passage` is a probe (an operator or a scenario knows that the target is up)."""
        with self._lock:
            self._ask_again_at = 0.0

    def _open(self) -> None:
        now = self._ticker.monotonic()
        if self._state is BreakerState.CLOSED:
            self._opened_at = now
            self._wait = self._first
            log.warning("target %s does not answer: its changes wait, other targets go on", self.target)
        elif self._state is BreakerState.HALF_OPEN:
            self._wait = min(self._wait * 2, self._longest)
        else:
            return  # another thread's call failed before it saw the open state
        self._state = BreakerState.OPEN
        self._ask_again_at = now + self._wait
