"""Dead letters under operators who do the wrong thing, or two things at once: what somebody decided stays theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from streams.catalogue import MMD_PERSON, SOURCE_PERSON
from streams.consume import Runner
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.dead_letters import DeadLetter, DeadLetters, LetterState
from streams.envelope import Message
from tests.integration.hostile.conftest import Pool
from tests.integration.hostile.doors import Door


class Log:
    """What is still in the log, by offset."""

    def __init__(self, *messages: Message) -> None:
        self._held = {one.offset: one for one in messages}

    def __call__(self, topic: str, partition: int, offset: int) -> Message:
        if offset not in self._held:
            raise Rejected("resource.unknown", f"{topic}/{partition}/{offset}")
        return self._held[offset]


def letter_of(pool: Pool, door: Door, message: Message, group: str) -> DeadLetter:
    letters = DeadLetters(pool)
    Runner(door.handle, letters, group=group).handle([message])
    (found,) = [one for one in letters.list() if one.group == group]
    return found


def never(batch: Sequence[Message]) -> None:
    raise AssertionError("a closed letter was handled")


def test_a_letter_whose_record_is_gone_from_the_log_stays_open(every_door: Mapping[str, Door], pool: Pool) -> None:
    door = every_door[SOURCE_PERSON]
    letter = letter_of(pool, door, door.saying(5000, claims=7), "gone")
    with pytest.raises(Rejected, match=r"resource\.unknown"):
        DeadLetters(pool).retry(letter.id, "anna", Log(), door.handle)
    assert DeadLetters(pool).show(letter.id) == letter


def test_a_retry_that_is_refused_again_stays_open_with_the_newest_code(
    every_door: Mapping[str, Door], pool: Pool
) -> None:
    door = every_door[SOURCE_PERSON]
    bad = door.saying(5002, claims=7)
    letter = letter_of(pool, door, bad, "again")
    found = DeadLetters(pool).retry(letter.id, "anna", Log(replace(bad, value=b"")), door.handle)
    assert (found.state, found.code, found.attempts) == (LetterState.OPEN, "envelope.forged", 2)


def test_a_retry_of_what_is_obsolete_by_now_changes_nothing(every_door: Mapping[str, Door], pool: Pool) -> None:
    door = every_door[MMD_PERSON]
    old = door.good(5004)
    letter = letter_of(pool, door, replace(old, key="other"), "obsolete")
    door.handle([door.saying(5004, version={"epoch": 1, "number": 9})])
    found = DeadLetters(pool).retry(letter.id, "anna", Log(old), door.handle)
    assert found.state is LetterState.RETRIED
    with pool.connection() as connection:
        row = connection.execute("select number from iam.world_person where id = %s", [door.key_of(5004)]).fetchone()
    assert row == (9,)


def test_a_retry_while_a_server_is_away_changes_nothing(every_door: Mapping[str, Door], pool: Pool) -> None:
    door = every_door[SOURCE_PERSON]
    bad = door.saying(5006, claims=7)
    letter = letter_of(pool, door, bad, "away")

    def away(batch: Sequence[Message]) -> None:
        raise Unavailable("service.unavailable", "Kafka")

    with pytest.raises(Unavailable):
        DeadLetters(pool).retry(letter.id, "anna", Log(bad), away)
    assert DeadLetters(pool).show(letter.id) == letter


@pytest.mark.parametrize("first", ["discard", "retry"])
@pytest.mark.parametrize("second", ["discard", "retry"])
def test_a_letter_is_closed_once(every_door: Mapping[str, Door], pool: Pool, first: str, second: str) -> None:
    door, letters = every_door[SOURCE_PERSON], DeadLetters(pool)
    bad, good = door.saying(5010, claims=7), door.good(5010)
    letter = letter_of(pool, door, bad, f"{first}-{second}")
    log = Log(replace(good, offset=bad.offset))
    closed = (
        letters.discard(letter.id, "anna") if first == "discard" else letters.retry(letter.id, "anna", log, door.handle)
    )
    with pytest.raises(Rejected, match=r"letter\.closed"):
        letters.discard(letter.id, "bo") if second == "discard" else letters.retry(letter.id, "bo", log, never)
    assert letters.show(letter.id) == closed
    assert closed.closed_by == "anna"


def test_what_one_operator_decides_while_another_retries_stands(every_door: Mapping[str, Door], pool: Pool) -> None:
    door, letters = every_door[SOURCE_PERSON], DeadLetters(pool)
    bad, good = door.saying(5012, claims=7), door.good(5012)
    letter = letter_of(pool, door, bad, "two")
    handling, decided = Event(), Event()

    def slowly(batch: Sequence[Message]) -> None:
        handling.set()
        assert decided.wait(30)
        door.handle(batch)

    with ThreadPoolExecutor(1) as other:
        retried = other.submit(letters.retry, letter.id, "anna", Log(replace(good, offset=bad.offset)), slowly)
        assert handling.wait(30)
        letters.discard(letter.id, "bo")
        decided.set()
        found = retried.result(30)
    assert (found.state, found.closed_by) == (LetterState.DISCARDED, "bo")


@pytest.mark.parametrize("number", [0, -1, 10**9, 2**62])
def test_a_letter_that_there_is_not_is_told_so(pool: Pool, number: int) -> None:
    letters = DeadLetters(pool)
    for action in (
        letters.show,
        lambda one: letters.discard(one, "a"),
        lambda one: letters.retry(one, "a", Log(), never),
    ):
        with pytest.raises(KallanError, match=r"resource\.unknown"):
            action(number)
