"""What a ruling would do to persons and accounts, found out by doing it: the same ingest, relay and evaluation, in one
transaction that is rolled back. Nothing is sent, no target is asked, and no name is told.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import msgspec
import psycopg
from psycopg.rows import TupleRow

from deploy.settings import MasterSettings, ProvisioningSettings
from deploy.wiring import master, provisioning
from deploy.wiring.base import Base, Pool
from deploy.wiring.data import read_releases
from mmd.relay.outgoing import Taken, compose
from mmd.store.sealed import open_documents
from streams.clock import today
from streams.codec import PublishedCodec
from streams.contracts.documents import PersonDocument, Redirect
from streams.contracts.errors import Unavailable
from streams.envelope import Message

_WAITING = "select document, number from mmd.dirty"
_CHANGED = """
select d.document, d.lane, d.fan_out, d.cause, d.caused_at, m.number, m.raised, m.kind, m.key_id, m.body
from mmd.dirty d join mmd.document m on m.id = d.document where d.document = any(%s) order by 1
"""
_DESIRED = """
select a.id::text, d.target, a.person_id, d.presence, d.groups
from iam.desired d join iam.account a on a.id = d.account where a.person_id = any(%s)
"""
_PATIENCE = "set local lock_timeout = '5s'"


class PersonAfter(msgspec.Struct, frozen=True):
    """One document as it would be: a person with so many personas under a marking, or a redirect (`lives_on`)."""

    person: str
    marking: str = ""
    personas: int = 0
    lives_on: str = ""


class AccountAfter(msgspec.Struct, frozen=True):
    """An account in a target that would change. `presence`: before and after (empty: there was none); `moves_to`: whose it
    becomes, where that changes."""

    account: str
    target: str
    presence: tuple[str, str]
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    moves_to: str = ""


class Consequences(msgspec.Struct, frozen=True):
    """By id and by account key. Those who only refer to the persons (whose manager one of them is) are not in it."""

    persons: tuple[PersonAfter, ...]
    accounts: tuple[AccountAfter, ...]


class _OneConnection:
    """In the place of a pool: every transaction is a savepoint of the one that is rolled back."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        with self._connection.transaction():
            yield self._connection


def rehearse(
    base: Base, of_master: MasterSettings, of_provisioning: ProvisioningSettings, messages: Sequence[Message]
) -> Consequences:
    """What these messages would change. Holds the locks of the ruling while it looks, a fraction of a second.

    Raises what ingest raises for a message that is refused, `Unavailable` where locks are not to be had in five seconds.
    """
    try:
        with base.pool.connection() as connection, connection.transaction(force_rollback=True):
            connection.execute(_PATIENCE)
            return _rehearsed(_Stage(base, of_master, of_provisioning, connection), messages)
    except psycopg.errors.LockNotAvailable:
        raise Unavailable("service.unavailable", "others hold what the ruling is about: ask again") from None


class _Stage:
    """Ingest and evaluation on the one connection."""

    def __init__(
        self,
        base: Base,
        of_master: MasterSettings,
        of_provisioning: ProvisioningSettings,
        connection: psycopg.Connection,
    ) -> None:
        self.connection = connection
        self.base = base
        self.release = read_releases(of_master.releases).topic
        pool = cast(Pool, _OneConnection(connection))
        self.ingest = master.ingest_handler(base, of_master, pool)
        self.evaluate = provisioning.evaluate_handler(base, of_provisioning, pool)

    def rows(self, statement: str, *ids: list[str]) -> list[TupleRow]:
        return self.connection.execute(statement.encode(), ids).fetchall()

    def desired(self, persons: list[str]) -> dict[tuple[str, str], list[object]]:
        return {(account, target): rest for account, target, *rest in self.rows(_DESIRED, persons)}


def _rehearsed(stage: _Stage, messages: Sequence[Message]) -> Consequences:
    waited: Mapping[str, int] = dict(stage.rows(_WAITING))
    stage.ingest(messages)
    taken = _taken(stage, [name for name, number in stage.rows(_WAITING) if waited.get(name) != number])
    everybody = sorted({name for one in taken for name in _ids(one)})
    before = stage.desired(everybody)
    with stage.connection.cursor(binary=True) as cursor:
        row = cursor.execute("select number from mmd.epoch").fetchone()
        epoch = row[0] if row else 0
        batch = compose(cursor, taken, stage.release, epoch, today(stage.base.clock))
    stage.evaluate(PublishedCodec(stage.base.keys).encode(batch.records))
    after = stage.desired(everybody)
    persons = (_person(one) for one in taken)
    accounts = (_account(*place, before.get(place), after[place]) for place in sorted(after))
    return Consequences(
        tuple(one for one in persons if one is not None), tuple(one for one in accounts if one is not None)
    )


def _taken(stage: _Stage, ids: list[str]) -> list[Taken]:
    rows = stage.rows(_CHANGED, ids)
    documents = open_documents(stage.base.keys, ((row[0], *row[7:10]) for row in rows)).whole()
    return [
        Taken(name, lane, fan_out, cause, caused_at.astimezone(dt.UTC), number, raised, documents.get(name))
        for name, lane, fan_out, cause, caused_at, number, raised, *_ in rows
    ]


def _ids(one: Taken) -> set[str]:
    aliases = one.document.aliases if isinstance(one.document, PersonDocument) else ()
    return {one.id, *aliases}


def _person(one: Taken) -> PersonAfter | None:
    document = one.document
    if isinstance(document, Redirect):
        return PersonAfter(one.id, lives_on=document.to)
    if isinstance(document, PersonDocument):
        marking = document.marking.value if document.marking else ""
        return PersonAfter(one.id, marking, len(document.personas))
    return None


def _account(account: str, target: str, before: list[object] | None, after: list[object]) -> AccountAfter | None:
    if before == after:
        return None
    person, presence, groups = after
    was_person, was_presence, was_groups = before or ["", "", []]
    had, has = set(cast(list[str], was_groups)), set(cast(list[str], groups))
    moves = str(person) if before is not None and person != was_person else ""
    return AccountAfter(
        account, target, (str(was_presence), str(presence)), tuple(sorted(has - had)), tuple(sorted(had - has)), moves
    )
