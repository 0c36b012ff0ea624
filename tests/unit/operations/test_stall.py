"""Ready means that work moves: not ready is only who has work and does none of it."""

import logging
from collections.abc import Callable

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.operations.watch import Part, Verdict, Watch
from streams.contracts.errors import Unavailable
from streams.metrics import Meter
from streams.progress import Progress, Stall


class HandTicker:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def watch_of(ticker: HandTicker, look: Callable[[], int], progress: Progress | None = None) -> Watch:
    return Watch([Part("messages", progress or Progress(), look)], Meter(), ticker, stall_seconds=60.0)


def test_an_idle_worker_is_ready_however_long_nothing_has_moved() -> None:
    ticker = HandTicker()
    watch = watch_of(ticker, lambda: 0)
    for _ in range(100):
        ticker.sleep(60)
        assert watch.look().ready


def test_work_that_waits_while_nothing_moves_makes_it_not_ready_and_says_so() -> None:
    ticker = HandTicker()
    watch = watch_of(ticker, lambda: 7)
    assert watch.look().ready
    ticker.sleep(59)
    assert watch.look().ready
    ticker.sleep(1)
    assert watch.look() == Verdict("worker.stalled", "messages: 7 pending, nothing moved for 60 s")


def test_work_that_has_just_come_after_a_long_rest_has_its_full_time() -> None:
    ticker, pending = HandTicker(), [0]
    watch = watch_of(ticker, lambda: pending[0])
    watch.look()
    ticker.sleep(10_000)
    pending[0] = 3
    assert watch.look().ready
    ticker.sleep(59)
    assert watch.look().ready


def test_a_worker_that_moves_is_ready_however_much_waits() -> None:
    ticker, progress = HandTicker(), Progress()
    watch = watch_of(ticker, lambda: 1_000_000, progress)
    for _ in range(10):
        watch.look()
        progress.moved()
        ticker.sleep(61)
        assert watch.look().ready


def test_a_stalled_worker_is_ready_again_when_work_moves(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ticker, progress = HandTicker(), Progress()
    watch = watch_of(ticker, lambda: 5, progress)
    watch.look()
    ticker.sleep(100)
    for _ in range(3):
        assert watch.look().code == "worker.stalled"
    progress.moved()
    assert watch.look().ready
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition(": messages")[0] for line in told] == ["not ready: worker.stalled", "ready again"]


@given(st.lists(st.tuples(st.floats(0.1, 30), st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_the_stall_is_never_longer_than_work_has_waited_or_than_nothing_moved(
    steps: list[tuple[float, int, bool]],
) -> None:
    stall, now, total, free_at, before = Stall(), 0.0, 0, 0.0, 0
    for seconds, pending, moves in steps:
        now += seconds
        total += moves
        if moves or pending == 0 or pending < before or before == 0:
            free_at = now
        before = pending
        assert stall.look(now, pending, total) == pytest.approx(now - free_at)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unavailable("service.unavailable", "Kafka: read lag: _TRANSPORT"), "messages: Kafka: read lag: _TRANSPORT"),
        (psycopg.OperationalError("the password of Hedda is wrong"), "messages: PostgreSQL (OperationalError)"),
    ],
)
def test_a_server_that_does_not_answer_makes_it_not_ready_at_once(error: Exception, told: str) -> None:
    def look() -> int:
        raise error

    assert watch_of(HandTicker(), look).look() == Verdict("service.unavailable", told)


def test_what_the_brake_holds_makes_it_not_ready() -> None:
    watch = Watch([], Meter(), HandTicker(), stall_seconds=60.0, held=lambda: ["hr in source.employment.v1"])
    assert watch.look() == Verdict("worker.braked", "hr in source.employment.v1")


def test_a_worker_whose_watch_hangs_is_not_ready() -> None:
    ticker = HandTicker()
    watch = watch_of(ticker, lambda: 0)
    watch.look()
    ticker.sleep(61)
    assert watch.verdict.code == "worker.stalled"


def test_a_worker_that_has_not_looked_yet_is_not_ready() -> None:
    assert watch_of(HandTicker(), lambda: 0).verdict.code == "worker.starting"


def test_every_part_is_looked_at_and_the_worst_is_told() -> None:
    ticker, meter, looked = HandTicker(), Meter(), list[str]()

    def look(name: str, pending: int) -> Callable[[], int]:
        def one() -> int:
            looked.append(name)
            return pending

        return one

    parts = [Part(name, Progress(), look(name, pending)) for name, pending in (("directory", 4), ("timers", 0))]
    watch = Watch(parts, meter, ticker, stall_seconds=60.0)
    watch.look()
    ticker.sleep(60)
    assert watch.look().code == "worker.stalled"
    assert looked == ["directory", "timers"] * 2
    assert meter.value("kallan_worker_ready") == 0
    assert meter.value("kallan_worker_stalled_seconds", part="directory") == 60
    assert meter.value("kallan_worker_pending", part="timers") == 0
