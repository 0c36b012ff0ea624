"""Two workers at once, forced: the first is held in the middle of its transaction while the second runs into it.

How: a trigger makes the first worker (by its application name) wait for an advisory lock that the test holds, at the
moment it writes to a chosen table. The second worker is then started, and goes on until it is done or the database says
that it waits for a lock. Only then is the first let go. No sleeping decides an outcome.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import permutations
from typing import TYPE_CHECKING

import psycopg
import psycopg.sql
import pytest

from mmd.domain.release import Release
from mmd.relay.relay import Relay
from mmd.store.hash import StateHash
from streams.clock import SystemTicker
from streams.codec import PublishedCodec
from streams.contracts.claims import Claim, Employment, Name, Protection, Segment, UnitNode, UnitPeriod, unit_key
from streams.contracts.documents import PersonDocument, Redirect
from streams.envelope import Message
from tests.waiting import HANGS_SECONDS, eventually

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

UNIT = unit_key("kommun", "10")
HELD = "held-worker"
_KEY = 4711

_TRIGGER = """
create or replace function mmd.test_hold() returns trigger language plpgsql as $$
begin
    if current_setting('application_name') = '{held}' then
        perform pg_advisory_xact_lock_shared({key});
    end if;
    return null;
end $$;
create trigger test_hold before insert or update on mmd.{table} for each statement execute function mmd.test_hold();
"""


def employment(number: str = "E1") -> Employment:
    return Employment("kommun", number, (Segment(dt.date(2026, 1, 1), None, UNIT),))


def named(given: str) -> Claim:
    return Claim(Name(given, "", "Ek", given), dt.date(2020, 1, 1))


def waiting(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute(
        "select count(*) from pg_stat_activity where datname = current_database() and application_name = %s"
        " and wait_event_type = 'Lock'",
        [name],
    ).fetchone()
    return bool(found and found[0])


class Worker(threading.Thread):
    """Handles one batch with connections of its own name; an exception is kept for `finish`."""

    def __init__(self, master: Master, batch: Sequence[Message]) -> None:
        super().__init__(daemon=True)
        self.handler = master.handler()
        self.batch = batch
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.handler(self.batch)
        except Exception as error:  # noqa: BLE001  # told by finish, in the test's own thread
            self.error = error

    def finish(self) -> None:
        self.join(HANGS_SECONDS)
        assert not self.is_alive(), "the worker hangs"
        if self.error is not None:
            raise self.error


@pytest.fixture
def twins(new_master: Callable[..., Master]) -> tuple[Master, Master]:
    """Two masters over one database, as two processes are: only the first is held by the trigger."""
    first = new_master(name=HELD)
    return first, new_master(url=first.url, keys=first.keys, name="second-worker")


@contextmanager
def held_at(
    first: Master, table: str, batch: Sequence[Message], *, may_end: bool = False
) -> Iterator[psycopg.Connection]:
    """Inside the block the first worker stands in the middle of its transaction; afterwards it has finished.
    `may_end`: it may also have had nothing to write there."""
    with psycopg.connect(first.url, autocommit=True) as control:
        control.execute(psycopg.sql.SQL(_TRIGGER.format(held=HELD, key=_KEY, table=table)))
        control.execute("select pg_advisory_lock(%s)", [_KEY])
        worker = Worker(first, batch)
        worker.start()
        eventually(lambda: not worker.is_alive() or waiting(control, HELD), "the first worker neither ends nor is held")
        assert worker.is_alive() or may_end, f"the first worker never wrote to {table}"
        try:
            yield control
        finally:
            control.execute("select pg_advisory_unlock(%s)", [_KEY])
            worker.finish()
            control.execute(psycopg.sql.SQL(f"drop trigger test_hold on mmd.{table}"))


def run_into(control: psycopg.Connection, second: Master, batch: Sequence[Message]) -> Worker:
    """Start the second worker and let it go on until it is done or waits for a lock of the first."""
    worker = Worker(second, batch)
    worker.start()
    eventually(lambda: not worker.is_alive() or waiting(control, "second-worker"), "the second neither ends nor waits")
    return worker


def alone(master: Master, batches: Sequence[Sequence[Message]]) -> StateHash:
    """What the same records come to in one worker, one after the other, in an empty store."""
    with master.pool.connection() as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'mmd'").fetchall()
        names = ", ".join(f"mmd.{row[0]}" for row in tables if row[0] not in ("alembic_version", "epoch"))
        connection.execute(psycopg.sql.SQL(f"truncate {names}"))
    for batch in batches:
        master.ingest(batch)
    return master.hash()


TABLES = ("subject", "head", "edge", "document", "dirty")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("swapped", [False, True])
def test_both_posts_of_a_number_change_in_two_batches_end_in_one_person(
    twins: tuple[Master, Master],
    persons: Callable[[int], Someone],
    table: str,
    swapped: bool,
) -> None:
    first, second = twins
    old, new = persons(1), persons(2)
    batches = [
        [first.record(old, "1", Protection(), named("Anna"), old.refers(new, superseded=True))],
        [first.record(new, "2", Protection(), named("Annika"), new.refers(old))],
    ]
    if swapped:
        batches.reverse()
    with held_at(first, table, batches[0]) as control:
        worker = run_into(control, second, batches[1])
        assert worker.is_alive(), "the second worker must wait: both join the same persons"
    worker.finish()
    found = first.reader.person(old.id)
    assert isinstance(found, PersonDocument)
    assert found.aliases == (new.id,)
    assert first.reader.person(new.id) == Redirect(new.id, old.id)
    assert first.hash() == alone(second, batches)


@pytest.mark.parametrize("table", ["subject", "head", "document", "dirty"])
def test_an_employment_under_the_old_number_is_not_lost_beside_a_number_change(
    twins: tuple[Master, Master], persons: Callable[[int], Someone], table: str
) -> None:
    first, second = twins
    old, new = persons(1), persons(2)
    hired = [first.record(old, "1", employment(), source="hr", key="E1")]
    changed = [first.record(new, "2", Protection(), named("Anna"), new.refers(old))]
    with held_at(first, table, hired) as control:
        worker = run_into(control, second, changed)
        assert worker.is_alive(), "joining persons waits for everyone who holds the gate"
    worker.finish()
    found = first.reader.person(old.id)
    assert isinstance(found, PersonDocument)
    assert [one.source_id for one in found.personas] == ["E1"]
    assert [one.given for one in found.names] == ["Anna"]
    assert first.hash() == alone(second, [hired, changed])


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
@pytest.mark.parametrize("table", ["head", "document"])
def test_an_employment_that_moves_to_another_person_and_back_is_with_one_person(
    twins: tuple[Master, Master],
    persons: Callable[[int], Someone],
    order: tuple[int, int, int],
    table: str,
) -> None:
    first, second = twins
    anna, bo = persons(1), persons(2)
    batches = [
        [first.record(who, version, employment(), source="hr", key="E1")]
        for who, version in ((anna, "1"), (bo, "2"), (anna, "3"))
    ]
    second.ingest(batches[order[0]])
    with held_at(first, table, batches[order[1]], may_end=True) as control:
        worker = run_into(control, second, batches[order[2]])
    worker.finish()
    found = first.reader.persons([anna.id, bo.id])
    assert [one.source_id for one in found[anna.id].personas] == ["E1"]
    assert found[bo.id].personas == ()
    assert first.hash() == alone(second, batches)


@pytest.mark.parametrize("table", ["subject", "claim", "head", "document", "referrer", "dirty"])
def test_a_zombie_worker_that_handles_the_same_batch_changes_nothing(
    twins: tuple[Master, Master], persons: Callable[[int], Someone], table: str
) -> None:
    first, second = twins
    batch = [
        first.record(persons(n), "1", Protection(), employment(f"E{n}"), source="hr", key=f"E{n}") for n in range(5)
    ]
    with held_at(first, table, batch) as control:
        worker = run_into(control, second, batch)
        assert worker.is_alive(), "the second worker must wait for the first to decide"
    worker.finish()
    assert {row[0] for row in first.rows("select number from mmd.document")} == {1}
    assert first.rows("select count(*) from mmd.claim") == [(10,)]
    assert first.rows("select count(*) from mmd.dirty") == [(5,)]
    assert first.hash() == alone(second, [batch])


@pytest.mark.parametrize("table", ["claim", "head", "document", "dirty"])
def test_two_workers_that_hear_different_things_of_one_known_person_lose_neither(
    twins: tuple[Master, Master], persons: Callable[[int], Someone], table: str
) -> None:
    first, second = twins
    anna = persons(1)
    known = [first.record(anna, "1", Protection())]
    hired = [first.record(anna, "1", employment(), source="hr", key="E1")]
    renamed = [first.record(anna, "2", named("Anna"))]
    second.ingest(known)
    with held_at(first, table, hired) as control:
        worker = run_into(control, second, renamed)
        assert worker.is_alive(), "one person is derived by one worker at a time"
    worker.finish()
    found = first.reader.person(anna.id)
    assert isinstance(found, PersonDocument)
    assert [one.source_id for one in found.personas] == ["E1"]
    assert [one.given for one in found.names] == ["Anna"]
    assert first.hash() == alone(second, [known, hired, renamed])


def test_a_worker_that_speaks_of_a_person_that_is_being_joined_does_not_write_to_the_old_place(
    twins: tuple[Master, Master], persons: Callable[[int], Someone]
) -> None:
    """The joining worker has the row of the person already, and has not yet said where the person lives on."""
    first, second = twins
    old, new = persons(1), persons(2)
    known = [first.record(old, "1", Protection()), first.record(new, "1", Protection())]
    joining = [first.record(new, "2", new.refers(old))]
    hired = [first.record(new, "1", employment(), source="hr", key="E1")]
    second.ingest(known)
    with held_at(first, "edge", joining) as control:
        worker = run_into(control, second, hired)
        assert worker.is_alive()
    worker.finish()
    found = first.reader.person(old.id)
    assert isinstance(found, PersonDocument)
    assert [one.source_id for one in found.personas] == ["E1"]
    assert first.hash() == alone(second, [known, joining, hired])


@pytest.mark.parametrize("table", ["edge", "document"])
def test_a_chain_whose_two_references_come_at_once_ends_in_its_oldest_number(
    twins: tuple[Master, Master], persons: Callable[[int], Someone], table: str
) -> None:
    first, second = twins
    oldest, middle, newest = persons(1), persons(2), persons(3)
    known = [first.record(one, "1", Protection()) for one in (oldest, middle, newest)]
    batches = [
        [first.record(middle, "2", middle.refers(oldest))],
        [first.record(newest, "2", newest.refers(middle))],
    ]
    second.ingest(known)
    with held_at(first, table, batches[0]) as control:
        worker = run_into(control, second, batches[1])
        assert worker.is_alive(), "persons are joined by one worker at a time"
    worker.finish()
    for one in (middle, newest):
        assert first.reader.person(one.id) == Redirect(one.id, oldest.id)
    assert first.hash() == alone(second, [known, *batches])


RELEASE = Release.from_data(
    {
        "reader": "topic",
        "purpose": {"sv": "Prov", "en": "Test"},
        "legal_basis": "test",
        "attributes": ["personas"],
        "persona_types": "all",
        "units": "all",
        "valid_until": "2099-12-31",
    }
)


class Sent:
    """A producer that remembers the keys in the order they were sent."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def send(self, message: Message) -> None:
        self.keys.append(message.key)

    def flush(self) -> None:
        return None


