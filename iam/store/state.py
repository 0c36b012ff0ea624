"""What stands in desired and observed state: one hash of each with counts, and an account with everything about it."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import msgspec
import psycopg
import psycopg_pool

from iam.domain.account import Intent, Presence, digest
from iam.store.bodies import open_intent
from iam.store.world import Connection
from streams.sealing import KeyRing, KeyState

Pool: TypeAlias = psycopg_pool.ConnectionPool[psycopg.Connection]


class StateHash(NamedTuple):
    """One hash of a set of rows, whatever their order, with counts. No versions, times, key ids or database ids in it."""

    hash: str
    counts: Mapping[str, int]


def desired_hash(pool: Pool, keys: KeyRing) -> StateHash:
    """Over account, target and the digest of the plaintext state; that an account is not to be there at all is nothing.
    Counts: accounts, rows by presence, grants, and rows that are `unreadable` (key renewed: written again when the newer
    document comes) or `forged` (digest differs)."""
    with pool.connection() as connection:
        rows = connection.execute(
            """select account::text, target, digest, presence, groups, create_missing, key_id, body from iam.desired
               where presence <> 'absent'"""
        ).fetchall()
    found = keys.find({row[6] for row in rows if row[6]})
    counts: Counter[str] = Counter({"accounts": len({row[0] for row in rows}), "unreadable": 0, "forged": 0})
    lines: list[tuple[str, ...]] = []
    for account, target, stored, presence, groups, create_missing, key_id, body in rows:
        intent = open_intent(found, account, target, key_id, body)
        if isinstance(intent, KeyState):
            counts["unreadable"] += 1
        elif digest(intent.state, intent.salt) != stored:
            counts["forged"] += 1
        counts[presence] += 1
        counts["grants"] += len(groups)
        lines.append((account, target, stored, str(create_missing)))
    return _hash(lines, counts)


def observed_hash(pool: Pool) -> StateHash:
    """Over account, target, status, presence and digest as read back. Counts: rows by status, presence of the known
    ones, grants, and rows that are `behind` what is desired."""
    with pool.connection() as connection:
        rows = connection.execute(
            """select o.account::text, o.target, o.status, o.presence, o.digest, o.groups,
                      d.digest is distinct from o.digest or o.status <> 'known'
               from iam.observed o left join iam.desired d using (account, target)"""
        ).fetchall()
    counts: Counter[str] = Counter({"accounts": len({row[0] for row in rows}), "behind": 0})
    for _, _, status, presence, _, groups, behind in rows:
        counts[status] += 1
        counts["behind"] += bool(behind)
        if status == "known":
            counts[presence] += 1
            counts["grants"] += len(groups)
    return _hash([tuple(row[:5]) for row in rows], counts)


def _hash(lines: Iterable[Sequence[str]], counts: Counter[str]) -> StateHash:
    text = msgspec.json.encode(sorted(tuple(line) for line in lines))
    return StateHash(hashlib.sha256(text).hexdigest()[:32], dict(sorted(counts.items())))


@dataclass(frozen=True, slots=True)
class ObservedView:
    """As last read back; `status` is never, known or unknown."""

    status: str = "never"
    presence: Presence = Presence.ABSENT
    digest: str = ""
    groups: frozenset[str] = frozenset()
    version: int = 0
    attempt: int = 0
    read_at: dt.datetime | None = None
    failures: int = 0
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class TargetView:
    """One account in one target. `intent` None: its key is renewed or erased. `equal`: read back as desired."""

    target: str
    version: int
    lane: str
    digest: str
    presence: Presence
    groups: frozenset[str]
    create_missing: bool
    intent: Intent | None
    cause: str
    caused_at: dt.datetime | None
    source_stamp: str
    changed_at: dt.datetime
    observed: ObservedView

    @property
    def equal(self) -> bool:
        return self.observed.status == "known" and self.observed.digest == self.digest


@dataclass(frozen=True, slots=True)
class AccountView:
    id: str
    person: str
    employer: str
    account_class: str
    personas: tuple[str, ...]
    created_at: dt.datetime
    names: Mapping[str, str] = field(default_factory=dict)  # by kind: uid, eppn, mail
    targets: tuple[TargetView, ...] = ()


_ACCOUNTS = """
select a.id::text, a.person_id, a.employer, a.class, a.personas, a.created_at,
       coalesce((select jsonb_object_agg(n.kind, n.name) from iam.name_ledger n where n.account = a.id), '{}'::jsonb)
from iam.account a
where a.person_id = coalesce((select l.to_id from iam.lives_on(array[%(person)s::text]) l), %(person)s)
   or a.id::text = %(person)s
order by a.created_at, a.id
"""

_TARGETS = """
select d.account::text, d.target, d.version, d.lane, d.digest, d.presence, d.groups, d.create_missing, d.key_id, d.body,
       d.cause, d.caused_at, d.source_stamp, d.changed_at,
       o.status, o.presence, o.digest, o.groups, o.version, o.attempt, o.read_at, o.failures, o.error_code
from iam.desired d left join iam.observed o using (account, target)
where d.account = any(%s::uuid[]) order by d.account, d.target
"""


class Accounts:
    """Reads accounts with desired and observed state per target, opened. Nothing is written."""

    def __init__(self, pool: Pool, keys: KeyRing) -> None:
        self._pool = pool
        self._keys = keys

    def of_person(self, person: str) -> tuple[AccountView, ...]:
        """The accounts of a person (a redirected id leads on), the oldest first."""
        with self._pool.connection() as connection:
            return self._read(connection, person)

    def account(self, account: str) -> AccountView | None:
        """One account by its key."""
        with self._pool.connection() as connection:
            return next((view for view in self._read(connection, account) if view.id == account), None)

    def _read(self, connection: Connection, person: str) -> tuple[AccountView, ...]:
        rows = connection.execute(_ACCOUNTS, {"person": person}).fetchall()
        targets = connection.execute(_TARGETS, [[row[0] for row in rows]]).fetchall()
        keys = self._keys.find({row[8] for row in targets if row[8]})
        views: dict[str, list[TargetView]] = {}
        for row in targets:
            intent = open_intent(keys, row[0], row[1], row[8], row[9])
            whole = None if isinstance(intent, KeyState) else intent
            views.setdefault(row[0], []).append(_target(row, whole))
        return tuple(
            AccountView(account, who, employer, kind, tuple(personas), created_at, names, tuple(views.get(account, ())))
            for account, who, employer, kind, personas, created_at, names in rows
        )


def _target(row: Sequence[object], intent: Intent | None) -> TargetView:
    found = msgspec.convert(row[2:8], tuple[int, str, str, Presence, frozenset[str], bool])
    version, lane, stored, presence, groups, create_missing = found
    cause, caused_at, source_stamp, changed_at = msgspec.convert(
        row[10:14], tuple[str, dt.datetime | None, str, dt.datetime]
    )
    seen = ObservedView()
    if row[14] is not None:
        seen = ObservedView(
            *msgspec.convert(
                row[14:], tuple[str, Presence, str, frozenset[str], int, int, dt.datetime | None, int, str]
            )
        )
    return TargetView(
        str(row[1]),
        version,
        lane,
        stored,
        presence,
        groups,
        create_missing,
        intent,
        cause,
        caused_at,
        source_stamp,
        changed_at,
        seen,
    )
