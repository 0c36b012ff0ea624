"""A crash at any step of a load, then the same file again: the same events with the same ids, the same state."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, cast

import psycopg
import pytest

from connectors.sources.edge import Edge
from connectors.sources.registry import load_stream, reader_of, resume_all
from connectors.sources.report import LoadState
from streams.bus import MemoryBus
from streams.catalogue import SOURCE_EMPLOYMENT, SOURCE_URGENT
from streams.contracts.errors import Unavailable
from streams.contracts.testnumbers import all_test_numbers
from streams.envelope import Message
from tests.integration.sources.bench import Bench, Pool, stream

NUMBERS = list(islice(all_test_numbers(), 40))


def rows(*numbers: int, **other: Any) -> list[dict[str, Any]]:
    return [
        {"employmentId": f"E{n}", "personNumber": NUMBERS[n], "startDate": "2020-01-01", "orgId": "1"} | other
        for n in numbers
    ]


class Crash(BaseException):
    """The process is gone: nothing of ours may catch this."""


class CrashingPool:
    """A pool of a process that dies just before its nth use of the database."""

    def __init__(self, pool: Pool, uses: int) -> None:
        self._pool = pool
        self.left = uses

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        if self.left == 0:
            raise Crash
        self.left -= 1
        with self._pool.connection() as connection:
            yield connection


class FailingProducer:
    """A broker that stops answering at the nth flush; what was sent before that has arrived, in part or in whole."""

    def __init__(self, bus: MemoryBus, flushes: int) -> None:
        self._bus = bus
        self.left = flushes

    def send(self, message: Message) -> None:
        self._bus.send(message)

    def flush(self) -> None:
        if self.left == 0:
            raise Unavailable("service.unavailable", "broker")
        self.left -= 1


def files(bench: Bench) -> tuple[bytes, bytes]:
    """A first total load, and one with additions, changes, a raise, an end and absences."""
    reader, context = reader_of("hr"), bench.edge.context()
    first = reader.write(rows(*range(30)), context, 1, True)
    bench.clock.instant += dt.timedelta(hours=1)
    second = rows(*range(5, 20)) + rows(20, endDate="2026-01-10") + rows(21, isClassified=True) + rows(*range(22, 40))
    return first, reader.write(second, bench.edge.context(), 2, True)


def outcome(bench: Bench) -> tuple[set[str], set[str], list[tuple[object, ...]]]:
    with bench.pool.connection() as connection:
        snapshot = connection.execute(
            "select source_key, digest, version from connectors.snapshot order by source_key"
        ).fetchall()
        assert connection.execute("select count(*) from connectors.staged").fetchone() == (0,)
        states = connection.execute("select distinct state from connectors.load").fetchall()
    assert states == [("committed",)]
    return set(bench.ids(SOURCE_EMPLOYMENT)), set(bench.ids(SOURCE_URGENT)), snapshot


@pytest.fixture
def expected(new_bench: Callable[[], Bench]) -> tuple[Bench, tuple[set[str], set[str], list[tuple[object, ...]]]]:
    bench = new_bench()
    for content in files(bench):
        assert load_stream("hr", stream(content), bench.edge).state is LoadState.COMMITTED
    return bench, outcome(bench)


def run_with_crashes(bench: Bench, content: bytes, make: Callable[[int], Edge], error: type[BaseException]) -> int:
    """Load, letting the process die one step later each time; then once without. How often it died."""
    for step in range(1000):
        try:
            load_stream("hr", stream(content), make(step))
        except error:
            continue
        return step
    raise AssertionError("the load never came to its end")


def test_a_process_that_dies_before_any_use_of_the_database_leaves_a_load_that_ends_the_same(
    new_bench: Callable[[], Bench], expected: tuple[Bench, tuple[set[str], set[str], list[tuple[object, ...]]]]
) -> None:
    bench = new_bench()

    def dying(step: int) -> Edge:
        return bench.edge_over(cast(Pool, CrashingPool(bench.pool, step)), bench.bus)

    for content in files(bench):
        assert run_with_crashes(bench, content, dying, Crash) > 10
    assert outcome(bench) == expected[1]


def test_a_broker_that_fails_at_any_flush_leaves_a_load_that_ends_the_same(
    new_bench: Callable[[], Bench], expected: tuple[Bench, tuple[set[str], set[str], list[tuple[object, ...]]]]
) -> None:
    bench = new_bench()

    def failing(step: int) -> Edge:
        return bench.edge_over(bench.pool, FailingProducer(bench.bus, step))

    for content in files(bench):
        assert run_with_crashes(bench, content, failing, Unavailable) > 3
    assert outcome(bench) == expected[1]


def test_a_load_that_was_being_published_is_taken_up_without_its_file(bench: Bench) -> None:
    first, _ = files(bench)
    with pytest.raises(Unavailable):
        load_stream("hr", stream(first), bench.edge_over(bench.pool, FailingProducer(MemoryBus(), 0)))
    reports = resume_all(bench.edge)
    assert [(report.source, report.state, report.published) for report in reports] == [("hr", LoadState.COMMITTED, 30)]
    assert resume_all(bench.edge) == []


def test_a_delta_that_was_interrupted_gives_the_same_ids_again(bench: Bench) -> None:
    content = reader_of("hr").write(rows(*range(20)), bench.edge.context(), 1, False)
    with pytest.raises(Unavailable):
        load_stream("hr", stream(content), bench.edge_over(bench.pool, FailingProducer(bench.bus, 1)))
    load_stream("hr", stream(content), bench.edge)
    ids = bench.ids(SOURCE_EMPLOYMENT)
    assert len(set(ids)) == 20
    assert len(ids) > 20
