"""Places, groups and legal organisations from claims to the API, the feed and the topics."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import msgspec
import pytest

from mmd.relay.relay import Relay
from streams.bus import MemoryBus
from streams.catalogue import MMD_GROUP, MMD_ORGANISATION, MMD_PLACE, MMD_URGENT
from streams.clock import SystemTicker
from streams.codec import Incoming, PublishedCodec, Skipped
from streams.contracts.claims import (
    DatedName,
    Group,
    GroupMembers,
    LegalOrganisation,
    Membership,
    Place,
    PostalAddress,
    Protection,
    Seat,
    UnitPeriod,
    unit_key,
)
from streams.contracts.documents import Published
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.envelope import Message
from streams.sealing import KeyState
from tests.integration.mmd.conftest import Master, Someone
from tests.integration.mmd_api.hub import SINCE, Hub, post, release

Persons = Callable[[int], Someone]
PLACE, GROUP = "place:kommun:p1", "group:kommun:4B"
COMPANY, FIRM = "legal:" + "0" * 32, "legal:" + "1" * 32
SCHOOL = unit_key("kommun", "1")
NUMBER = Identifier(IdentifierType.ORGANISATIONSNUMMER, "5569999997")
RAISED = Protection(sekretessmarkering=True)


def class_of(*pupils: Someone) -> tuple[Group, GroupMembers]:
    base = Group((UnitPeriod(SINCE),), (DatedName("Klass Ekbacka", SINCE),), "Klass", SCHOOL)
    return base, GroupMembers(tuple(Membership(one.subject, "pupil", SINCE) for one in pupils))


def firm_of(owner: Someone) -> LegalOrganisation:
    return LegalOrganisation(
        owner.identifier, owner.subject, (UnitPeriod(SINCE),), (DatedName("Ekbackas bygg", SINCE),)
    )


def everything(master: Master, anna: Someone, bo: Someone) -> list[Message]:
    """A place, a class of two, a company and a firm that is Anna's, with both persons' posts."""
    place = Place(
        (UnitPeriod(SINCE),), (DatedName("Ekbackaskolan", SINCE),), "skola", PostalAddress(street="Ekbackavägen 1")
    )
    company = LegalOrganisation(
        NUMBER, "", (UnitPeriod(SINCE),), (DatedName("AB Ekbacka", SINCE),), (Seat("1480", SINCE),)
    )
    return [
        master.record(PLACE, "1", place, source="places"),
        master.record(GROUP, "1", *class_of(anna), source="groups"),
        master.record(GROUP, "2", *class_of(anna, bo), source="groups"),
        master.record(COMPANY, "1", company, source="companies"),
        master.record(FIRM, "1", firm_of(anna), source="companies"),
        master.record(anna, "1", *post("Anna")),
        master.record(bo, "1", *post("Bo")),
    ]


def members(hub: Hub, client: str = "open") -> list[str]:
    answer = hub.get(f"/v1/groups/{GROUP}", client)
    assert answer.status_code == 200
    return [one["person"] for one in answer.json().get("members", [])]


def test_they_are_read_under_a_release_and_who_was_told_of_whom_is_logged(hub: Hub, persons: Persons) -> None:
    anna, bo = persons(1), persons(2)
    hub.master.ingest(everything(hub.master, anna, bo))
    assert hub.get(f"/v1/places/{PLACE}", "open").json()["address"] == {"street": "Ekbackavägen 1"}
    company = hub.get(f"/v1/legal-organisations/{COMPANY}", "open").json()
    assert (company["names"][0]["name"], company["number"]["value"]) == ("AB Ekbacka", NUMBER.value)
    assert hub.get(f"/v1/legal-organisations/{FIRM}", "open").json()["owner"] == anna.id
    assert members(hub) == sorted([anna.id, bo.id])
    logged = [(row[1], row[3]) for row in hub.read_log()]
    assert logged == [
        (anna.id, ["legal-organisations", "numbers"]),
        *((one, ["group-members"]) for one in sorted([anna.id, bo.id])),
    ]
    for path in (f"places/{PLACE}", f"groups/{GROUP}", f"legal-organisations/{COMPANY}"):
        assert hub.get(f"/v1/{path}", "names").status_code == 404
        held = hub.get(f"/v1/{path}", "open").headers["etag"]
        assert hub.get(f"/v1/{path}", "open", headers={"If-None-Match": held}).status_code == 304
    assert hub.get(f"/v1/places/{GROUP}", "open").status_code == 422


def test_a_member_who_is_marked_leaves_the_class_of_readers_that_are_not_cleared_and_they_are_noticed(
    hub: Hub, persons: Persons
) -> None:
    anna, bo = persons(1), persons(2)
    hub.master.ingest(everything(hub.master, anna, bo))
    cursor = hub.changes("open").json()["cursor"]
    bus, relay = relaying(hub.master)
    drain(relay)
    hub.master.ingest([hub.master.record(bo, "2", RAISED)])
    assert members(hub) == [anna.id]
    assert members(hub, "cleared") == sorted([anna.id, bo.id])
    drain(relay)
    assert {one["change"] for one in hub.changes("open", cursor).json()["changes"]} == {"person", "group"}
    last = published(hub.master, bus, MMD_GROUP)[-1]
    assert last.group is not None
    assert [one.person for one in last.group.members] == [anna.id]
    fast = published(hub.master, bus, MMD_URGENT)
    assert GROUP in {one.said.id for one in fast if one.said}
    hub.master.ingest([hub.master.record(anna, "2", RAISED)])
    assert hub.get(f"/v1/legal-organisations/{FIRM}", "open").status_code == 404
    assert hub.get(f"/v1/legal-organisations/{FIRM}", "cleared").json()["owner"] == anna.id


def test_a_member_of_whom_no_source_has_spoken_is_told_to_nobody_but_the_cleared(hub: Hub, persons: Persons) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(GROUP, "1", *class_of(anna), source="groups")])
    assert members(hub) == []
    assert members(hub, "cleared") == [anna.id]
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    assert members(hub) == [anna.id]


def test_a_member_who_changed_number_is_named_by_the_id_of_today(hub: Hub, persons: Persons) -> None:
    old, new = persons(1), persons(2)
    hub.master.ingest([hub.master.record(GROUP, "1", *class_of(new), source="groups")])
    hub.master.ingest([hub.master.record(old, "1", *post("Anna"))])
    hub.master.ingest([hub.master.record(new, "1", *post("Anna", new.refers(old)))])
    survivor = hub.person(old, "open").json()["id"]
    assert members(hub) == [survivor]


def test_a_place_that_becomes_secret_is_withheld_at_once_and_what_was_published_of_it_does_not_open(hub: Hub) -> None:
    place = Place((UnitPeriod(SINCE),), (DatedName("Ekbacka", SINCE),), "boende", PostalAddress(street="Ekvägen 1"))
    bus, relay = relaying(hub.master)
    hub.master.ingest([hub.master.record(PLACE, "1", place, source="places")])
    drain(relay)
    shut = msgspec.structs.replace(place, restricted=True)
    hub.master.ingest([hub.master.record(PLACE, "2", shut, source="places")])
    assert hub.master.rows("select lane from mmd.dirty") == [("urgent",)]
    drain(relay)
    before, now = PublishedCodec(hub.master.keys).decode(bus.log(MMD_PLACE))
    assert isinstance(before, Skipped)
    assert before.state is KeyState.RENEWED
    assert isinstance(now, Incoming)
    assert now.record.withheld is not None
    assert [one.withheld for one in published(hub.master, bus, MMD_URGENT)] == [now.record.withheld]
    hub.master.ingest([hub.master.record(PLACE, "3", msgspec.structs.replace(shut, place_type="x"), source="places")])
    assert hub.master.rows("select lane from mmd.dirty") == [("bulk",)]


def test_when_a_sole_trader_is_marked_what_was_published_of_the_firm_does_not_open_any_more(
    hub: Hub, persons: Persons
) -> None:
    anna, bo = persons(1), persons(2)
    bus, relay = relaying(hub.master)
    hub.master.ingest(everything(hub.master, anna, bo))
    drain(relay)
    hub.master.ingest([hub.master.record(anna, "2", RAISED)])
    drain(relay)
    of_firm = [one for one in bus.log(MMD_ORGANISATION) if one.key == FIRM]
    *before, now = PublishedCodec(hub.master.keys).decode(of_firm)
    assert before
    assert {one.state for one in before if isinstance(one, Skipped)} == {KeyState.RENEWED}
    assert not [one for one in before if isinstance(one, Incoming)]
    assert isinstance(now, Incoming)
    assert now.record.withheld is not None
    (of_company,) = PublishedCodec(hub.master.keys).decode(
        [one for one in bus.log(MMD_ORGANISATION) if one.key == COMPANY]
    )
    assert isinstance(of_company, Incoming)


def test_who_is_told_of_a_firm_without_its_number_is_told_of_the_owner(hub: Hub, persons: Persons) -> None:
    old, new = persons(1), persons(2)
    hub.master.ingest([hub.master.record(FIRM, "1", firm_of(new), source="companies")])
    hub.master.ingest([hub.master.record(old, "1", *post("Anna"))])
    hub.master.ingest([hub.master.record(new, "1", *post("Anna", new.refers(old)))])
    answer = hub.get(f"/v1/legal-organisations/{FIRM}", "staff").json()
    assert "owner" not in answer
    assert [(row[0], row[1], row[3]) for row in hub.read_log()] == [("staff", old.id, ["legal-organisations"])]


def relaying(master: Master, bus: MemoryBus | None = None, **given: str) -> tuple[MemoryBus, Relay]:
    """A relay over a bus (a new one, or that of another) under a release of everything but for what is given."""
    to = bus or MemoryBus()
    codec = PublishedCodec(master.keys)
    return to, Relay(master.pool, codec, master.keys, to, release(**given), master.clock, SystemTicker(), "relay-1")


def drain(relay: Relay) -> None:
    while relay.run_once():
        pass


def published(master: Master, bus: MemoryBus, topic: str) -> list[Published]:
    found = PublishedCodec(master.keys).decode(bus.log(topic))
    return [one.record for one in found if isinstance(one, Incoming)]


def test_they_go_to_their_topics_sealed_and_without_a_number_in_any_key(hub: Hub, persons: Persons) -> None:
    anna, bo = persons(1), persons(2)
    hub.master.ingest(everything(hub.master, anna, bo))
    bus, relay = relaying(hub.master)
    drain(relay)
    for topic, ids in ((MMD_PLACE, {PLACE}), (MMD_GROUP, {GROUP}), (MMD_ORGANISATION, {COMPANY, FIRM})):
        assert {one.said.id for one in published(hub.master, bus, topic) if one.said} == ids
        for message in bus.log(topic):
            assert message.headers["ce_kallankeyid"] == f"outer/{message.key}/1"
            assert message.headers["ce_mmdclass"] == "personal"
            assert anna.identifier.value not in str(message)
            assert b"Ekbacka" not in (message.value or b"")
    stored = hub.master.rows("select id, key_id, body from mmd.document where id = any(%s)", [PLACE, GROUP, FIRM])
    assert len(stored) == 3
    assert all(key == f"inner/{row}/1" and b"Ekbacka" not in bytes(body) for row, key, body in stored)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_batching_and_repetition_ends_in_the_same_master(
    new_hub: Callable[..., Hub], persons: Persons, seed: int
) -> None:
    one, other = new_hub(), new_hub()
    one.master.ingest(everything(one.master, persons(1), persons(2)))
    said = everything(other.master, persons(1), persons(2))
    mixed = random.Random(seed).sample(said * 2, len(said) * 2)
    for start in range(0, len(mixed), seed + 1):
        other.master.ingest(mixed[start : start + seed + 1])
    assert other.master.hash() == one.master.hash()
    assert one.master.hash().counts == {"group": 1, "legal-organisation": 2, "person": 2, "place": 1}


@pytest.mark.parametrize(
    ("subject", "claims", "field"),
    [
        (PLACE, (Group(),), "group: subject"),
        (GROUP, (Place(),), "place: subject"),
        (COMPANY, (LegalOrganisation(NUMBER, "0" * 32),), "legal-organisation: owner"),
        (GROUP, (GroupMembers((Membership("not a subject", "pupil", SINCE),)),), "group-members: subject"),
        ("legal:5569999997", (LegalOrganisation(NUMBER),), "subject"),
        (GROUP, (GroupMembers((Membership("0" * 32, "pupil", SINCE, SINCE - dt.timedelta(1)),)),), "group-members"),
    ],
)
def test_what_does_not_fit_is_refused(hub: Hub, subject: str, claims: tuple[Place, ...], field: str) -> None:
    source = {"place": "places", "group": "groups", "legal": "companies"}[subject.partition(":")[0]]
    topic = {"group: subject": "source.group.v1", "place: subject": "source.place.v1"}.get(field, "")
    with pytest.raises(Rejected) as refused:
        hub.master.ingest([hub.master.record(subject, "1", *claims, source=source, topic=topic)])
    assert refused.value.detail == field


def test_a_personnummer_without_its_owner_is_no_legal_organisation(hub: Hub, persons: Persons) -> None:
    with pytest.raises(Rejected):
        hub.master.ingest([hub.master.record(FIRM, "1", LegalOrganisation(persons(1).identifier), source="companies")])
    assert hub.master.rows("select 1 from mmd.claim") == []
