"""The release of the topic is a decision with dates: when it ends nothing more is given, and what ends still ends."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
import pytest

from mmd.domain.release import Release
from mmd.relay.relay import Relay
from streams.bus import MemoryBus, Producer
from streams.catalogue import MMD_PERSON, MMD_URGENT
from streams.clock import SystemTicker
from streams.codec import Incoming, PublishedCodec
from streams.contracts.claims import Employment, Protection, UnitNode, UnitParent, UnitPeriod, UnitStructure, unit_key
from streams.contracts.documents import PersonaType
from streams.contracts.errors import KallanError
from streams.envelope import Message
from tests.integration.mmd.test_relay import RELEASE, UNIT, drain, employed, named, published
from tests.waiting import HANGS_SECONDS, eventually

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

LAST_DAY = dt.date(2026, 3, 10)
IN_FORCE = msgspec.structs.replace(RELEASE, valid_until=LAST_DAY)
ENDED = dt.datetime(2026, 3, 10, 23, tzinfo=dt.UTC)
CANARY = "Kanariefågel"


def relay(master: Master, producer: Producer, release: Release) -> Relay:
    codec = PublishedCodec(master.keys)
    return Relay(master.pool, codec, master.keys, producer, release, master.clock, SystemTicker(), "relay")


def hired(master: Master, who: Someone, *more: Employment, version: str = "1", end: dt.date | None = None) -> Message:
    return master.record(who, version, Protection(), employed(end=end), *more, source="hr", key=f"E-{who.id}")


def test_when_the_topics_release_has_ended_only_what_ends_or_protects_goes_out_and_says_nothing(
    master: Master, persons: Callable[[int], Someone], caplog: pytest.LogCaptureFixture
) -> None:
    leaver, marked, mover, joiner, by_date = (persons(n) for n in range(1, 6))
    bus = MemoryBus()
    one = relay(master, bus, IN_FORCE)
    for who in (leaver, marked, mover):
        master.ingest([hired(master, who), master.record(who, "1", Protection(), named(CANARY))])
    master.ingest([hired(master, by_date, end=LAST_DAY)])
    drain(one)
    before = len(bus.log(MMD_PERSON))
    master.clock.instant = ENDED
    master.ingest([hired(master, leaver, version="2", end=dt.date(2026, 3, 1))])
    master.ingest([master.record(marked, "2", Protection(sekretessmarkering=True))])
    master.ingest([master.record(mover, "2", named(CANARY + "2"))])
    master.ingest([hired(master, joiner)])
    drain(one)
    sent = published(master, bus, MMD_URGENT)
    assert {found.withheld.id for found in sent if found.withheld} == {leaver.id, marked.id, by_date.id}
    assert {message.key for message in bus.log(MMD_PERSON)[before:]} == {leaver.id, marked.id, by_date.id}
    assert {message.headers["ce_mmdclass"] for message in bus.log(MMD_PERSON)[before:]} == {"personal"}
    assert all(found.person is None for found in sent)
    assert "the topic's release ended on 2026-03-10" in caplog.text


def test_with_a_new_release_everybody_who_waited_or_was_withheld_is_published_again(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    chief, marked, mover, bus = persons(1), persons(2), persons(3), MemoryBus()
    one = relay(master, bus, IN_FORCE)
    for who in (chief, marked, mover):
        master.ingest([master.record(who, "1", Protection(), named("Anna"))])
    master.ingest([master.record(mover, "1", employed(manager=marked.subject), source="hr", key="E1")])
    drain(one)
    master.clock.instant = ENDED
    master.ingest([master.record(marked, "2", Protection(sekretessmarkering=True))])
    master.ingest([master.record(chief, "2", named("Annika"))])
    drain(one)
    assert [message.key for message in bus.log(MMD_URGENT)] == [marked.id]
    before = len(bus.log(MMD_PERSON))
    drain(relay(master, bus, RELEASE))
    again = persons_sent(master, bus.log(MMD_PERSON)[before:])
    assert {key for key, known, _ in again if known} == {chief.id, marked.id, mover.id}, "also who refers to the marked"
    assert master.rows("select count(*) from mmd.dirty") == [(0,)]


def test_the_day_is_read_once_for_a_batch_so_that_nobody_is_withheld_at_midnight(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    class Midnight:
        """A clock that passes midnight with the second reading."""

        def __init__(self) -> None:
            self.read = 0

        def now(self) -> dt.datetime:
            self.read += 1
            return ENDED - dt.timedelta(seconds=1) if self.read == 1 else ENDED

    bus = MemoryBus()
    master.ingest([master.record(persons(1), "1", Protection(), named("Anna"))])
    codec = PublishedCodec(master.keys)
    one = Relay(master.pool, codec, master.keys, bus, IN_FORCE, Midnight(), SystemTicker(), "relay")
    assert one.run_once() == 1
    assert [found.person is not None for found in published(master, bus, MMD_PERSON)] == [True]


def test_a_number_change_while_the_release_has_ended_is_told_to_those_who_refer_when_there_is_a_new_one(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    old, new, anna, bus = persons(1), persons(2), persons(3), MemoryBus()
    one = relay(master, bus, IN_FORCE)
    master.ingest([master.record(new, "1", Protection()), master.record(old, "1", Protection())])
    master.ingest([master.record(anna, "1", employed(manager=new.subject), source="hr", key="E1")])
    drain(one)
    master.clock.instant = ENDED
    master.ingest([master.record(new, "2", new.refers(old), Protection(sekretessmarkering=True))])
    drain(one)
    assert {message.key for message in bus.log(MMD_URGENT)} == {old.id, new.id}
    before = len(bus.log(MMD_PERSON))
    drain(relay(master, bus, RELEASE))
    assert {message.key for message in bus.log(MMD_PERSON)[before:]} == {old.id, new.id, anna.id}
    assert master.rows("select count(*) from mmd.dirty") == [(0,)]


def persons_sent(master: Master, messages: Sequence[Message]) -> list[tuple[str, bool, tuple[object, ...]]]:
    found = PublishedCodec(master.keys).decode(messages)
    return [
        (one.message.key, one.record.person is not None, one.record.person.names if one.record.person else ())
        for one in found
        if isinstance(one, Incoming)
    ]


@pytest.mark.parametrize(
    "change",
    [{"attributes": RELEASE.attributes - {"names"}}, {"persona_types": frozenset({PersonaType.GUARDIAN})}],
    ids=["attribute", "persona type"],
)
def test_when_the_release_is_amended_everybody_is_published_under_what_it_says_now(
    master: Master, persons: Callable[[int], Someone], change: dict[str, object]
) -> None:
    bus, people = MemoryBus(), [persons(n) for n in range(3)]
    for who in people:
        master.ingest([hired(master, who), master.record(who, "1", Protection(), named(CANARY))])
    drain(relay(master, bus, RELEASE))
    drain(relay(master, bus, RELEASE))
    assert len(bus.log(MMD_PERSON)) == 3, "a new process under the same release publishes nothing again"
    drain(relay(master, bus, msgspec.structs.replace(RELEASE, valid_until=dt.date(2098, 1, 1))))
    assert len(bus.log(MMD_PERSON)) == 3, "a longer or shorter release says nothing else"
    amended = msgspec.structs.replace(RELEASE, **change)
    drain(relay(master, bus, amended))
    sent = persons_sent(master, bus.log(MMD_PERSON)[3:])
    assert {key for key, _, _ in sent} == {who.id for who in people}
    assert all(names == () for _, _, names in sent)
    assert {known for _, known, _ in sent} == {"attributes" in change}


def test_when_a_unit_leaves_the_subtree_of_the_release_its_people_are_withheld(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    top, other, middle = (unit_key("kommun", name) for name in ("top", "other", "middle"))
    since = dt.date(2020, 1, 1)

    def below(unit: str, parent: str, version: str) -> Message:
        structure = UnitStructure((UnitParent(parent, since),))
        return master.record(unit, version, UnitNode((UnitPeriod(since),)), structure, source="org")

    anna, bus = persons(1), MemoryBus()
    units = [below(top, "", "1"), below(other, "", "1"), below(middle, top, "1"), below(UNIT, middle, "1")]
    master.ingest([*units, hired(master, anna)])
    one = relay(master, bus, msgspec.structs.replace(RELEASE, units=frozenset({top}), subtree=True))
    drain(one)
    assert [known for _, known, _ in persons_sent(master, bus.log(MMD_PERSON))][-1] is True
    master.ingest([below(middle, other, "2")])
    drain(one)
    assert [known for _, known, _ in persons_sent(master, bus.log(MMD_PERSON))][-1] is False


class WrongSettings:
    """A producer that cannot be used as the settings are."""

    def send(self, message: Message) -> None:
        raise KallanError("settings.invalid", "test")

    def flush(self) -> None:
        return None


def test_a_relay_whose_settings_are_wrong_stops_and_says_so(master: Master, persons: Callable[[int], Someone]) -> None:
    master.ingest([master.record(persons(1), "1", Protection())])
    stop = threading.Event()
    watch = threading.Timer(HANGS_SECONDS, stop.set)
    watch.start()
    with pytest.raises(KallanError, match="settings.invalid"):
        relay(master, WrongSettings(), RELEASE).run(stop)
    watch.cancel()


def test_a_database_that_is_not_migrated_yet_is_waited_for(
    master: Master, persons: Callable[[int], Someone], caplog: pytest.LogCaptureFixture
) -> None:
    bus, stop = MemoryBus(), threading.Event()
    master.ingest([master.record(persons(1), "1", Protection())])
    with master.pool.connection() as connection:
        connection.execute("alter table mmd.dirty rename to not_yet")
    thread = threading.Thread(target=relay(master, bus, RELEASE).run, args=(stop,), daemon=True)
    thread.start()
    try:
        eventually(lambda: "the relay waits" in caplog.text)
        with master.pool.connection() as connection:
            connection.execute("alter table mmd.not_yet rename to dirty")
        eventually(lambda: len(bus.log(MMD_PERSON)) == 1)
    finally:
        stop.set()
        thread.join(HANGS_SECONDS)
    assert not thread.is_alive()
