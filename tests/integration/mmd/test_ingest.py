"""What the ingest transaction does with records: stories on a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from streams.contracts.claims import (
    AccountFacts,
    Claim,
    Employment,
    Marking,
    Name,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Segment,
    UnitName,
    UnitNode,
    UnitPeriod,
    unit_key,
)
from streams.contracts.documents import PersonDocument, Redirect
from streams.contracts.errors import Rejected

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

UNIT = unit_key("kommun", "10")
TODAY = dt.date(2026, 3, 2)


def employment(number: str = "E1", *, manager: str = "", unit: str = UNIT, start: str = "2026-01-01") -> Employment:
    segment = Segment(dt.date.fromisoformat(start), unit=unit, title="lärare", manager=manager)
    return Employment("kommun", number, (segment,))


def named(given: str, family: str = "Ek", start: str = "2020-01-01") -> Claim:
    return Claim(Name(given, "", family, given), dt.date.fromisoformat(start))


def person(master: Master, who: Someone) -> PersonDocument:
    found = master.reader.person(who.id)
    if isinstance(found, Redirect):
        found = master.reader.person(found.to)
    assert isinstance(found, PersonDocument)
    return found


def test_a_post_and_an_employment_become_one_person(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    master.ingest([master.record(anna, "1", employment(), source="hr", key="E1")])
    found = person(master, anna)
    assert found.id == anna.id
    assert found.marking is Marking.NONE
    assert [one.given for one in found.names] == ["Anna"]
    assert [one.source_id for one in found.personas] == ["E1"]
    assert master.rows("select lane, number from mmd.dirty") == [("bulk", 2)]


def test_the_same_batch_twice_changes_nothing(master: Master, persons: Callable[[int], Someone]) -> None:
    batch = [master.record(persons(n), "1", Protection(), named("Anna")) for n in range(3)]
    master.ingest(batch)
    before = master.rows("select id, number, shown from mmd.document order by id")
    master.ingest(batch)
    master.ingest([*batch, *batch])
    assert master.rows("select id, number, shown from mmd.document order by id") == before


def test_the_same_content_in_a_new_event_makes_no_new_version(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    for _ in range(3):
        master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    assert master.rows("select number from mmd.document") == [(1,)]


def test_an_earlier_logging_that_arrives_late_is_the_one_that_is_shown(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    early = master.clock.now() - dt.timedelta(days=3)
    master.ingest([master.record(anna, "1", named("Anna"))])
    master.ingest([master.record(anna, "1", named("Anna"), at=early)])
    assert person(master, anna).names[0].stamp.logged_at == early


def test_a_value_of_a_source_that_is_not_designated_is_a_conflict_and_not_kept(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    master.ingest([master.record(anna, "1", named("Anka"), source="hr", key="E1")])
    assert [one.given for one in person(master, anna).names] == ["Anna"]
    found = master.reader.conflicts(TODAY, anna.id)
    assert [(one.person, one.attribute, one.source, one.source_key) for one in found] == [(anna.id, "name", "hr", "E1")]
    assert master.rows("select count(*) from mmd.claim where source = 'hr'") == [(0,)]


def test_any_source_may_raise_a_marking(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    master.ingest([master.record(anna, "1", Protection(sekretessmarkering=True), source="hr", key="E1")])
    assert person(master, anna).marking is Marking.SEKRETESSMARKERING
    assert master.rows("select lane, raised from mmd.dirty join mmd.document on id = document") == [("urgent", True)]


def test_of_a_record_without_a_stamp_only_the_protection_claim_is_used(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    with pytest.raises(Rejected, match="stamp.missing"):
        master.ingest([master.record(anna, "", Protection(skyddad_folkbokforing=True), named("Anna"))])
    found = person(master, anna)
    assert found.marking is Marking.SKYDDAD_FOLKBOKFORING
    assert found.names == ()


def test_the_protection_claim_of_a_rejected_post_stands(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    wrong = Employment("kommun", "E1", (Segment(dt.date(2026, 2, 1), dt.date(2026, 1, 1), UNIT),))
    with pytest.raises(Rejected, match="input.end-before-start"):
        master.ingest([master.record(anna, "1", Protection(sekretessmarkering=True), wrong, source="hr", key="E1")])
    found = person(master, anna)
    assert found.marking is Marking.SEKRETESSMARKERING
    assert found.personas == ()


def test_one_bad_record_does_not_keep_the_others_of_its_batch_out(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    bad = master.record(persons(1), "", named("Anna"))
    with pytest.raises(Rejected, match="stamp.missing"):
        master.ingest([bad, master.record(persons(2), "1", named("Bo"))])
    assert [one.given for one in person(master, persons(2)).names] == ["Bo"]


def test_a_number_change_joins_the_persons_and_redirects_the_newer_id(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    old, new = persons(1), persons(2)
    master.ingest([master.record(old, "1", Protection(), named("Anna"))])
    master.ingest([master.record(new, "2", Protection(), named("Anna", "Berg", "2026-02-01"))])
    assert isinstance(master.reader.person(new.id), PersonDocument)
    master.ingest([master.record(new, "3", new.refers(old))])
    found = person(master, new)
    assert found.id == old.id
    assert found.aliases == (new.id,)
    assert [(entry.value, entry.current) for entry in found.numbers] == [
        (old.identifier.value, False),
        (new.identifier.value, True),
    ]
    assert [name.family for name in found.names] == ["Ek", "Berg"]
    assert master.reader.person(new.id) == Redirect(new.id, old.id)
    assert master.reader.person_id_of_subject(new.subject) == old.id
    assert {row[0] for row in master.rows("select document from mmd.dirty")} == {old.id, new.id}


def test_employment_under_the_old_number_stays_with_the_person(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    old, new = persons(1), persons(2)
    master.ingest([master.record(new, "2", Protection(), new.refers(old), named("Anna"))])
    master.ingest([master.record(old, "1", employment(), source="hr", key="E1")])
    found = person(master, new)
    assert found.id == old.id
    assert [one.source_id for one in found.personas] == ["E1"]


def test_a_later_reference_does_not_erase_an_earlier_one(master: Master, persons: Callable[[int], Someone]) -> None:
    first, second, third = persons(1), persons(2), persons(3)
    master.ingest([master.record(third, "1", third.refers(second))])
    master.ingest([master.record(third, "2", third.refers(first))])
    master.ingest([master.record(first, "3", first.refers(second, superseded=True))])
    found = person(master, third)
    assert found.id == first.id
    assert set(found.aliases) == {second.id, third.id}
    for alias in (second, third):
        assert master.reader.person(alias.id) == Redirect(alias.id, first.id)


def test_a_cycle_of_references_is_quarantined(master: Master, persons: Callable[[int], Someone]) -> None:
    a, b = persons(1), persons(2)
    master.ingest([master.record(a, "1", a.refers(b, superseded=True))])
    master.ingest([master.record(b, "1", b.refers(a, superseded=True))])
    assert person(master, a).quarantined == "number.cycle"


def test_an_employment_moves_to_another_person_and_back(master: Master, persons: Callable[[int], Someone]) -> None:
    anna, bo = persons(1), persons(2)
    holders = []
    for version, holder in (("1", anna), ("2", bo), ("3", anna)):
        master.ingest([master.record(holder, version, employment(), source="hr", key="E1")])
        holders.append(
            [
                one.id
                for one in (anna, bo)
                if isinstance(d := master.reader.person(one.id), PersonDocument) and d.personas
            ]
        )
    assert holders == [[anna.id], [bo.id], [anna.id]]


def test_account_facts_reach_the_person_by_id_before_and_after_a_number_change(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    old, new = persons(1), persons(2)
    facts = AccountFacts("account-1", ("employment:kommun:E1",), "abc123")
    master.ingest([master.account(new.id, "1", facts)])
    master.ingest([master.record(new, "1", employment(), source="hr", key="E1")])
    assert [one.uid for one in person(master, new).personas[0].accounts] == ["abc123"]
    master.ingest([master.record(new, "2", new.refers(old))])
    found = person(master, old)
    assert [one.uid for one in found.personas[0].accounts] == ["abc123"]
    assert master.reader.person_id_of_subject(f"id:{new.id}") == old.id


def test_units_are_documents_in_clear_and_known_before_they_exist(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", employment(), source="hr", key="E1")])
    assert master.reader.unit(UNIT) is None
    assert master.reader.referrers(UNIT) == [anna.id]
    node = UnitNode((UnitPeriod(dt.date(2020, 1, 1)),))
    master.ingest([master.record(UNIT, "1", node, UnitName(), source="org", topic="source.organisation.v1")])
    assert [one.id for one in master.reader.units()] == [UNIT]
    assert master.rows("select fan_out from mmd.dirty where document = %s", UNIT) == [(True,)]


def test_references_that_are_gone_are_forgotten(master: Master, persons: Callable[[int], Someone]) -> None:
    anna, chief = persons(1), persons(2)
    master.ingest([master.record(anna, "1", employment(manager=chief.subject), source="hr", key="E1")])
    assert master.reader.referrers(chief.id) == [anna.id]
    other = unit_key("kommun", "11")
    master.ingest([master.record(anna, "2", employment(unit=other), source="hr", key="E1")])
    assert master.reader.referrers(chief.id) == []
    assert master.reader.referrers(UNIT) == []
    assert master.reader.referrers(other) == [anna.id]


def test_a_record_about_someone_erased_is_kept_aside(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    message = master.record(anna, "1", named("Anna"))
    master.keys.erase({anna.subject})
    master.ingest([message])
    assert master.rows("select subject, reason, part from mmd.kept_aside") == [(anna.subject, "erased", 0)]
    assert master.reader.person(anna.id) is None


def test_nothing_of_a_person_is_in_clear_at_rest(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    address = Claim(RegisteredAddress(PostalAddress(street="Kanariegatan 7"), "0180"), dt.date(2020, 1, 1))
    master.ingest([master.record(anna, "1", Protection(), named("Kanariefågel"), address)])
    master.ingest([master.record(anna, "2", named("Kanariefågel"), source="hr", key="E1")])
    tables = [row[0] for row in master.rows("select tablename from pg_tables where schemaname = 'mmd'")]
    for table in tables:
        content = str(master.rows(f"select t::text from mmd.{table} t"))
        for canary in ("Kanarie", anna.identifier.value, b"Kanarie".hex()):
            assert canary not in content, table


def test_what_was_known_earlier_can_be_read_again(master: Master, persons: Callable[[int], Someone]) -> None:
    anna, bo = persons(1), persons(2)
    first = master.clock.now()
    master.ingest([master.record(anna, "1", named("Anna")), master.record(bo, "1", named("Bo"))])
    master.ingest([master.record(anna, "1", employment(), source="hr", key="E1")])
    master.clock.instant += dt.timedelta(days=1)
    master.ingest([master.record(bo, "2", employment(), source="hr", key="E1")])
    master.ingest([master.record(anna, "2", named("Annika", start="2026-03-01"))])
    master.clock.instant += dt.timedelta(days=1)
    master.ingest([master.record(bo, "2", bo.refers(anna))])
    then = master.reader.as_known(anna.id, first, master.register)
    assert then is not None
    assert [one.given for one in then.names] == ["Anna"]
    assert [one.source_id for one in then.personas] == ["E1"]
    assert then.aliases == ()
    other = master.reader.as_known(bo.id, first, master.register)
    assert other is not None
    assert other.personas == ()
    now = master.reader.as_known(anna.id, master.clock.now(), master.register)
    assert now == master.reader.person(anna.id)
    assert master.reader.as_known(anna.id, first - dt.timedelta(seconds=1), master.register) is None
