"""Business time as a database row."""

import datetime as dt
import time
from collections.abc import Iterator

import psycopg
import psycopg_pool
import pytest

from streams.clock_row import DatabaseClock, set_clock
from streams.database import open_pool

THEN = dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)


class FakeTicker:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def pool(database_url: str) -> Iterator[psycopg_pool.ConnectionPool[psycopg.Connection]]:
    made = open_pool(database_url)
    yield made
    made.close()


Pool = psycopg_pool.ConnectionPool[psycopg.Connection]


def is_now(instant: dt.datetime) -> bool:
    return abs((instant - dt.datetime.now(dt.UTC)).total_seconds()) < 5


def test_without_a_row_or_an_instant_it_is_the_systems_time(pool: Pool) -> None:
    assert is_now(DatabaseClock(pool).now())
    set_clock(pool, None)
    assert is_now(DatabaseClock(pool).now())


def test_a_set_instant_stands_still_in_every_process(pool: Pool) -> None:
    set_clock(pool, THEN.astimezone(dt.timezone(dt.timedelta(hours=2))))
    clocks = [DatabaseClock(pool, 0.0), DatabaseClock(pool, 0.0)]
    assert [clock.now() for clock in clocks * 2] == [THEN] * 4
    assert clocks[0].now().tzinfo is dt.UTC


def test_a_running_clock_goes_on_from_its_instant_also_between_readings(pool: Pool) -> None:
    set_clock(pool, THEN, running=True)
    ticker = FakeTicker()
    clock = DatabaseClock(pool, 60.0, ticker=ticker)
    first = clock.now()
    assert 0 <= (first - THEN).total_seconds() < 5
    ticker.sleep(30)
    assert clock.now() - first == dt.timedelta(seconds=30)
    time.sleep(0.05)
    assert (DatabaseClock(pool, 0.0).now() - THEN).total_seconds() >= 0.05


def test_a_moved_clock_is_seen_when_the_cache_has_run_out(pool: Pool) -> None:
    ticker = FakeTicker()
    clock = DatabaseClock(pool, ticker=ticker)
    set_clock(pool, THEN)
    assert clock.now() == THEN
    set_clock(pool, THEN + dt.timedelta(days=1))
    assert clock.now() == THEN
    ticker.sleep(0.2)
    assert clock.now() == THEN + dt.timedelta(days=1)
    set_clock(pool, None)
    ticker.sleep(0.2)
    assert is_now(clock.now())


def test_an_instant_without_a_time_zone_is_refused(pool: Pool) -> None:
    with pytest.raises(ValueError, match="time zone"):
        set_clock(pool, THEN.replace(tzinfo=None))
