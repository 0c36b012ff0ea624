"""The relay on a real PostgreSQL: current never old, urgent first, one at a time, nothing lost."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mmd.domain.release import Release
from mmd.relay.relay import Relay
from streams.bus import MemoryBus, Producer
from streams.catalogue import MMD_ORGANISATION, MMD_PERSON, MMD_URGENT
from streams.clock import SystemTicker
from streams.codec import Incoming, PublishedCodec, Skipped
from streams.contracts.claims import (
    Claim,
    Custody,
    Employment,
    Marking,
    Name,
    Protection,
    Relation,
    Segment,
    UnitName,
    UnitNode,
    UnitPeriod,
    unit_key,
)
from streams.contracts.documents import Published, Redirect
from streams.contracts.errors import Unavailable
from streams.envelope import Message
from streams.sealing import KeyState
from tests.waiting import HANGS_SECONDS, eventually

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

UNIT = unit_key("kommun", "10")
RELEASE = Release.from_data(
    {
        "reader": "topic",
        "purpose": {"sv": "Kontohantering", "en": "Provisioning"},
        "legal_basis": "test",
        "attributes": ["names", "agreed-name", "numbers", "birth", "status", "personas", "accounts", "marking"],
        "persona_types": "all",
        "units": "all",
        "valid_until": "2099-12-31",
    }
)


def named(given: str) -> Claim:
    return Claim(Name(given, "", "Ek", given), dt.date(2020, 1, 1))


def employed(unit: str = UNIT, manager: str = "", end: dt.date | None = None) -> Employment:
    return Employment("kommun", "E1", (Segment(dt.date(2026, 1, 1), end, unit, manager=manager),))


def relay(master: Master, producer: Producer, owner: str = "relay-1", **settings: float) -> Relay:
    codec = PublishedCodec(master.keys)
    return Relay(master.pool, codec, master.keys, producer, RELEASE, master.clock, SystemTicker(), owner, **settings)


def drain(one: Relay) -> int:
    total = 0
    while count := one.run_once():
        total += count
    return total


def published(master: Master, bus: MemoryBus, topic: str) -> list[Published]:
    found = PublishedCodec(master.keys).decode(bus.log(topic))
    return [one.record for one in found if isinstance(one, Incoming)]


def test_what_is_published_is_the_current_document_and_not_what_made_it_dirty(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bus = persons(1), MemoryBus()
    for version, name in (("1", "Anna"), ("2", "Annika"), ("3", "Anita")):
        master.ingest([master.record(anna, version, Protection(), named(name), event=f"event-{version}")])
    assert drain(relay(master, bus)) == 1
    sent = published(master, bus, MMD_PERSON)
    assert [(one.version.number, one.cause) for one in sent] == [(3, "event-3")]
    assert sent[0].person is not None
    assert [name.given for name in sent[0].person.names] == ["Anita"]
    assert sent[0].caused_at == master.clock.now()
    assert drain(relay(master, bus)) == 0


def test_persons_units_and_redirects_go_to_their_topics(master: Master, persons: Callable[[int], Someone]) -> None:
    old, new, bus = persons(1), persons(2), MemoryBus()
    node = UnitNode((UnitPeriod(dt.date(2020, 1, 1)),))
    master.ingest([master.record(UNIT, "1", node, UnitName(), source="org")])
    master.ingest([master.record(new, "1", Protection(), new.refers(old))])
    drain(relay(master, bus))
    assert [one.unit.id for one in published(master, bus, MMD_ORGANISATION) if one.unit] == [UNIT]
    redirects = [one.redirect for one in published(master, bus, MMD_PERSON) if one.redirect]
    assert redirects == [Redirect(new.id, old.id)]
    assert [one.person.id for one in published(master, bus, MMD_PERSON) if one.person] == [old.id]


def test_the_urgent_lane_goes_first_and_to_both_topics(master: Master, persons: Callable[[int], Someone]) -> None:
    bus = MemoryBus()
    master.ingest([master.record(persons(n), "1", Protection(), named("Anna")) for n in range(20)])
    master.ingest([master.record(persons(30), "1", Protection(sekretessmarkering=True), named("Bo"))])
    one = relay(master, bus)
    assert one.run_once() == 1
    assert [sent.person.id for sent in published(master, bus, MMD_URGENT) if sent.person] == [persons(30).id]
    assert [message.key for message in bus.log(MMD_PERSON)] == [persons(30).id]
    assert drain(one) == 20


def test_a_waiting_urgent_row_is_not_lowered_by_a_bulk_change(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Protection(sekretessmarkering=True), event="raise")])
    master.ingest([master.record(anna, "2", employed(), source="hr", key="E1", event="hire")])
    assert master.rows("select lane, number, cause from mmd.dirty") == [("urgent", 2, "raise")]


def test_after_a_raise_nothing_that_was_published_before_opens(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bus = persons(1), MemoryBus()
    one = relay(master, bus)
    master.ingest([master.record(anna, "1", Protection(), named("Kanariefågel"))])
    drain(one)
    master.ingest([master.record(anna, "2", Protection(sekretessmarkering=True))])
    drain(one)
    found = PublishedCodec(master.keys).decode(bus.log(MMD_PERSON))
    assert isinstance(found[0], Skipped)
    assert found[0].state is KeyState.RENEWED
    assert isinstance(found[1], Incoming)
    person = found[1].record.person
    assert person is not None
    assert person.marking is Marking.SEKRETESSMARKERING
    assert person.names == ()
    assert master.rows("select raised from mmd.document") == [(False,)]


def test_when_a_joined_person_is_marked_what_stood_under_the_old_id_does_not_open_either(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    old, new, bus = persons(1), persons(2), MemoryBus()
    one = relay(master, bus)
    master.ingest([master.record(new, "1", Protection(), named("Kanariefågel"))])
    drain(one)
    master.ingest([master.record(new, "2", new.refers(old))])
    drain(one)
    master.ingest([master.record(old, "3", Protection(skyddad_folkbokforing=True))])
    drain(one)
    for message, found in zip(
        bus.log(MMD_PERSON), PublishedCodec(master.keys).decode(bus.log(MMD_PERSON)), strict=True
    ):
        if isinstance(found, Incoming) and found.record.person is not None:
            assert found.record.person.marking is Marking.SKYDDAD_FOLKBOKFORING
        else:
            assert isinstance(found, Skipped) or found.record.redirect is not None, message.key  # type: ignore[union-attr]


class LosesItsAnswers:
    """A producer over the bus that has sent everything when it says that it does not know."""

    def __init__(self, bus: MemoryBus) -> None:
        self.bus = bus

    def send(self, message: Message) -> None:
        self.bus.send(message)

    def flush(self) -> None:
        raise Unavailable("service.unavailable", "no answer")


def test_a_crash_between_publishing_and_forgetting_publishes_the_same_version_again(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    bus = MemoryBus()
    master.ingest([master.record(persons(1), "1", Protection(), named("Anna"))])
    crashing = relay(master, LosesItsAnswers(bus), delivery_seconds=0.0)
    with pytest.raises(Unavailable):
        crashing.run_once()
    assert master.rows("select count(*) from mmd.dirty") == [(1,)]
    assert drain(relay(master, bus)) == 1
    first, second = bus.log(MMD_PERSON)
    assert first.headers["ce_id"] == second.headers["ce_id"]
    sent = published(master, bus, MMD_PERSON)
    assert sent[0] == sent[1]


def an_hour_passes(master: Master, *columns: str) -> None:
    """For the lease: it is the database's clock that decides between processes."""
    with master.pool.connection() as connection:
        for column in columns:
            connection.execute(f"update mmd.lease set {column} = {column} - interval '1 hour'")


