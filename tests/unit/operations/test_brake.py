"""The brake on dead letters: a defect of ours stops itself, a bad source stops nobody else, and nothing is lost."""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.brake import Brake, Flow
from streams.consume import Runner
from streams.contracts.errors import KallanError, Rejected
from streams.contracts.testnumbers import test_number as published_number
from streams.envelope import Message
from streams.metrics import Meter
from streams.progress import Progress

GROUP, TOPIC = "ingest-bulk", "source.employment.v1"
HR = Flow(TOPIC, "hr")
NUMBER = published_number(dt.date(1985, 3, 2), "female")


class Kept:
    """What `streams.brake` would hold, over the lives of workers."""

    def __init__(self) -> None:
        self.rows: dict[Flow, str] = {}
        self.away = 0

    def read(self, group: str) -> Mapping[Flow, str]:
        self._answer()
        return dict(self.rows)

    def hold(self, group: str, flow: Flow, code: str, failures: int) -> None:
        self._answer()
        self.rows[flow] = code

    def release(self, group: str, flow: Flow) -> None:
        self.rows.pop(flow, None)

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise psycopg.OperationalError("away")


class Box:
    def __init__(self) -> None:
        self.letters: dict[str, str] = {}

    def add(self, group: str, message: Message, error: KallanError) -> None:
        self.letters[message.pointer] = error.code


class NoWait:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def message(offset: int, source: str = "hr", *, good: bool = True, partition: int = 0, topic: str = TOPIC) -> Message:
    value = b"good" if good else b"bad"
    return Message(topic, "k", value, {"ce_source": f"urn:kallan:source:{source}"}, partition, offset)


@dataclass
class Life:
    """One process: a runner with a new brake over what is kept. `broken`: the program refuses everything."""

    kept: Kept
    box: Box
    broken: bool = False
    failures: int = 5
    handled: list[str] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.brake = Brake(GROUP, self.kept, self.failures)
        self.runner = Runner(
            self._handle,
            self.box,
            NoWait(),
            group=GROUP,
            brake=self.brake,
            meter=self.meter,
            progress=self.progress,
        )

    def _handle(self, batch: Sequence[Message]) -> None:
        if self.broken or any(one.value == b"bad" for one in batch):
            raise Rejected("code.unknown", "claims[0]")
        self.handled += [one.pointer for one in batch]

    def reads(self, batch: Iterable[Message]) -> list[int]:
        """The offsets that are left in the log."""
        return [one.offset for one in self.runner.handle(list(batch))]


def test_without_a_success_between_them_no_more_than_so_many_records_become_dead_letters() -> None:
    kept, box = Kept(), Box()
    life = Life(kept, box, broken=True)
    assert life.reads(message(n) for n in range(20)) == list(range(5, 20))
    assert life.reads(message(n) for n in range(20, 30)) == list(range(20, 30))
    assert len(box.letters) == 5
    assert kept.rows == {HR: "code.unknown"}
    assert life.brake.held == {HR}


def test_bad_records_among_good_ones_are_ordinary() -> None:
    life = Life(Kept(), Box())
    for start in range(0, 60, 6):
        assert life.reads(message(start + n, good=n >= 4) for n in range(6)) == []
    assert len(life.box.letters) == 40


def test_a_source_of_rubbish_stops_nobody_else_in_its_topic() -> None:
    life = Life(Kept(), Box())
    left = life.reads(message(n, "hr" if n % 2 else "navet", good=n % 2 == 0) for n in range(40))
    assert left == [n for n in range(40) if n % 2][5:]
    assert len(life.handled) == 20
    assert life.reads([message(40, "navet")]) == []


def test_the_same_source_goes_on_in_another_topic() -> None:
    life = Life(Kept(), Box())
    life.reads(message(n, good=False) for n in range(9))
    assert life.reads([message(0, topic="source.urgent.v1")]) == []


def test_after_a_restart_one_batch_is_tried_and_leaves_no_letter_if_nothing_is_accepted() -> None:
    kept, box = Kept(), Box()
    Life(kept, box, broken=True).reads(message(n) for n in range(9))
    for _ in range(3):
        again = Life(kept, box, broken=True)
        assert again.reads(message(n) for n in range(5, 9)) == [5, 6, 7, 8]
        assert again.reads([message(9)]) == [9]
    assert len(box.letters) == 5


def test_after_a_mend_and_a_restart_everything_goes_on_by_itself() -> None:
    kept, box = Kept(), Box()
    Life(kept, box, broken=True).reads(message(n) for n in range(9))
    mended = Life(kept, box)
    assert mended.reads(message(n) for n in range(5, 9)) == []
    assert mended.handled == [f"{TOPIC}/0/{n}" for n in range(5, 9)]
    assert kept.rows == {}
    assert mended.brake.held == frozenset()


