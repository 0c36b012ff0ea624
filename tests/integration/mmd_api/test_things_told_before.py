"""What was told of a class, a firm or a place before does not open any more when it would tell of somebody protected."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from streams.bus import MemoryBus
from streams.catalogue import MMD_GROUP, MMD_ORGANISATION, MMD_PLACE, MMD_URGENT
from streams.contracts.claims import Place, PostalAddress, UnitPeriod
from tests.integration.mmd.conftest import Master, Someone
from tests.integration.mmd_api.hub import SINCE, Hub
from tests.integration.mmd_api.test_things import (
    COMPANY,
    FIRM,
    GROUP,
    PLACE,
    RAISED,
    class_of,
    drain,
    everything,
    published,
    relaying,
)

Persons = Callable[[int], Someone]
TOPICS = (MMD_GROUP, MMD_ORGANISATION, MMD_PLACE, MMD_URGENT)


def opened(master: Master, bus: MemoryBus, *things: str) -> str:
    """Everything that whoever has the outer keys can still read of these things, on every topic."""
    found = [one for topic in TOPICS for one in published(master, bus, topic) if one.said and one.said.id in things]
    return msgspec.json.encode(found).decode()


def test_a_class_that_names_a_marked_pupil_does_not_open_any_more(hub: Hub, persons: Persons) -> None:
    anna, bo, (bus, relay) = persons(1), persons(2), relaying(hub.master)
    hub.master.ingest(everything(hub.master, anna, bo))
    drain(relay)
    assert bo.id in opened(hub.master, bus, GROUP)
    hub.master.ingest([hub.master.record(bo, "2", RAISED)])
    drain(relay)
    left = opened(hub.master, bus, GROUP)
    assert bo.id not in left
    assert anna.id in left, "the class is told again, without the marked pupil"
    assert hub.master.rows("select id from mmd.document where raised") == []


def test_nor_does_one_where_the_pupil_is_known_by_an_earlier_number(hub: Hub, persons: Persons) -> None:
    anna, bo, old, (bus, relay) = persons(1), persons(2), persons(3), relaying(hub.master)
    hub.master.ingest(everything(hub.master, anna, bo))
    drain(relay)
    hub.master.ingest([hub.master.record(bo, "2", bo.refers(old))])
    drain(relay)
    assert bo.id in opened(hub.master, bus, GROUP) or old.id in opened(hub.master, bus, GROUP)
    hub.master.ingest([hub.master.record(bo, "3", RAISED)])
    drain(relay)
    left = opened(hub.master, bus, GROUP)
    assert [one for one in (bo.id, old.id) if one in left] == []


def test_nor_one_that_the_pupil_had_left_before_the_marking(hub: Hub, persons: Persons) -> None:
    """Nobody refers to the pupil any more when the marking comes: the key was renewed when the pupil left."""
    anna, bo, (bus, relay) = persons(1), persons(2), relaying(hub.master)
    hub.master.ingest(everything(hub.master, anna, bo))
    drain(relay)
    hub.master.ingest([hub.master.record(GROUP, "3", *class_of(anna), source="groups")])
    drain(relay)
    assert bo.id not in opened(hub.master, bus, GROUP)
    hub.master.ingest([hub.master.record(bo, "2", RAISED)])
    drain(relay)
    assert bo.id not in opened(hub.master, bus, GROUP)


def test_a_firm_does_not_open_any_more_when_its_owner_is_marked_and_a_company_does(hub: Hub, persons: Persons) -> None:
    anna, bo, (bus, relay) = persons(1), persons(2), relaying(hub.master)
    hub.master.ingest(everything(hub.master, anna, bo))
    drain(relay)
    assert anna.identifier.value in opened(hub.master, bus, FIRM)
    hub.master.ingest([hub.master.record(anna, "2", RAISED)])
    drain(relay)
    left = opened(hub.master, bus, FIRM)
    assert [word for word in (anna.id, anna.identifier.value, "Ekbackas bygg") if word in left] == []
    assert "AB Ekbacka" in opened(hub.master, bus, COMPANY)


def test_where_a_place_is_does_not_open_any_more_when_it_becomes_restricted(hub: Hub, persons: Persons) -> None:
    (bus, relay) = relaying(hub.master)
    hub.master.ingest(everything(hub.master, persons(1), persons(2)))
    drain(relay)
    assert "Ekbackavägen" in opened(hub.master, bus, PLACE)
    shelter = Place((UnitPeriod(SINCE),), address=PostalAddress(street="Ekbackavägen 1"), restricted=True)
    hub.master.ingest([hub.master.record(PLACE, "2", shelter, source="places")])
    drain(relay)
    assert "Ekbackavägen" not in opened(hub.master, bus, PLACE)


def test_a_mark_that_comes_while_the_topics_release_is_not_in_force_is_not_forgotten(
    hub: Hub, persons: Persons
) -> None:
    anna, bo, (bus, relay) = persons(1), persons(2), relaying(hub.master)
    hub.master.ingest(everything(hub.master, anna, bo))
    drain(relay)
    ended = relaying(hub.master, bus, valid_until="2026-03-01")[1]
    relay.release()
    hub.master.ingest([hub.master.record(bo, "2", RAISED)])
    drain(ended)
    ended.release()
    drain(relay)
    assert bo.id not in opened(hub.master, bus, GROUP)
