"""What undesignated sources say, over a real store: shown while it differs, never kept, in any order of arrival."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

from streams.contracts.claims import Absent, Claim, Name, Protection, UnitName, unit_key

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

TODAY = dt.date(2026, 3, 2)


def named(given: str, family: str = "Ek", start: str = "2020-01-01") -> Claim:
    return Claim(Name(given, "", family, given), dt.date.fromisoformat(start))


def shown(master: Master) -> list[tuple[str, str, str]]:
    return [(one.attribute, one.source, one.source_key) for one in master.reader.conflicts(TODAY)]


def test_a_copy_of_the_register_name_is_not_shown_whichever_came_first(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bo = persons(1), persons(2)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    master.ingest([master.record(anna, "1", Name("ANNA", "", "Ek"), source="hr", key="E1")])
    master.ingest([master.record(bo, "1", Name("Bo", "", "Ek"), source="hr", key="E2")])
    assert shown(master) == [("name", "hr", "E2")]  # Navet has not spoken of this one
    master.ingest([master.record(bo, "1", Protection(), named("Bo"))])
    assert shown(master) == []


def test_a_copy_that_is_old_is_shown_until_it_is_mended(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Name("Anna", "", "Ek"), source="hr", key="E1")])
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    master.ingest([master.record(anna, "2", Protection(), named("Anna", "Lund", "2026-01-01"))])
    assert shown(master) == [("name", "hr", "E1")]
    master.ingest([master.record(anna, "2", Name("Anna", "", "Lund"), source="hr", key="E1")])
    assert shown(master) == []


def test_only_the_newest_saying_counts_in_every_order(
    new_master: Callable[..., Master], persons: Callable[[int], Someone]
) -> None:
    anna, bo = persons(1), persons(2)
    master = new_master()
    log = [
        master.record(anna, "1", named("Anna")),
        master.record(anna, "1", Name("Anka", "", "Ek"), source="hr", key="E1"),
        master.record(anna, "2", Name("Anja", "", "Ek"), source="hr", key="E1"),
        master.record(bo, "3", Name("Bosse", "", "Ek"), source="hr", key="E1"),  # the employment is somebody else's now
    ]
    for order in itertools.permutations(log):
        with master.pool.connection() as connection:
            connection.execute(b"truncate mmd.conflict, mmd.claim, mmd.head, mmd.document, mmd.dirty")
        for message in order:
            master.ingest([message])
        assert [one.person for one in master.reader.conflicts(TODAY)] == [bo.id]


def test_what_a_source_withdraws_is_no_conflict_any_more(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "2", Absent("name"), source="hr", key="E1")])
    master.ingest([master.record(anna, "1", Name("Anka", "", "Ek"), source="hr", key="E1")])
    assert shown(master) == []


def test_conflicts_are_read_page_by_page_newest_first(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    start = master.clock.now()
    log = [
        master.record(anna, "1", Name("Anka"), source="hr", key=f"E{n}", at=start + dt.timedelta(seconds=n // 2))
        for n in range(1203)
    ]
    master.ingest(log)
    found = master.reader.conflicts(TODAY, limit=5000)
    assert len({one.source_key for one in found}) == len(found) == 1203
    assert [one.logged_at for one in found] == sorted((one.logged_at for one in found), reverse=True)
    assert len(master.reader.conflicts(TODAY, limit=7)) == 7


def test_a_conflict_about_a_unit_is_shown_under_its_key(master: Master) -> None:
    unit = unit_key("kommun", "1")
    master.ingest([master.record(unit, "1", UnitName(()), source="hr", key="U1")])
    assert [(one.person, one.attribute) for one in master.reader.conflicts(TODAY)] == [(unit, "unit-name")]


def test_no_value_of_a_conflict_is_stored(master: Master, persons: Callable[[int], Someone]) -> None:
    master.ingest([master.record(persons(1), "1", Name("Ankalina", "", "Ekorrsson"), source="hr", key="E1")])
    stored = repr(master.rows("select * from mmd.conflict"))
    assert "nkalina" not in stored
    assert "korrsson" not in stored
