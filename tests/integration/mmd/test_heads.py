"""Heads: what a source says of one thing is true of one subject at a time, whoever is told of in one batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from streams.contracts.claims import Employment, Segment
from streams.contracts.documents import PersonDocument
from streams.envelope import Message

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone


WORK = Employment("kommun", "E1", (Segment(dt.date(2024, 1, 1), None, "unit:kallan/a"),))


def told(master: Master, one: Someone, version: str) -> Message:
    return master.record(one, version, WORK, source="hr", key="E1")


def employed(master: Master, one: Someone) -> bool:
    found = master.reader.person(one.id)
    return isinstance(found, PersonDocument) and bool(found.personas)


def test_a_batch_that_tells_of_both_takes_an_employment_from_the_one_who_had_it(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    first, second = persons(0), persons(1)
    master.ingest([told(master, first, "1")])
    master.ingest([told(master, first, "2"), told(master, second, "3")])
    assert not employed(master, first)
    assert employed(master, second)
    master.ingest([told(master, second, "4"), told(master, first, "5")])
    assert employed(master, first)
    assert not employed(master, second)
    master.ingest([told(master, first, "5"), told(master, second, "6")])
    assert not employed(master, first), "of the first the batch tells nothing new"
    assert employed(master, second)


def test_who_had_an_employment_before_it_was_moved_is_known_of_both(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    first, second, third = persons(0), persons(1), persons(2)
    moments = []
    for one, version in ((first, "1"), (second, "3"), (third, "2")):
        master.clock.instant += dt.timedelta(hours=1)
        master.ingest([told(master, one, version)])
        moments.append(master.clock.now())

    def known(one: Someone, at: dt.datetime) -> bool:
        found = master.reader.as_known(one.id, at, master.register)
        return found is not None and bool(found.personas)

    assert [known(first, at) for at in moments] == [True, False, False]
    assert [known(second, at) for at in moments] == [False, True, True]
    assert [known(third, at) for at in moments] == [False, False, False]
    shared = master.rows("select count(distinct head), count(*) from mmd.shared_head")
    assert shared == [(1, 3)]


def test_what_one_subject_alone_was_told_of_shares_no_head(master: Master, persons: Callable[[int], Someone]) -> None:
    master.ingest([told(master, persons(0), "1")])
    master.ingest([told(master, persons(0), "2"), told(master, persons(0), "1")])
    assert master.rows("select count(*) from mmd.shared_head") == [(0,)]
