"""Business time as a database row, so that every process of a replay reads the same instant."""

import datetime as dt
import threading

import psycopg
import psycopg_pool

from streams.clock import SystemClock, SystemTicker, Ticker

CACHE_SECONDS = 0.2

_READ = """
select case when running then instant + (clock_timestamp() - set_at) else instant end, running from streams.clock
"""

_SET = """
insert into streams.clock as c (instant, running, set_at) values (%s, %s, clock_timestamp())
on conflict (one) do update set instant = excluded.instant, running = excluded.running, set_at = excluded.set_at
"""

_Pool = psycopg_pool.ConnectionPool[psycopg.Connection]


class DatabaseClock:
    """Implements `streams.clock.Clock` over `streams.clock`: the system's time where no instant is set; a set instant
    stands still, or runs on from when it was set (`running`).

    The row is read again after `cache_seconds`; within that time a running clock goes on by the ticker.
    """

    def __init__(self, pool: _Pool, cache_seconds: float = CACHE_SECONDS, *, ticker: Ticker | None = None) -> None:
        self._pool = pool
        self._cache_seconds = cache_seconds
        self._ticker = ticker or SystemTicker()
        self._system = SystemClock()
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._instant: dt.datetime | None = None
        self._running = False

    def now(self) -> dt.datetime:
        """The business instant, UTC. Raises what psycopg raises when the database is away."""
        with self._lock:
            now = self._ticker.monotonic()
            if now - self._read_at >= self._cache_seconds:
                self._read()
                self._read_at = now
            if self._instant is None:
                return self._system.now()
            return self._instant + dt.timedelta(seconds=now - self._read_at if self._running else 0.0)

    def _read(self) -> None:
        with self._pool.connection() as connection:
            row = connection.execute(_READ).fetchone()
        self._instant, self._running = (None, False) if row is None or row[0] is None else row
        if self._instant is not None:
            self._instant = self._instant.astimezone(dt.UTC)


def set_clock(pool: _Pool, instant: dt.datetime | None, *, running: bool = False) -> None:
    """Set business time for every process that uses this database; None gives it back to the system."""
    if instant is not None and instant.tzinfo is None:
        raise ValueError("a business instant has a time zone")
    with pool.connection() as connection:
        connection.execute(_SET, [instant, running])
