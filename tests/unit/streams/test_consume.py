"""The runner: one bad record stops nobody, a server that is away is waited for, and logs name nobody."""

import logging
from collections.abc import Sequence
from itertools import pairwise

import psycopg
import psycopg_pool
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.consume import Runner, Stopped
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.dead_letters import redact
from streams.envelope import Message
from streams.failures import transient

CANARY = "Kanariefågel"


class FakeTicker:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Box:
    """Dead letters in memory; `away` makes the next ones fail."""

    def __init__(self, away: int = 0) -> None:
        self.found: list[tuple[str, int, str, str]] = []
        self.away = away

    def add(self, group: str, message: Message, error: KallanError) -> None:
        if self.away:
            self.away -= 1
            raise psycopg.OperationalError("the database is away")
        self.found.append((group, message.offset, error.code, error.detail))


class Handler:
    """Handles what it is given, unless `faults` holds errors for an offset (one is used up each time; the last stays)."""

    def __init__(self, faults: dict[int, list[Exception]] | None = None) -> None:
        self.faults = faults or {}
        self.calls: list[list[int]] = []
        self.done: list[int] = []

    def __call__(self, batch: Sequence[Message]) -> None:
        offsets = [message.offset for message in batch]
        self.calls.append(offsets)
        for offset in offsets:
            if errors := self.faults.get(offset):
                error = errors.pop(0)
                if not transient(error):
                    errors.append(error)
                raise error
        self.done += offsets


def batch(count: int) -> list[Message]:
    return [Message("t", f"key-{CANARY}", CANARY.encode(), {"ce_id": CANARY}, 0, offset) for offset in range(count)]


def runner(handler: Handler, box: Box | None = None, **settings: object) -> Runner:
    return Runner(handler, box or Box(), FakeTicker(), group="g", **settings)  # type: ignore[arg-type]


def test_a_good_batch_is_handled_once_and_whole() -> None:
    handler = Handler()
    runner(handler).handle(batch(3))
    assert handler.calls == [[0, 1, 2]]


def test_an_empty_batch_is_not_handled() -> None:
    handler = Handler()
    runner(handler).handle([])
    assert handler.calls == []


def test_a_bad_record_is_set_aside_with_its_code_and_the_others_are_handled() -> None:
    handler, box = Handler({1: [Rejected("code.unknown", "claims[0].code")]}), Box()
    runner(handler, box).handle(batch(3))
    assert handler.done == [0, 2]
    assert box.found == [("g", 1, "code.unknown", "claims[0].code")]


def test_a_single_bad_record_is_not_tried_again() -> None:
    handler, box = Handler({0: [Rejected("code.unknown")]}), Box()
    runner(handler, box).handle(batch(1))
    assert handler.calls == [[0]]
    assert len(box.found) == 1


def test_an_unexpected_error_is_told_by_its_class_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    handler, box = Handler({1: [ValueError(CANARY)]}), Box()
    runner(handler, box).handle(batch(2))
    assert handler.done == [0]
    assert box.found == [("g", 1, "internal.unexpected", "ValueError")]
    assert "test_consume.py:" in caplog.text
    assert CANARY not in caplog.text


@given(st.sets(st.integers(0, 9)))
def test_exactly_the_bad_records_are_set_aside(bad: set[int]) -> None:
    handler, box = Handler({offset: [Rejected("input.invalid")] for offset in bad}), Box()
    runner(handler, box).handle(batch(10))
    assert set(handler.done) == set(range(10)) - bad
    assert [offset for _, offset, _, _ in box.found] == sorted(bad)


