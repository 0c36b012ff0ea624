"""Merge, split and lift through the real ingest transaction, the relay and the reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mmd.domain.claims import claim_key
from mmd.ingest.prepare import Preparer
from streams.contracts.claims import (
    Claim,
    Custody,
    Lift,
    Marking,
    Merge,
    Name,
    Protection,
    RegisteredAddress,
    Relation,
    Split,
)
from streams.contracts.claims import PostalAddress as Address
from streams.contracts.documents import PersonDocument, Redirect
from streams.contracts.errors import Rejected
from streams.envelope import Message

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

SINCE = dt.date(2020, 1, 1)
BOTH = ("a decision", "anna", "bertil")


def post(master: Master, one: Someone, given: str, version: str = "1", protection: Protection | None = None) -> Message:
    home = Claim(RegisteredAddress(Address(street=f"{given}gatan 1")), SINCE)
    name = Claim(Name(given, "", "Ek", given), SINCE)
    return master.record(one, version, protection or Protection(), name, home)


def merge(master: Master, gone: Someone, stays: Someone, name: str = "m1", version: str = "1") -> Message:
    return master.record(gone.subject, version, Merge(stays.subject, *BOTH), source="ruling", key=name)


def split(master: Master, gone: Someone, name: str = "m1") -> Message:
    return master.record(gone.subject, "2", Split((name,), *BOTH), source="ruling", key="s1")


def lift(master: Master, one: Someone, *posts: Message) -> Message:
    preparer = Preparer(master.codec, master.keys, master.register, b"p" * 32, b"d" * 32)
    claims = preparer.prepare(posts).claims.values()
    raised = tuple(claim_key(claim.logged)[1] for claim in claims if isinstance(claim.logged.claim.body, Protection))
    return master.record(one.subject, "9", Lift(raised, *BOTH), source="ruling", key="l1")


def person(master: Master, one: Someone) -> PersonDocument:
    found = master.reader.person(one.id)
    assert isinstance(found, PersonDocument)
    return found


def test_merge_then_split_leaves_the_hash_as_it_was(master: Master, persons: Callable[[int], Someone]) -> None:
    one, other = persons(0), persons(1)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma")])
    before = master.hash()
    master.ingest([merge(master, one, other)])
    assert master.reader.person(one.id) == Redirect(one.id, other.id)
    assert person(master, other).aliases == (one.id,)
    assert master.hash() != before
    master.ingest([split(master, one)])
    assert master.hash() == before
    master.ingest([merge(master, one, other, "m2", "3")])  # the same again, rightly this time
    assert master.reader.person(one.id) == Redirect(one.id, other.id)


def test_a_split_that_comes_before_its_merge_undoes_it(master: Master, persons: Callable[[int], Someone]) -> None:
    one, other = persons(0), persons(1)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma")])
    before = master.hash()
    master.ingest([split(master, one)])
    master.ingest([merge(master, one, other)])
    assert master.hash() == before


def test_both_of_a_split_are_published_and_who_refers_to_either_hears_of_it(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    one, other, child = persons(0), persons(1), persons(2)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma"), merge(master, one, other)])
    master.ingest([master.record(child, "1", Protection(), Custody((Relation("V", one.subject, SINCE),)))])
    numbers = dict(master.rows("select id, number from mmd.document"))
    master.rows("delete from mmd.dirty returning 1")
    master.ingest([split(master, one)])
    dirty = {row[0]: row[1:] for row in master.rows("select document, number, fan_out from mmd.dirty")}
    assert {name: number for name, (number, _) in dirty.items()} == {
        one.id: numbers[one.id] + 1,
        other.id: numbers[other.id] + 1,
    }
    assert dirty[one.id][1]  # whoever refers to the one who is back


def test_what_was_published_of_the_merged_person_does_not_open_any_more_after_a_split(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    """It holds what belongs to the other one, who may be protected tomorrow."""
    one, other = persons(0), persons(1)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma"), merge(master, one, other)])
    assert master.rows("select id from mmd.document where raised") == []
    master.ingest([split(master, one)])
    assert master.rows("select id from mmd.document where raised") == [(other.id,)]


def test_what_a_record_says_while_two_are_merged_goes_with_its_number(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    one, other = persons(0), persons(1)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma"), merge(master, one, other)])
    master.ingest([post(master, one, "Annan", "5")])
    master.ingest([split(master, one)])
    assert [entry.given for entry in person(master, one).names] == ["Annan"]
    assert [entry.given for entry in person(master, other).names] == ["Alma"]


def test_a_raise_while_merged_protects_both_numbers_and_stays_with_its_own(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    one, other = persons(0), persons(1)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma"), merge(master, one, other)])
    master.ingest([post(master, one, "Alva", "5", Protection(False, True))])
    assert person(master, other).marking is Marking.SKYDDAD_FOLKBOKFORING
    assert person(master, other).registered_addresses == ()
    master.ingest([split(master, one)])
    assert person(master, one).marking is Marking.SKYDDAD_FOLKBOKFORING
    assert person(master, other).marking is Marking.NONE
    assert master.rows("select marking from mmd.document where id = %s", one.id) == [("skyddad-folkbokforing",)]


def test_as_known_before_a_merge_the_two_are_two_and_a_merge_that_was_undone_is_not_shown(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    one, other = persons(0), persons(1)
    early, late = master.clock.now(), master.clock.now() + dt.timedelta(days=2)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma")])
    two = person(master, other)
    master.clock.instant = early + dt.timedelta(days=1)
    master.ingest([merge(master, one, other)])
    assert master.reader.as_known(other.id, early, master.register) == two
    assert master.reader.as_known(other.id, late, master.register) == person(master, other)
    master.clock.instant = late
    master.ingest([split(master, one)])
    assert master.reader.as_known(other.id, late - dt.timedelta(hours=1), master.register) == two


def test_a_lift_brings_names_and_addresses_back_from_the_sealed_claims(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    one = persons(0)
    raised = post(master, one, "Sol", "2", Protection(True, True))
    master.ingest([post(master, one, "Sol")])
    before = canonical(person(master, one))
    master.ingest([raised])
    assert person(master, one).registered_addresses == ()
    assert master.reader.marked() == [one.id]
    master.ingest([lift(master, one, raised)])
    assert canonical(person(master, one)) == before
    assert master.reader.marked() == []
    master.ingest([post(master, one, "Sol", "3", Protection(True))])
    assert person(master, one).marking is Marking.SEKRETESSMARKERING
    assert master.rows("select raised from mmd.document where id = %s", one.id) == [(True,)]  # keys are renewed again


def test_a_lift_may_come_before_the_raise_that_it_names_and_lifts_no_other(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    one = persons(0)
    raised = post(master, one, "Sol", "2", Protection(True))
    master.ingest([post(master, one, "Sol"), lift(master, one, raised)])
    master.ingest([raised])
    assert person(master, one).marking is Marking.NONE
    master.ingest([post(master, one, "Sol", "2", Protection(False, True))])  # the same stamp, another content
    assert person(master, one).marking is Marking.SKYDDAD_FOLKBOKFORING


@pytest.mark.parametrize("topic", ["source.person.v1", "source.urgent.v1", "source.employment.v1"])
def test_a_ruling_on_the_topic_of_another_source_is_refused(
    master: Master, persons: Callable[[int], Someone], topic: str
) -> None:
    one, other = persons(0), persons(1)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma")])
    forged = master.record(one.subject, "1", Merge(other.subject, *BOTH), source="ruling", key="m1", topic=topic)
    with pytest.raises(Rejected, match=r"envelope\.forged"):
        master.ingest([forged])
    assert isinstance(master.reader.person(one.id), PersonDocument)


def test_a_merge_that_another_source_says_is_a_conflict(master: Master, persons: Callable[[int], Someone]) -> None:
    one, other = persons(0), persons(1)
    master.ingest([post(master, one, "Alva"), post(master, other, "Alma")])
    said = master.record(one.subject, "1", Merge(other.subject, *BOTH), source="hr", key="m1", topic="source.ruling.v1")
    master.ingest([said])
    assert isinstance(master.reader.person(one.id), PersonDocument)
    assert [entry.attribute for entry in master.reader.conflicts(SINCE)] == ["merge"]


def canonical(document: PersonDocument) -> tuple[object, ...]:
    """What is shown, without stamps."""
    names = [(entry.given, entry.family, entry.valid_from, entry.valid_to) for entry in document.names]
    homes = [(entry.address, entry.valid_from, entry.valid_to) for entry in document.registered_addresses]
    return names, homes, document.marking, document.restricted
