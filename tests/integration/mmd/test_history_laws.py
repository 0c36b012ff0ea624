"""Laws of the master over whole histories, through the real ingest transaction, by two workers at once on the same persons.

Each history is shuffled, repeated and cut into batches; each batch goes to one of two workers or, as after a rebalance,
to both. They begin at the same moment, and the first batch of one of them may be held in the middle of its transaction
until the other has run into it. What is stored then must be what derive makes of the same claims, as known at every
earlier time too. `KALLAN_LAWS=20 make laws` tries so many times as many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TYPE_CHECKING

import psycopg
import psycopg.sql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmd.domain.claims import LoggedClaim
from mmd.domain.everyone import derive_everyone
from mmd.domain.things import derive_thing
from mmd.ingest.prepare import Preparer
from streams.codec import Outgoing
from streams.contracts.claims import ID_SUBJECT_PREFIX, Merge, Split, is_thing
from streams.contracts.documents import Redirect
from streams.envelope import Message
from tests.laws import times
from tests.unit.mmd_domain.laws_histories import histories, told_anyhow
from tests.unit.mmd_domain.laws_records import (
    CAST,
    PERSON_SECRET,
    REGISTER,
    Told,
    instants,
    known_by,
    person_id_of,
    subject,
)
from tests.waiting import HANGS_SECONDS, eventually

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master

HELD, OTHER = "held-worker", "other-worker"
TABLES = ("subject", "head", "edge", "document", "dirty")
_KEY = 4712

_HOLDING = """
create table mmd.test_held (name text);
create function mmd.test_hold() returns trigger language plpgsql as $$
begin
    if current_setting('application_name') = 'held-worker' and exists (select from mmd.test_held where name = TG_TABLE_NAME)
    then
        perform pg_advisory_xact_lock_shared(4712);
    end if;
    return null;
