"""What provisioning remembers beside the master's documents, made again where its store is lost: the ledger from what it
decided (the account facts on `source.account.v1`), before anything is allocated, and where accounts are from the targets."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from psycopg.types.json import Jsonb

from iam.domain.account import AccountState, Intent, Presence
from iam.store.bodies import seal_intent
from iam.store.world import Connection
from streams.contracts.claims import AccountFacts

_ACCOUNT = """
insert into iam.account (id, person_id, first_person, employer, class, personas, served, created_at)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do nothing
"""
_NAME = """
insert into iam.name_ledger (kind, name, account, allocated_at, event_id) values (%s, %s, %s, %s, %s)
on conflict do nothing
"""
_KNOWN = "select id::text from iam.account where id::text = any(%s)"
_DESIRED = """
insert into iam.desired (account, target, version, lane, digest, create_missing, presence, groups, key_id, body, cause,
                         changed_at)
values (%s, %s, 0, 'update', '', false, %s, %s, '', %s, 'rebuild', %s) on conflict (account, target) do nothing
"""
_OBSERVED = """
insert into iam.observed (account, target, status, presence, groups, native_id, target_version)
values (%s, %s, 'unknown', %s, %s, %s, %s) on conflict (account, target) do nothing
"""
_SEQUENCES = """
select setval('iam.serving', greatest(%(decisions)s, (select last_value from iam.serving))),
       setval('iam.outbox_id_seq', greatest(%(last)s, (select last_value from iam.outbox_id_seq)))
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One decision as the log tells it. `version` sorts by time and then by the order of decisions; `at` is UTC."""

    version: str
    event: str
    person: str
    at: dt.datetime
    facts: AccountFacts


@dataclass(frozen=True, slots=True)
class Found:
    """An account as a target holds it."""

    account: str
    presence: Presence
    uid: str
    groups: frozenset[str]
    native_id: str
    version: str


@dataclass(slots=True)
class _Account:
    first: Told
    last: Told
    served: dict[str, int] = field(default_factory=dict)


def take_over(connection: Connection, told: Iterable[Told]) -> int:
    """Accounts and names as the decisions left them; how many accounts. In the caller's transaction; what the ledger
    has already stays. A decision that does not tell the account's employer and class keeps its names taken."""
    ordered = sorted({one.event: one for one in told}.values(), key=lambda one: (one.version, one.event))
    accounts: dict[str, _Account] = {}
    for number, one in enumerate(ordered, 1):
        account = accounts.setdefault(one.facts.account, _Account(one, one))
        account.last = one
        for persona in one.facts.personas:
            account.served.setdefault(persona, number)
    with connection.cursor() as cursor:
        cursor.executemany(_ACCOUNT, [_row(key, one) for key, one in accounts.items() if one.last.facts.account_class])
        cursor.executemany(_NAME, [row for key, one in accounts.items() for row in _names(key, one)])
        if ordered:
            last = int(ordered[-1].version.rpartition("|")[2] or 1)
            cursor.execute(_SEQUENCES, {"decisions": len(ordered), "last": last})
    return len(accounts)


def stand_in(connection: Connection, target: str, found: Iterable[Found], now: dt.datetime) -> int:
    """That these accounts of the ledger are in the target, bare of all attributes, so that evaluation knows where they
    were; how many. They are to be read back before anything is done to them. Accounts of nobody are left out."""
    by_account = {one.account: one for one in found}
    rows = connection.execute(_KNOWN, [sorted(by_account)]).fetchall()
    known = [by_account[row[0]] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(_DESIRED, [_wanted(one, target, now) for one in known])
        cursor.executemany(
            _OBSERVED,
            [(one.account, target, one.presence, sorted(one.groups), one.native_id, one.version) for one in known],
        )
    return len(known)


def _wanted(one: Found, target: str, now: dt.datetime) -> tuple[object, ...]:
    bare = Intent(AccountState(one.account, one.presence, one.uid, {}, one.groups), "", create_missing=False)
    return one.account, target, one.presence, sorted(one.groups), seal_intent(None, target, bare), now


def _row(key: str, one: _Account) -> tuple[object, ...]:
    facts = one.last.facts
    whose = (one.last.person, one.first.person, facts.employer, facts.account_class)
    return key, *whose, list(facts.personas), Jsonb(one.served), one.first.at


def _names(key: str, one: _Account) -> list[tuple[object, ...]]:
    facts = one.last.facts
    given = (("uid", facts.uid), ("eppn", facts.eppn), ("mail", facts.mail))
    return [(kind, name, key, one.first.at, one.first.event) for kind, name in given if name]
