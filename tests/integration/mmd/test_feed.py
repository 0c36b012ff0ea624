"""The change feed: a notice only where this reader's answer changed, in a sequence of its own, and none is missed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from mmd.domain.release import Release
from mmd.store.feed import Change, Feed
from streams.clock import today
from streams.contracts.claims import Claim, Employment, Name, Protection, Segment, UnitName, UnitNode, UnitPeriod
from streams.contracts.errors import Rejected

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

UNIT = "unit:kommun:10"


def release(**given: Any) -> Release:
    return Release.from_data(
        {
            "reader": "reader",
            "purpose": {"sv": "Prov", "en": "Test"},
            "legal_basis": "test",
            "attributes": ["names", "personas"],
            "persona_types": "all",
            "units": "all",
            "valid_until": "2099-12-31",
        }
        | given
    )


def named(given: str) -> Claim:
    return Claim(Name(given, "", "Ek", given), dt.date(2020, 1, 1))


class Reading:
    """One reader that goes on from its cursor."""

    def __init__(self, master: Master, given: Release) -> None:
        self.feed = Feed(master.pool, master.keys, b"f" * 32)
        self.master = master
        self.release = given
        self.cursor = ""

    def more(self, limit: int = 100) -> list[Change]:
        page = self.feed.changes(self.release, self.cursor, limit, today(self.master.clock))
        self.cursor = page.cursor
        return list(page.changes)


def test_a_new_reader_hears_of_everything_it_may_know_and_then_of_changes(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bo = persons(1), persons(2)
    master.ingest([master.record(one, "1", Protection(), named("Anna")) for one in (anna, bo)])
    reader = Reading(master, release())
    assert {(one.id, one.change) for one in reader.more()} == {(anna.id, "person"), (bo.id, "person")}
    assert reader.more() == []
    master.ingest([master.record(anna, "2", named("Annika"))])
    assert reader.more() == [Change(anna.id, "person")]
    assert reader.more() == []


def test_a_document_that_cannot_be_opened_holds_up_nobody_elses_notice_and_is_told_of_when_it_can(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bo = persons(1), persons(2)
    master.ingest([master.record(one, "1", Protection(), named("Anna")) for one in (anna, bo)])
    reader = Reading(master, release())
    reader.more()
    master.ingest([master.record(anna, "2", named("Annika")), master.record(bo, "2", named("Bosse"))])
    (good,) = master.rows("select key_id from mmd.document where id = %s", anna.id)
    with master.pool.connection() as connection:
        connection.execute("update mmd.document set key_id = 'inner/lost/1' where id = %s", [anna.id])
    assert reader.more() == [Change(bo.id, "person")]
    assert reader.more() == []
    with master.pool.connection() as connection:
        connection.execute("update mmd.document set key_id = %s where id = %s", [*good, anna.id])
    assert reader.more() == [Change(anna.id, "person")]


def test_a_change_that_does_not_touch_the_answer_gives_no_notice_and_no_gap(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    names = Reading(master, release(attributes=["names"]))
    names.more()
    before = names.cursor
    employment = Employment("kommun", "E1", (Segment(dt.date(2026, 1, 1), None, UNIT),))
    master.ingest([master.record(anna, "1", employment, source="hr", key="E1")])
    assert names.more() == []
    assert names.cursor == before


def test_pages_go_on_where_the_last_one_ended(master: Master, persons: Callable[[int], Someone]) -> None:
    master.ingest([master.record(persons(n), "1", Protection(), named("Anna")) for n in range(7)])
    reader = Reading(master, release())
    pages = [reader.more(3) for _ in range(4)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert len({one.id for page in pages for one in page}) == 7


def test_a_person_that_leaves_the_release_is_gone_once(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    reader = Reading(master, release(marked="nothing"))
    assert len(reader.more()) == 1
    master.ingest([master.record(anna, "2", Protection(sekretessmarkering=True))])
    assert reader.more() == [Change(anna.id, "gone")]
    master.ingest([master.record(anna, "3", named("Annika"))])
    assert reader.more() == []


def test_whom_a_reader_was_never_told_of_leaves_no_trace(master: Master, persons: Callable[[int], Someone]) -> None:
    master.ingest([master.record(persons(1), "1", Protection(sekretessmarkering=True))])
    reader = Reading(master, release(marked="nothing"))
    assert reader.more() == []


def test_a_number_change_is_a_redirect_for_those_who_knew_the_old_id(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    old, new = persons(1), persons(2)
    master.ingest([master.record(new, "1", Protection(), named("Anna"))])
    reader = Reading(master, release())
    reader.more()
    master.ingest([master.record(new, "2", new.refers(old))])
    assert sorted(reader.more(), key=lambda one: one.change) == [
        Change(old.id, "person"),
        Change(new.id, "redirect", old.id),
    ]
    late = Reading(master, release(reader="late"))
    assert late.more() == [Change(old.id, "person")]


def test_units_are_in_the_feed(master: Master) -> None:
    node = UnitNode((UnitPeriod(dt.date(2020, 1, 1)),))
    master.ingest([master.record(UNIT, "1", node, UnitName(), source="org")])
    assert Reading(master, release()).more() == [Change(UNIT, "unit")]
    assert Reading(master, release(reader="other", units=["unit:kommun:11"])).more() == []


def test_an_amended_release_is_looked_at_again(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    reader = Reading(master, release(attributes=["personas"]))
    assert len(reader.more()) == 1
    reader.release = release(attributes=["personas", "names"])
    assert reader.more() == [Change(anna.id, "person")]


def test_a_document_that_commits_late_is_not_passed_by(master: Master, persons: Callable[[int], Someone]) -> None:
    """A transaction that began before the reader looked and ends after it: a serial would have passed it."""
    anna, bo = persons(1), persons(2)
    master.ingest([master.record(one, "1", Protection(), named("Anna")) for one in (anna, bo)])
    reader = Reading(master, release())
    reader.more()
    with psycopg.connect(master.url) as slow:
        slow.execute(
            "update mmd.document set number = number + 1, touched = pg_current_xact_id() where id = %s", [anna.id]
        )
        slow.execute("update mmd.feed set hash = 'before' where document = %s", [anna.id])
        master.ingest([master.record(bo, "2", named("Bosse"))])
        assert [one.id for one in reader.more()] == [bo.id]
        slow.commit()
    assert [one.id for one in reader.more()] == [anna.id]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "åäö", "=" * 40])
def test_a_cursor_that_was_not_given_is_refused(master: Master, cursor: str) -> None:
    feed = Feed(master.pool, master.keys, b"f" * 32)
    with pytest.raises(Rejected, match="cursor.invalid"):
        feed.changes(release(), cursor, 10, today(master.clock))


def test_a_cursor_of_another_release_is_refused(master: Master) -> None:
    feed = Feed(master.pool, master.keys, b"f" * 32)
    given = feed.changes(release(), "", 10, today(master.clock)).cursor
    with pytest.raises(Rejected, match="cursor.invalid"):
        feed.changes(release(reader="other"), given, 10, today(master.clock))
