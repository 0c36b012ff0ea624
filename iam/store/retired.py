"""Names of whoever is erased: taken for ever, and readable no more."""

import datetime as dt
from collections.abc import Collection, Iterable

from iam.domain import naming
from iam.store import world as store
from iam.store.world import Cause, Connection, person_things, take_locks

_NAMES = """
select n.kind, n.name, n.account::text from iam.name_ledger n join iam.account a on a.id = n.account
where (a.person_id = any(%(ids)s) or a.first_person = any(%(ids)s)) order by 1, 2
"""
_HIDE = "update iam.name_ledger set name = %s, event_id = 'erased' where account = %s::uuid and kind = %s"
_UNTOLD = "delete from iam.outbox where account = any(%s::uuid[])"
_TAKEN = """
insert into iam.name_ledger (kind, name, account, allocated_at, event_id)
values (%s, %s, %s, clock_timestamp(), 'erased') on conflict do nothing
"""

_ACCOUNT = """
insert into iam.account (id, person_id, first_person, employer, class, created_at) values (%s, %s, %s, '', '', %s)
on conflict (id) do nothing
"""
_ERASED = """
select distinct a.person_id from iam.account a join iam.name_ledger n on n.account = a.id
where n.name like '#%%' and a.person_id = any(%s) order by 1
"""

Name = tuple[str, str, str]
"""Kind, keyed digest, account."""


def names_of(connection: Connection, secret: bytes, ids: Collection[str]) -> list[Name]:
    """The names that the accounts of these persons were given, as digests."""
    rows = connection.execute(_NAMES, {"ids": sorted(ids)}).fetchall()
    return [(kind, naming.retired(secret, kind, name), account) for kind, name, account in rows]


def retire(connection: Connection, secret: bytes, ids: Collection[str]) -> None:
    """The ledger holds digests in place of the names, and no event tells them any more. In the caller's transaction."""
    take_locks(connection, person_things(ids), ())
    names = names_of(connection, secret, ids)
    with connection.cursor() as cursor:
        cursor.executemany(_HIDE, [(digest, account, kind) for kind, digest, account in names])
    connection.execute(_UNTOLD, [sorted({account for _, _, account in names})])


def take(connection: Connection, names: Iterable[Name]) -> None:
    """In a ledger that is made again: these are taken. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(_TAKEN, list(names))


def bury(
    connection: Connection, accounts: Iterable[tuple[str, str]], erased: Collection[str], now: dt.datetime
) -> None:
    """Whoever is erased is gone for a store that was made again too: an account of theirs that a target still has, because
    the erasure was younger than the last call to it, is removed. `accounts`: those with whose they were, which the ledger
    need not know any more. `erased`: nobody else is taken for gone, whosever an account is now. In the caller's
    transaction, after the names were taken."""
    with connection.cursor() as cursor:
        cursor.executemany(_ACCOUNT, [(account, person, person, now) for account, person in sorted(set(accounts))])
    persons = [row[0] for row in connection.execute(_ERASED, [sorted(erased)]).fetchall()]
    cause = Cause("erased", now)
    store.put_erased(connection, dict.fromkeys(persons), cause)
    store.enqueue(connection, persons, now, store.PRIORITY_NOW, cause)