@pytest.mark.parametrize("unit_first", [False, True])
@pytest.mark.parametrize("table", ["document", "dirty"])
def test_whoever_refers_to_a_unit_that_appears_meanwhile_is_published_after_it(
    twins: tuple[Master, Master], persons: Callable[[int], Someone], unit_first: bool, table: str
) -> None:
    first, second = twins
    anna, sent = persons(1), Sent()
    hired = [first.record(anna, "1", Protection(), employment(), source="hr", key="E1")]
    unit = [first.record(UNIT, "1", UnitNode((UnitPeriod(dt.date(2020, 1, 1)),)), source="org")]
    codec = PublishedCodec(second.keys)
    relay = Relay(second.pool, codec, second.keys, sent, RELEASE, second.clock, SystemTicker(), "relay")
    with held_at(first, table, unit if unit_first else hired) as control:
        run_into(control, second, hired if unit_first else unit).finish()
        while relay.run_once():  # the second's is published, and who referred to it looked up, before the first commits
            pass
        assert sent.keys == ([anna.id] if unit_first else [UNIT])
    while relay.run_once():
        pass
    assert sent.keys == ([anna.id, UNIT, anna.id] if unit_first else [UNIT, anna.id])


class Relaying(threading.Thread):
    """One round of a relay; an exception is kept for `finish`."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(daemon=True)
        self.relay = relay
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.relay.run_once()
        except Exception as error:  # noqa: BLE001  # told by finish, in the test's own thread
            self.error = error

    def finish(self) -> None:
        self.join(HANGS_SECONDS)
        assert not self.is_alive(), "the relay hangs"
        if self.error is not None:
            raise self.error


def test_a_relay_that_fans_out_and_a_worker_that_writes_the_same_documents_do_not_end_each_others_work(
    twins: tuple[Master, Master], persons: Callable[[int], Someone], caplog: pytest.LogCaptureFixture
) -> None:
    """The worker has both documents and is about to make them dirty, which one of them is already."""
    caplog.set_level(logging.INFO)
    first, second = twins
    chief, anna, sent = persons(1), persons(2), Sent()
    hired = Employment("kommun", "E1", (Segment(dt.date(2026, 1, 1), None, UNIT, manager=chief.subject),))
    second.ingest([second.record(anna, "1", Protection(), hired, source="hr", key="E1")])
    codec = PublishedCodec(second.keys)
    relay = Relay(second.pool, codec, second.keys, sent, RELEASE, second.clock, SystemTicker(), "relay")
    while relay.run_once():
        pass
    second.ingest([second.record(chief, "1", Protection())])
    both = [first.record(who, "2", Protection(sekretessmarkering=True)) for who in (chief, anna)]
    with held_at(first, "dirty", both) as control:
        relaying = Relaying(relay)
        relaying.start()
        eventually(lambda: not relaying.is_alive() or waiting(control, "second-worker"))
        assert relaying.is_alive(), "the relay waits for the document of the one who refers to the chief"
    relaying.finish()
    assert "Deadlock" not in caplog.text
    while relay.run_once():
        pass
    assert first.rows("select count(*) from mmd.dirty") == [(0,)]