def test_bad_records_at_the_head_of_what_was_held_do_not_hold_it_for_ever() -> None:
    kept, box = Kept(), Box()
    Life(kept, box, broken=True).reads(message(n) for n in range(9))
    mended = Life(kept, box)
    assert mended.reads(message(n, good=n > 7) for n in range(5, 9)) == []
    assert sorted(box.letters) == [f"{TOPIC}/0/{n}" for n in range(8)]
    assert mended.handled == [f"{TOPIC}/0/8"]


def test_switched_off_it_holds_nothing_and_lets_go_what_was_held() -> None:
    kept, box = Kept(), Box()
    Life(kept, box, broken=True).reads(message(n) for n in range(9))
    off = Life(kept, box, broken=True, failures=0)
    assert off.reads(message(n) for n in range(5, 99)) == []
    assert len(box.letters) == 99
    assert kept.rows == {}


def test_a_database_that_is_away_when_the_brake_is_asked_is_waited_for() -> None:
    kept, box = Kept(), Box()
    kept.away = 3
    life = Life(kept, box, broken=True)
    life.reads(message(n) for n in range(4))
    kept.away = 2
    assert life.reads(message(n) for n in range(4, 9)) == [5, 6, 7, 8]
    assert kept.rows == {HR: "code.unknown"}


@pytest.mark.parametrize("source", ["", "urn:kallan:source:Hedda Ek", f"urn:kallan:source:{NUMBER}", "x" * 500])
def test_what_a_forged_envelope_says_of_its_source_is_not_repeated(
    source: str, caplog: pytest.LogCaptureFixture
) -> None:
    forged = Message(TOPIC, "k", b"bad", {"ce_source": source}, 0, 0)
    assert Flow.of(forged) == Flow(TOPIC, "other")
    caplog.set_level(logging.DEBUG)
    life = Life(Kept(), Box(), failures=1)
    life.runner.handle([forged])
    assert "nothing that other says in source.employment.v1" in caplog.text
    assert not source or source not in caplog.text


def test_what_became_of_records_is_counted_by_topic_and_only_what_was_done_moves() -> None:
    life = Life(Kept(), Box())
    life.reads([message(0), message(1)])
    life.reads(message(n, good=False) for n in range(2, 12))
    counts = {
        fate: life.meter.value("kallan_records_total", topic=TOPIC, fate=fate)
        for fate in ("handled", "rejected", "left")
    }
    assert counts == {"handled": 2, "rejected": 5, "left": 5}
    assert life.progress.total == 7
    life.reads([message(12)])
    assert life.progress.total == 7


def test_the_stop_is_told_once_with_its_code(caplog: pytest.LogCaptureFixture) -> None:
    life = Life(Kept(), Box(), broken=True)
    for start in range(0, 40, 10):
        life.reads(message(n) for n in range(start, start + 10))
    codes = [getattr(record, "code", "") for record in caplog.records if record.levelno == logging.ERROR]
    assert codes == ["worker.braked"]


Record = tuple[str, bool]


@given(
    st.lists(st.tuples(st.sampled_from(["hr", "navet", "organisation"]), st.booleans()), max_size=80),
    st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.integers(1, 9)), max_size=8),
    st.integers(1, 6),
)
def test_whatever_breaks_and_whenever_it_is_restarted_nothing_is_lost(
    records: list[Record], lives: list[tuple[bool, int, int]], failures: int
) -> None:
    """Two partitions; each life reads from what was committed, commits as the worker does, and ends after some batches. At
    the last the program is mended and whoever looks after it lets go of what is rubbish."""
    kept, box, handled = Kept(), Box(), set[str]()
    logs = {
        part: [
            message(offset, source, good=good, partition=part) for offset, (source, good) in enumerate(records[part::2])
        ]
        for part in (0, 1)
    }
    committed = {0: 0, 1: 0}
    for broken, batches, size in [*lives, (False, 999, 7), (False, 999, 7)]:
        life = Life(kept, box, broken=broken, failures=failures)
        read, barrier = dict(committed), dict[int, int]()
        before = len(box.letters)
        for _ in range(batches):
            batch = [one for part in (0, 1) for one in logs[part][read[part] : read[part] + size]]
            if not batch:
                break
            for one in life.runner.handle(batch):
                barrier[one.partition] = min(one.offset, barrier.get(one.partition, one.offset))
            for one in batch:
                read[one.partition] = max(read[one.partition], one.offset + 1)
            for part in (0, 1):
                committed[part] = min(read[part], barrier.get(part, read[part]))
            for part in (0, 1):  # what is committed is done, or in the table
                done = {one.pointer for one in logs[part][: committed[part]]}
                assert done <= handled | set(life.handled) | set(box.letters)
        handled |= set(life.handled)
        if broken:
            assert len(box.letters) - before <= failures * 3
    off = Life(kept, box, failures=0)
    off.runner.handle([one for part in (0, 1) for one in logs[part][committed[part] :]])
    handled |= set(off.handled)
    for log in logs.values():
        for one in log:
            assert one.pointer in handled or one.pointer in box.letters
