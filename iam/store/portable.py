"""What provisioning remembers as lines of an export: accounts, names that were given, and where accounts are.

What is desired follows from the master's documents; what a target holds is read from the target.
"""

import datetime as dt
from collections.abc import Iterable, Iterator

import msgspec
from psycopg.types.json import Jsonb

from iam.domain.account import Presence
from iam.store.facts import Found, stand_in
from iam.store.world import Connection


class AccountLine(msgspec.Struct, frozen=True, tag_field="record", tag="account"):
    """One login. `served`: every persona that it ever served, with the number of the decision by which it first did."""

    id: str
    person: str
    first_person: str
    employer: str
    account_class: str
    personas: tuple[str, ...]
    served: dict[str, int]
    created_at: dt.datetime


class NameLine(msgspec.Struct, frozen=True, tag_field="record", tag="name"):
    """A name that was given, for ever. Of an account of somebody who is erased: a keyed hash of it."""

    kind: str
    name: str
    account: str
    allocated_at: dt.datetime
    event: str


class PlaceLine(msgspec.Struct, frozen=True, tag_field="record", tag="place"):
    """That an account is in a target, as it was last read back there."""

    account: str
    target: str
    presence: Presence
    uid: str
    groups: tuple[str, ...]
    native_id: str
    version: str


Line = AccountLine | NameLine | PlaceLine

_ACCOUNTS = """
select id::text, person_id, first_person, employer, class, personas, served, created_at from iam.account order by id
"""
_NAMES = "select kind, name, account::text, allocated_at, event_id from iam.name_ledger order by 1, 2"
_PLACES = """
select o.account::text, o.target, o.presence, coalesce(n.name, ''), o.groups, o.native_id, o.target_version
from iam.observed o left join iam.name_ledger n on n.account = o.account and n.kind = 'uid'
where o.status <> 'never' and o.presence <> 'absent' order by 1, 2
"""
_PUT_ACCOUNT = """
insert into iam.account (id, person_id, first_person, employer, class, personas, served, created_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_PUT_NAME = "insert into iam.name_ledger (kind, name, account, allocated_at, event_id) values (%s, %s, %s, %s, %s)"
_SERVING = "select setval('iam.serving', greatest(%s, (select last_value from iam.serving)))"
_EMPTY = "select not exists (select from iam.account) and not exists (select from iam.name_ledger)"


def is_empty(connection: Connection) -> bool:
    return connection.execute(_EMPTY).fetchone() == (True,)


def lines(connection: Connection) -> Iterator[Line]:
    """In the caller's transaction: accounts, names, places."""
    for key, person, first, employer, kind, personas, served, created in connection.execute(_ACCOUNTS).fetchall():
        yield AccountLine(key, person, first, employer, kind, tuple(personas), served, created.astimezone(dt.UTC))
    for kind, name, account, at, event in connection.execute(_NAMES).fetchall():
        yield NameLine(kind, name, account, at.astimezone(dt.UTC), event)
    for account, target, presence, uid, groups, native_id, version in connection.execute(_PLACES).fetchall():
        yield PlaceLine(account, target, Presence(presence), uid, tuple(groups), native_id, version)


def put(connection: Connection, found: Iterable[Line], now: dt.datetime) -> None:
    """In the caller's transaction, into an empty store; accounts before their places."""
    for one in found:
        if isinstance(one, AccountLine):
            whose = (one.person, one.first_person, one.employer, one.account_class)
            row = (one.id, *whose, list(one.personas), Jsonb(one.served), one.created_at)
            connection.execute(_PUT_ACCOUNT, row)
            connection.execute(_SERVING, [max(one.served.values(), default=1)])
        elif isinstance(one, NameLine):
            connection.execute(_PUT_NAME, [one.kind, one.name, one.account, one.allocated_at, one.event])
        else:
            held = Found(one.account, one.presence, one.uid, frozenset(one.groups), one.native_id, one.version)
            stand_in(connection, one.target, [held], now)