end $$;
"""
_TRIGGER = """
create trigger test_hold before insert or update on mmd.{} for each statement execute function mmd.test_hold()
"""


class Workers:
    """Two handlers with connections of their own over one store, and a connection that can hold the first of them."""

    def __init__(self, first: Master, second: Master, control: psycopg.Connection) -> None:
        self.first, self.second, self.control = first, second, control
        for one in (first, second):
            one.register = REGISTER
        self.handlers = (first.handler(), second.handler())
        self.threads = ThreadPoolExecutor(2)
        control.execute(_HOLDING)
        for table in TABLES:
            control.execute(psycopg.sql.SQL(_TRIGGER).format(psycopg.sql.Identifier(table)))
        names = control.execute("select tablename from pg_tables where schemaname = 'mmd'").fetchall()
        kept = {"alembic_version", "epoch"}
        self._empty = "; ".join(f"delete from mmd.{name}" for (name,) in names if name not in kept)

    def empty(self) -> None:
        self.control.execute(self._empty.encode())

    def message(self, told: Told, at: int) -> Message:
        codec = self.first.account_codec if told.topic == "source.account.v1" else self.first.codec
        made = codec.encode([Outgoing(told.topic, told.record, told.event, told.at)])[0]
        return Message(made.topic, made.key, made.value, made.headers, 0, at)

    def run(self, queues: Sequence[Sequence[Sequence[Message]]], held: str) -> None:
        """Both queues at once. `held`: the table at which the first worker waits, in its first batch, until the second
        has ended or waits for it; empty: nobody waits for anybody on purpose."""
        if not held:
            together = Barrier(2)
            self._finish([self._start(at, queue, together) for at, queue in enumerate(queues)])
            return
        with self._holding(held):
            running = [self._start(0, queues[0])]
            eventually(lambda: running[0].done() or self._waits(HELD), "the first worker neither ends nor is held")
            running.append(self._start(1, queues[1]))
            eventually(lambda: running[1].done() or self._waits(OTHER), "the second worker neither ends nor waits")
        self._finish(running)

    def _start(self, at: int, queue: Sequence[Sequence[Message]], together: Barrier | None = None) -> Future[None]:
        def work() -> None:
            if together is not None:
                together.wait(HANGS_SECONDS)
            for batch in queue:
                self.handlers[at](batch)

        return self.threads.submit(work)

    def _finish(self, running: Sequence[Future[None]]) -> None:
        for one in running:
            one.result(HANGS_SECONDS)

    @contextmanager
    def _holding(self, table: str) -> Iterator[None]:
        self.control.execute("insert into mmd.test_held values (%s)", [table])
        self.control.execute("select pg_advisory_lock(%s)", [_KEY])
        try:
            yield
        finally:
            self.control.execute("select pg_advisory_unlock(%s)", [_KEY])

    def _waits(self, name: str) -> bool:
        found = self.control.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = %s"
            " and wait_event_type = 'Lock'",
            [name],
        ).fetchone()
        return bool(found and found[0])


@pytest.fixture
def workers(new_master: Callable[..., Master]) -> Iterator[Workers]:
    first = new_master(name=HELD, size=2)
    second = new_master(url=first.url, keys=first.keys, name=OTHER, size=2)
    with psycopg.connect(first.url, autocommit=True) as control:
        found = Workers(first, second, control)
        yield found
        found.threads.shutdown()


@st.composite
def queues(draw: st.DrawFn, messages: int) -> list[list[range]]:
    """How a log of so many messages is cut into batches, and which worker handles which: one of them, or both."""
    found: list[list[range]] = [[], []]
    start = 0
    while start < messages:
        batch = range(start, min(messages, start + draw(st.integers(1, 6))))
        for worker in draw(st.sampled_from([(0,), (1,), (0,), (1,), (0, 1)])):
            found[worker].append(batch)
        start = batch.stop
    return found


def expected(workers: Workers, log: Sequence[Message]) -> list[LoggedClaim]:
    master = workers.first
    preparer = Preparer(master.codec, master.keys, REGISTER, PERSON_SECRET, b"d" * 32)
    return [one.logged for one in preparer.prepare(log).claims.values()]


def parted_as_now(then: Sequence[LoggedClaim], now: Sequence[LoggedClaim]) -> list[LoggedClaim]:
    """With the splits that undo a merge of then, whenever they came: who was merged by mistake is never shown as one again,
    as of no earlier moment either, for that would tell one of the other (`Reader.as_known`)."""
    merged = {(one.subject, one.source_key) for one in then if isinstance(one.claim.body, Merge)}
    later = [
        one
        for one in now
        if one not in then
        and isinstance(one.claim.body, Split)
        and any((one.subject, name) in merged for name in one.claim.body.merges)
    ]
    return [*then, *later]


@settings(max_examples=times(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), data=st.data())
def test_two_workers_at_once_make_of_any_history_what_derive_makes_of_it_now_and_as_known_before(
    workers: Workers, history: list[Told], data: st.DataObject
) -> None:
    log = [workers.message(one, at) for at, one in enumerate(data.draw(told_anyhow(history)))]
    cut = data.draw(queues(len(log)))
    workers.empty()
    workers.run(
        [[[log[at] for at in batch] for batch in queue] for queue in cut],
        data.draw(st.sampled_from(["", *TABLES])),
    )
    claims = expected(workers, log)
    pure = derive_everyone(claims, REGISTER, person_id_of)
    reader = workers.first.reader
    stored = [row[0] for row in workers.first.rows("select id from mmd.document")]
    spoken_of = {claim.subject for claim in claims if is_thing(claim.subject)}
    things = {key: derive_thing(key, claims, REGISTER, person_id_of) for key in spoken_of}
    assert {one: reader.thing(one) for one in stored if is_thing(one)} == things
    found = {one: reader.person(one) for one in stored if not is_thing(one)}
    aliases = {alias: Redirect(alias, document.id) for document in pure.values() for alias in document.aliases}
    assert found == {**pure, **aliases}

    known = data.draw(st.sampled_from(instants(history)))
    logged = known_by(claims, known)
    then = derive_everyone(parted_as_now(logged, claims), REGISTER, person_id_of)
    told = {own_id_of(one.subject) for one in logged}
    ids = {document.id: {document.id, *document.aliases} for document in then.values()}
    by_any_id = {one: then[row] for row, every in ids.items() if every & told for one in every}
    for one in map(person_id_of, map(subject, CAST)):
        assert reader.as_known(one, known, REGISTER) == by_any_id.get(one)


def own_id_of(named: str) -> str:
    return named.removeprefix(ID_SUBJECT_PREFIX) if named.startswith(ID_SUBJECT_PREFIX) else person_id_of(named)
