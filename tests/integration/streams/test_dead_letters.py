"""Dead letters in PostgreSQL: one row a pointer and group, redacted, discarded by a person or retried from the log."""

from collections.abc import Iterator, Sequence

import psycopg
import pytest

from streams.bus import MemoryBus
from streams.consume import Runner
from streams.contracts.errors import Rejected, Unavailable
from streams.database import open_pool
from streams.dead_letters import DeadLetters, LetterState
from streams.envelope import Message

CANARY = "Kanariefågel"


@pytest.fixture
def letters(database_url: str) -> Iterator[DeadLetters]:
    pool = open_pool(database_url)
    yield DeadLetters(pool)
    pool.close()


def message(offset: int = 5) -> Message:
    return Message("source.person.v1", f"key-{CANARY}", CANARY.encode(), {"ce_id": CANARY}, 3, offset)


def test_a_letter_holds_code_fields_and_pointer_and_nothing_of_the_record(
    letters: DeadLetters, database_url: str
) -> None:
    letters.add("ingest-bulk", message(), Rejected("input.invalid", "claims[0].body 1985" + "01010000"))
    (found,) = letters.list()
    assert (found.group, found.code, found.detail) == ("ingest-bulk", "input.invalid", "claims[0].body [...]")
    assert found.pointer == "source.person.v1/3/5"
    assert (found.state, found.attempts, found.closed_at) == (LetterState.OPEN, 1, None)
    assert found.first_seen.utcoffset() is not None
    with psycopg.connect(database_url) as connection:
        row = str(connection.execute("select * from streams.dead_letter").fetchall())
    assert CANARY not in row


def test_the_same_record_in_the_same_group_is_one_row(letters: DeadLetters) -> None:
    letters.add("g", message(), Rejected("input.invalid", "a"))
    letters.add("g", message(), Rejected("code.unknown", "b"))
    letters.add("h", message(), Rejected("code.unknown", "b"))
    found = {letter.group: letter for letter in letters.list()}
    assert len(letters.list()) == 2
    assert (found["g"].attempts, found["g"].code, found["g"].detail) == (2, "code.unknown", "b")
    assert found["g"].last_seen > found["g"].first_seen
    assert letters.open_by_code() == {"code.unknown": 2}


def test_a_discarded_letter_is_closed_by_somebody_and_stays_so(letters: DeadLetters) -> None:
    letters.add("g", message(), Rejected("input.invalid"))
    (open_letter,) = letters.list()
    closed = letters.discard(open_letter.id, "anna")
    assert (closed.state, closed.closed_by) == (LetterState.DISCARDED, "anna")
    assert closed.closed_at is not None
    letters.add("g", message(), Rejected("input.invalid"))
    assert letters.list() == []
    assert [letter.id for letter in letters.list(None)] == [open_letter.id]
    assert letters.show(open_letter.id).attempts == 2


def test_a_letter_that_does_not_exist_is_told_so(letters: DeadLetters) -> None:
    with pytest.raises(Rejected, match=r"resource\.unknown"):
        letters.show(99)
    with pytest.raises(Rejected, match=r"resource\.unknown"):
        letters.discard(99, "anna")


class Fixable:
    """A handler that refuses every record until it is mended."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.done: list[Message] = []

    def __call__(self, batch: Sequence[Message]) -> None:
        if self.error is not None:
            raise self.error
        self.done += batch


@pytest.fixture
def bus() -> MemoryBus:
    made = MemoryBus()
    for number in range(3):
        made.send(Message("t", "k", b"%d" % number))
    return made


def test_a_retry_reads_the_log_again_and_handles_the_record(letters: DeadLetters, bus: MemoryBus) -> None:
    handler = Fixable(Rejected("code.unknown", "x"))
    Runner(handler, letters, group="g").handle(bus.log("t"))
    letter = letters.list()[-1]

    def read_at(topic: str, partition: int, offset: int) -> Message:
        assert partition == 0
        return bus.log(topic)[offset]

    handler.error = ValueError("something else")
    still = letters.retry(letter.id, "anna", read_at, handler)
    assert (still.state, still.code, still.detail, still.attempts) == (
        LetterState.OPEN,
        "internal.unexpected",
        "ValueError",
        2,
    )
    handler.error = Unavailable("service.unavailable")
    with pytest.raises(Unavailable):
        letters.retry(letter.id, "anna", read_at, handler)
    assert letters.show(letter.id) == still
    handler.error = None
    done = letters.retry(letter.id, "anna", read_at, handler)
    assert (done.state, done.closed_by) == (LetterState.RETRIED, "anna")
    assert handler.done == [bus.log("t")[letter.offset]]
    assert len(letters.list()) == 2
    letters.add("g", bus.log("t")[letter.offset], Rejected("code.unknown"))
    opened = letters.show(letter.id)
    assert (opened.state, opened.closed_by, opened.closed_at) == (LetterState.OPEN, "", None)


def test_a_record_that_left_the_log_stays_open(letters: DeadLetters) -> None:
    letters.add("g", message(), Rejected("input.invalid"))

    def gone(topic: str, partition: int, offset: int) -> Message:
        raise Rejected("resource.unknown", "not in the log")

    (letter,) = letters.list()
    with pytest.raises(Rejected, match=r"resource\.unknown"):
        letters.retry(letter.id, "anna", gone, Fixable(ValueError()))
    assert letters.show(letter.id) == letter
