"""Two ports for time: `Clock` is business time (which date it is), `Ticker` is elapsed time (leases, back-off)."""

import datetime as dt
import time
from typing import Protocol

from streams.contracts.time import local_date


class Clock(Protocol):
    def now(self) -> dt.datetime:
        """The business instant, UTC. In replay every process reads the same database row."""
        ...


class Ticker(Protocol):
    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)


class SetClock:
    """A clock that stands until it is moved: for the direct runner and tests."""

    def __init__(self, instant: dt.datetime) -> None:
        self.instant = instant.astimezone(dt.UTC)

    def now(self) -> dt.datetime:
        return self.instant


class SystemTicker:
    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def today(clock: Clock) -> dt.date:
    """The Swedish date now."""
    return local_date(clock.now())
