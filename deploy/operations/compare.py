"""Two stores side by side: which documents, desired accounts and names differ. Ids only, never content."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg

from deploy.wiring.base import Base
from mmd.store.hash import document_digests, hash_of

_DESIRED = "select account::text, target, digest, create_missing from iam.desired where presence <> 'absent'"
_NAMES = "select kind, name, account::text from iam.name_ledger"
_ACCOUNTS = """
select id::text, person_id, employer, class, personas from iam.account a
where not exists (select from iam.name_ledger n where n.account = a.id and n.name like '#%')
"""
"""Of whoever is erased nothing but the names is compared: that they are taken."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`what`: person, unit, redirect, desired, account or name (then `id` is the account's). `how`: `missing` in the other
    store, `new` there, or `differs`."""

    what: str
    id: str
    how: str


@dataclass(frozen=True, slots=True)
class Stand:
    """What a store holds, by (what, id), each with a digest that tells nothing. `hash`: of the master, as `state hash`."""

    hash: str
    counts: Mapping[str, int]
    things: Mapping[tuple[str, str], object]


def stand_of(base: Base) -> Stand:
    """One consistent look at a store."""
    with base.pool.connection() as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        documents = list(document_digests(connection, base.keys))
        things: dict[tuple[str, str], object] = {(one.kind, one.id): one.digest for one in documents}
        things.update(_provisioning(connection))
    found = hash_of(iter(documents))
    return Stand(found.hash, found.counts, things)


def _provisioning(connection: psycopg.Connection) -> Iterator[tuple[tuple[str, str], object]]:
    for account, target, *rest in connection.execute(_DESIRED).fetchall():
        yield ("desired", f"{account} {target}"), tuple(rest)
    for account, *rest in connection.execute(_ACCOUNTS).fetchall():
        yield ("account", account), repr(rest)
    names: dict[str, list[tuple[str, str]]] = {}
    for kind, name, account in connection.execute(_NAMES).fetchall():
        names.setdefault(account, []).append((kind, name))
    for account, given in names.items():
        yield ("name", account), tuple(sorted(given))


def differences(old: Stand, new: Stand) -> list[Difference]:
    """In order of what and id; empty: the two hold the same."""
    found = []
    for what, one in sorted(old.things.keys() | new.things.keys()):
        before, after = old.things.get((what, one)), new.things.get((what, one))
        if before != after:
            found.append(Difference(what, one, "new" if before is None else "missing" if after is None else "differs"))
    return found
