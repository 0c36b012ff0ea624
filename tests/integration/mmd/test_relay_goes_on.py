"""What cannot be read or sent holds up nobody else: ends and markings go out all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mmd.store.sealed import seal_document
from streams.bus import MemoryBus
from streams.catalogue import MMD_PERSON, MMD_URGENT
from streams.contracts.claims import Employment, Marking, Protection, Segment
from streams.sealing import KeyClass
from tests.integration.mmd.test_relay import drain, employed, named, published, relay

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

LAST_DAY = dt.date(2026, 3, 4)
AFTER = dt.datetime(2026, 3, 4, 23, tzinfo=dt.UTC)


def spoil(master: Master, who: Someone, how: str) -> None:
    """The stored document of someone is not what it should be any more."""
    key = master.keys.current(KeyClass.INNER, {who.subject})[who.subject]
    key_id, body = {
        "moved": (key.id, seal_document(key, "another row", b"{}")),
        "of another program": (key.id, seal_document(key, who.id, b'{"id": 7}')),
        "key lost": (f"inner/{who.subject}/9", b""),
    }[how]
    with master.pool.connection() as connection:
        connection.execute("update mmd.document set key_id = %s, body = %s where id = %s", [key_id, body, who.id])


@pytest.mark.parametrize("how", ["moved", "of another program", "key lost"])
@pytest.mark.parametrize("due", [False, True])
def test_a_document_that_cannot_be_opened_waits_alone(
    master: Master, persons: Callable[[int], Someone], caplog: pytest.LogCaptureFixture, how: str, due: bool
) -> None:
    anna, bo, bus = persons(1), persons(2), MemoryBus()
    one = relay(master, bus)
    for who in (anna, bo):
        ending = employed(end=LAST_DAY)
        master.ingest([master.record(who, "1", Protection(), ending, source="hr", key=f"E-{who.id}")])
    if due:
        drain(one)
        master.clock.instant = AFTER
    good = master.rows("select key_id, body from mmd.document where id = %s", anna.id)[0]
    spoil(master, anna, how)
    master.ingest([master.record(bo, "2", Protection(sekretessmarkering=True))])
    drain(one)
    assert [message.key for message in bus.log(MMD_URGENT)] == [bo.id]
    assert "envelope.forged" in caplog.text or "key.unknown" in caplog.text
    with master.pool.connection() as connection:
        connection.execute("update mmd.document set key_id = %s, body = %s where id = %s", [*good, anna.id])
        connection.execute("update mmd.dirty set since = now()")
    master.clock.instant = AFTER + dt.timedelta(minutes=10)
    drain(one)
    last = [sent.person for sent in published(master, bus, MMD_PERSON) if sent.person and sent.person.id == anna.id][-1]
    assert last.personas[0].state(dt.date(2026, 3, 5)) == "closed"
    assert anna.id in [message.key for message in bus.log(MMD_URGENT)][1:]


@pytest.mark.parametrize("how", ["moved", "of another program", "key lost"])
def test_a_marking_of_a_person_whose_document_cannot_be_opened_is_written_all_the_same(
    master: Master, persons: Callable[[int], Someone], how: str
) -> None:
    anna, bus = persons(1), MemoryBus()
    one = relay(master, bus)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    drain(one)
    spoil(master, anna, how)
    master.ingest([master.record(anna, "2", employed(), source="hr", key="E1")])
    master.ingest([master.record(anna, "3", Protection(sekretessmarkering=True))])
    drain(one)
    (sent,) = [found.person for found in published(master, bus, MMD_URGENT)]
    assert sent is not None
    assert (sent.marking, len(sent.personas)) == (Marking.SEKRETESSMARKERING, 1)


def test_a_document_that_is_too_large_is_withheld_and_its_person_ends(
    master: Master, persons: Callable[[int], Someone], caplog: pytest.LogCaptureFixture
) -> None:
    anna, bo, bus = persons(1), persons(2), MemoryBus()
    one = relay(master, bus)
    master.ingest([master.record(anna, "1", Protection(), named("Anna"))])
    drain(one)
    for number in range(20):
        large = Employment("kommun", f"E{number}", (Segment(dt.date(2026, 1, 1), title="x" * 60_000),))
        master.ingest([master.record(anna, "2", large, source="hr", key=f"E{number}")])
    master.ingest([master.record(bo, "1", Protection(), named("Bo"))])
    drain(one)
    sent = published(master, bus, MMD_PERSON)
    assert {found.person.id for found in sent if found.person} == {anna.id, bo.id}
    assert [found.withheld.id for found in sent if found.withheld] == [anna.id]
    assert "input.too-large" in caplog.text
    assert master.rows("select count(*) from mmd.dirty") == [(0,)]
