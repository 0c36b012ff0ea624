"""Whatever a good record is changed into, it is taken in or refused with a code; what was taken in harms nobody."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given

from streams.consume import Runner
from streams.contracts.errors import TEXTS
from streams.dead_letters import DeadLetters
from tests.integration.hostile.conftest import Pool, taken_in
from tests.integration.hostile.doors import CONSUMED, Door
from tests.unit.hostile.mutations import EVERY_RUN, bytewise, encoded, fieldwise, run

numbers = itertools.count(6000)
CHANGED = 5999


@pytest.mark.parametrize("topic", CONSUMED)
def test_a_record_of_changed_content_is_taken_in_or_a_dead_letter(
    topic: str, every_door: Mapping[str, Door], pool: Pool
) -> None:
    """No letter says that something unexpected happened, and the person or unit of the record can still be written."""
    door, letters = every_door[topic], DeadLetters(pool)
    group = f"fuzz-{topic}"
    runner = Runner(door.handle, letters, group=group)
    content: Any = door.content(CHANGED)

    @EVERY_RUN
    @given(fieldwise(content).map(encoded) | bytewise(msgspec.json.encode(content)))
    def check(plain: bytes) -> None:
        runner.handle([door.raw(CHANGED, plain)])

    run(check)
    codes = {one.code for one in letters.list(most=100_000) if one.group == group}
    assert codes <= TEXTS.keys() - {"internal.unexpected"}
    number = next(numbers)
    runner.handle([door.good(CHANGED), door.good(number)])
    assert taken_in(pool, door, number)