def test_only_one_relay_works_and_a_successor_takes_over_when_the_lease_has_run_out(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    bus = MemoryBus()
    first, second = (relay(master, bus, name, lease_seconds=60.0) for name in ("first", "second"))
    assert first.run_once() == 0
    master.ingest([master.record(persons(1), "1", Protection())])
    assert second.run_once() == 0
    an_hour_passes(master, "until", "busy_until")
    assert second.run_once() == 1
    master.ingest([master.record(persons(2), "1", Protection())])
    assert first.run_once() == 0
    assert second.run_once() == 1


def test_a_successor_waits_out_what_a_dead_relay_may_still_deliver(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    bus = MemoryBus()
    master.ingest([master.record(persons(1), "1", Protection())])
    dead = relay(master, LosesItsAnswers(bus), "dead", lease_seconds=60.0, delivery_seconds=600.0)
    with pytest.raises(Unavailable):
        dead.run_once()
    dead.release()
    successor = relay(master, bus, "successor")
    an_hour_passes(master, "until")
    assert successor.run_once() == 0
    an_hour_passes(master, "busy_until")
    assert successor.run_once() == 1


def test_a_relay_that_lost_its_lease_sends_nothing(master: Master, persons: Callable[[int], Someone]) -> None:
    bus = MemoryBus()
    slow = relay(master, bus, "slow", lease_seconds=30.0)
    assert slow.run_once() == 0
    master.ingest([master.record(persons(1), "1", Protection())])
    with master.pool.connection() as connection:
        connection.execute("update mmd.lease set owner = 'other', until = now() + interval '1 minute'")
    assert slow.run_once() == 0
    assert bus.log(MMD_PERSON) == ()


def test_a_row_that_became_dirty_again_while_it_was_sent_stays_dirty(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bus = persons(1), MemoryBus()

    class ChangesMeanwhile:
        def send(self, message: Message) -> None:
            bus.send(message)

        def flush(self) -> None:
            if len(bus.log(MMD_PERSON)) == 1:
                master.ingest([master.record(anna, "2", named("Annika"))])

    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    one = relay(master, ChangesMeanwhile())
    assert drain(one) == 2
    assert [sent.version.number for sent in published(master, bus, MMD_PERSON)] == [1, 2]


def test_what_refers_to_a_unit_is_published_again_after_the_unit_appeared(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bus = persons(1), MemoryBus()
    one = relay(master, bus)
    master.ingest([master.record(anna, "1", employed(), source="hr", key="E1")])
    drain(one)
    node = UnitNode((UnitPeriod(dt.date(2020, 1, 1)),))
    master.ingest([master.record(UNIT, "1", node, source="org", event="unit-event")])
    drain(one)
    again = published(master, bus, MMD_PERSON)[-1]
    assert (again.version.number, again.cause) == (2, "unit-event")
    assert len(published(master, bus, MMD_PERSON)) == 2


def test_who_refers_to_a_person_that_is_marked_is_published_again_urgently(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, chief, bus = persons(1), persons(2), MemoryBus()
    one = relay(master, bus)
    master.ingest([master.record(chief, "1", Protection())])
    master.ingest([master.record(anna, "1", employed(manager=chief.subject), source="hr", key="E1")])
    drain(one)
    master.ingest([master.record(chief, "2", Protection(sekretessmarkering=True))])
    drain(one)
    assert [message.key for message in bus.log(MMD_URGENT)] == [chief.id, anna.id]


def test_a_change_that_takes_effect_by_date_is_published_when_the_day_comes(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna, bus = persons(1), MemoryBus()
    one = relay(master, bus)
    ending = employed(end=dt.date(2026, 3, 4))
    master.ingest([master.record(anna, "1", Protection(), ending, source="hr", key="E1")])
    drain(one)
    master.clock.instant = dt.datetime(2026, 3, 4, 22, 59, tzinfo=dt.UTC)
    assert drain(one) == 0
    master.clock.instant = dt.datetime(2026, 3, 4, 23, 0, tzinfo=dt.UTC)
    assert drain(one) == 1
    assert [sent.version.number for sent in published(master, bus, MMD_PERSON)] == [1, 2]
    last = published(master, bus, MMD_URGENT)[-1]
    assert (last.cause, last.caused_at) == ("clock", master.clock.now())
    assert drain(one) == 0


def test_an_erased_person_becomes_a_tombstone(master: Master, persons: Callable[[int], Someone]) -> None:
    anna, bus = persons(1), MemoryBus()
    one = relay(master, bus)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    master.keys.erase({anna.subject, anna.id})
    assert drain(one) == 1
    assert [(message.key, message.value) for message in bus.log(MMD_PERSON)] == [(anna.id, None)]


def test_an_idle_relay_is_woken_by_what_becomes_dirty_and_stops_when_told(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    bus, stop = MemoryBus(), threading.Event()
    one = relay(master, bus, idle_seconds=3600.0)
    thread = threading.Thread(target=one.run, args=(stop,), daemon=True)
    thread.start()
    eventually(lambda: master.rows("select count(*) from mmd.lease") == [(1,)])
    for number in (1, 2):
        master.ingest([master.record(persons(number), "1", Protection())])
        eventually(lambda sent=number: len(bus.log(MMD_PERSON)) == sent)  # type: ignore[misc]
    stop.set()
    master.ingest([master.record(persons(3), "1", Protection())])
    thread.join(HANGS_SECONDS)
    assert not thread.is_alive()
    assert master.rows("select count(*) from mmd.lease") == [(0,)]


def test_two_who_refer_to_each_other_do_not_keep_each_other_dirty(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    guardian, child = persons(1), persons(2)
    of_guardian, of_child = Custody((Relation("VF", child.subject),)), Custody((Relation("V", guardian.subject),))
    master.ingest(
        [master.record(guardian, "1", Protection(), of_guardian), master.record(child, "1", Protection(), of_child)]
    )
    bus = MemoryBus()
    one = relay(master, bus)
    rounds = 0
    while one.run_once():
        rounds += 1
        assert rounds < 10, "the relay publishes the same two for ever"
    assert master.rows("select count(*) from mmd.dirty") == [(0,)]
