"""Persons nobody has spoken of before are derived from the batch alone (decision 0250): what must not count, does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from streams.contracts.claims import Employment, Protection, Segment
from streams.contracts.documents import PersonDocument, Redirect
from streams.hashing import id_subject

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

HIRED = Employment("kommun", "E1", (Segment(dt.date(2026, 1, 1)),))


def employments(master: Master, who: Someone) -> list[str]:
    found = master.reader.person(who.id)
    assert isinstance(found, PersonDocument)
    return [persona.source_id for persona in found.personas]


@pytest.mark.parametrize("swapped", [False, True])
def test_an_employment_that_one_batch_gives_to_two_new_persons_is_with_the_newer_word(
    master: Master, persons: Callable[[int], Someone], swapped: bool
) -> None:
    anna, bo = persons(1), persons(2)
    batch = [
        master.record(who, version, Protection(), HIRED, source="hr", key="E1")
        for who, version in ((anna, "1"), (bo, "2"))
    ]
    master.ingest(batch[::-1] if swapped else batch)
    assert (employments(master, anna), employments(master, bo)) == ([], ["E1"])


def test_a_new_person_gets_nothing_by_an_older_word_than_the_stored_one(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bo = persons(1), persons(2)
    master.ingest([master.record(anna, "2", Protection(), HIRED, source="hr", key="E1")])
    master.ingest([master.record(bo, "1", Protection(), HIRED, source="hr", key="E1")])
    assert (employments(master, anna), employments(master, bo)) == (["E1"], [])


def test_a_new_person_who_is_named_by_number_and_by_id_in_one_batch_is_one(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    raised = master.record(id_subject(anna.id), "1", Protection(True), source="gossip", topic="source.person.v1")
    master.ingest([raised, master.record(anna, "1", HIRED, source="hr", key="E1")])
    found = master.reader.person(anna.id)
    assert isinstance(found, PersonDocument)
    assert (found.restricted, len(found.personas)) == (True, 1)
    assert master.reader.counts()["persons"] == 1


def test_two_new_persons_that_one_batch_joins_are_one(master: Master, persons: Callable[[int], Someone]) -> None:
    old, new = persons(1), persons(2)
    master.ingest(
        [
            master.record(old, "1", Protection(), old.refers(new, superseded=True)),
            master.record(new, "1", Protection(True)),
            master.record(new, "1", HIRED, source="hr", key="E1"),
        ]
    )
    found = master.reader.person(old.id)
    assert isinstance(found, PersonDocument)
    assert (found.aliases, found.restricted, len(found.personas)) == ((new.id,), True, 1)
    assert master.reader.person(new.id) == Redirect(new.id, old.id)
