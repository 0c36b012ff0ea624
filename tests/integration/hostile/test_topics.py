"""A bad record in any topic becomes a dead letter with a code, and the good one behind it in its partition goes through."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping

import pytest

from streams.consume import Runner
from streams.contracts.errors import TEXTS
from streams.dead_letters import DeadLetters
from tests.integration.hostile.bad_records import CONTENTS, DOCUMENTS, ENVELOPES, NUMBER, RECORDS, SEALS, BadRecord
from tests.integration.hostile.conftest import Pool, taken_in
from tests.integration.hostile.doors import CONSUMED, IN_CLEAR, Door
from tests.unit.hostile.case import CANARY

numbers = itertools.count(100, 4)


def _cases() -> list[tuple[str, BadRecord]]:
    found: list[tuple[str, BadRecord]] = []
    for topic in CONSUMED:
        of_kind = RECORDS if topic.startswith("source") else DOCUMENTS
        seals = () if topic in IN_CLEAR else SEALS
        found += [(topic, one) for one in (*ENVELOPES, *CONTENTS, *seals, *of_kind)]
    return found


@pytest.mark.parametrize(("topic", "bad"), [pytest.param(*one, id=f"{one[0]}-{one[1]}") for one in _cases()])
def test_a_bad_record_is_a_dead_letter_and_stops_nobody(
    topic: str, bad: BadRecord, every_door: Mapping[str, Door], pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    door, letters, number = every_door[topic], DeadLetters(pool), next(numbers)
    runner = Runner(door.handle, letters, group=f"g{number}-{topic}")
    runner.handle([bad.make(door, number), door.good(number + 2)])
    assert taken_in(pool, door, number + 2)
    found = [one for one in letters.list() if one.group == runner.group]
    assert [one.code for one in found] in [[code] if code else [] for code in bad.code.split("|")]
    assert all(TEXTS[one.code].sv and TEXTS[one.code].en for one in found)
    for text in (CANARY, NUMBER, CANARY.encode().hex()):
        assert text not in caplog.text
        assert text not in str(found)


@pytest.mark.parametrize("topic", CONSUMED)
def test_a_good_record_is_no_dead_letter(topic: str, every_door: Mapping[str, Door], pool: Pool) -> None:
    door, number = every_door[topic], next(numbers)
    Runner(door.handle, DeadLetters(pool), group=f"good-{topic}").handle([door.good(number)])
    assert taken_in(pool, door, number)
    assert not [one for one in DeadLetters(pool).list() if one.group == f"good-{topic}"]