TRANSIENT = [
    Unavailable("service.unavailable", "Kafka"),
    psycopg.OperationalError("connection lost"),
    psycopg.InterfaceError("the connection is closed"),
    psycopg.errors.DeadlockDetected("x"),
    psycopg.errors.SerializationFailure("x"),
    psycopg.errors.UndefinedTable("not migrated yet"),
    psycopg.errors.ReadOnlySqlTransaction("x"),
    psycopg_pool.PoolTimeout("x"),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_what_is_away_is_waited_for_and_no_record_is_set_aside(error: Exception) -> None:
    handler, box = Handler({1: [error, error, error]}), Box()
    runner(handler, box).handle(batch(2))
    assert handler.calls == [[0, 1]] * 4
    assert box.found == []


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.UniqueViolation("x"),
        psycopg.errors.ProgramLimitExceeded("an index row that is too large"),
        KeyError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_will_fail_again_is_not_waited_for(error: Exception) -> None:
    handler, box = Handler({0: [error]}), Box()
    runner(handler, box).handle(batch(1))
    assert [code for _, _, code, _ in box.found] == ["internal.unexpected"]
    assert handler.calls == [[0]]


def test_waits_grow_to_a_cap_with_jitter_and_each_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    error = psycopg.OperationalError(CANARY)
    made = runner(Handler({0: [error] * 12}), longest_wait=5.0, first_wait=0.2)
    ticker = made._ticker
    moments: list[float] = []

    class Watched(Handler):
        def __call__(self, batch: Sequence[Message]) -> None:
            moments.append(ticker.monotonic())
            super().__call__(batch)

    made._handler = Watched({0: [error] * 12})
    made.handle(batch(1))
    waits = [after - before for before, after in pairwise(moments)]
    limits = [min(5.0, 0.2 * 2**number) for number in range(12)]
    assert all(limit * 0.5 <= wait <= limit * 1.001 for wait, limit in zip(waits, limits, strict=True))
    lines = [record.getMessage() for record in caplog.records if "trying again" in record.getMessage()]
    assert len(lines) == 12
    assert lines[0].startswith("g: PostgreSQL (OperationalError); trying again in ")
    assert CANARY not in caplog.text


def test_after_the_deadline_the_error_is_raised_and_nothing_is_set_aside() -> None:
    class Away(Handler):
        def __call__(self, batch: Sequence[Message]) -> None:
            raise Unavailable("service.unavailable", "PostgreSQL")

    box = Box()
    made = runner(Away(), box, deadline=60.0)
    with pytest.raises(Unavailable):
        made.handle(batch(2))
    assert 60 <= made._ticker.monotonic() < 90
    assert box.found == []


def test_wrong_settings_are_nobodys_dead_letter() -> None:
    box = Box()
    with pytest.raises(KallanError, match=r"settings\.invalid"):
        runner(Handler({0: [KallanError("settings.invalid", "master key")]}), box).handle(batch(1))
    assert box.found == []


def test_dead_letters_that_cannot_be_written_are_waited_for() -> None:
    handler, box = Handler({0: [Rejected("input.invalid")]}), Box(away=3)
    runner(handler, box).handle(batch(1))
    assert [code for _, _, code, _ in box.found] == ["input.invalid"]
    assert handler.calls == [[0]]


def test_a_wait_ends_at_once_when_the_process_is_asked_to_stop() -> None:
    made = runner(Handler({0: [Unavailable("service.unavailable")] * 9}), first_wait=100.0, longest_wait=100.0)
    ticker = made._ticker
    made.stopping = lambda: ticker.monotonic() > 3
    with pytest.raises(Stopped):
        made.handle(batch(1))
    assert ticker.monotonic() < 4


def test_log_lines_hold_no_key_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    faults: dict[int, list[Exception]] = {
        0: [Unavailable("service.unavailable", "PostgreSQL")],
        1: [Rejected("input.invalid", "x")],
    }
    runner(Handler(faults)).handle(batch(3))
    assert "t/0/1 set aside: input.invalid: x" in caplog.text
    assert CANARY not in caplog.text


def test_a_detail_is_kept_to_a_line_without_long_numbers() -> None:
    assert redact("claims[12].value\n19" + "0" * 10) == "claims[12].value [...]"
    assert redact("850101-" + "0000") == "[...]"
    assert redact("1048577 bytes, at most 1000000") == "1048577 bytes, at most 1000000"
    assert len(redact("x" * 999)) == 200
