"""From intents to rows: what differs from what was desired before, in which lane, and what the journal says of it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from iam.domain.account import AccountState, Existence, Intent, Lane, Presence, changed_attributes, digest
from iam.domain.desired import DesiredAccount
from iam.domain.permit import lane_of
from iam.domain.world import Previous
from iam.store.bodies import Keys, encode_intent, open_intent, seal_intent
from iam.store.world import Cause, Connection
from streams.sealing import Key, KeyState


@dataclass(frozen=True, slots=True)
class Standing:
    """What is desired of an account in a target as stored. `intent` None: its key is gone, only the clear columns are
    left. `done`: the target was read back equal to this version. `attempted`: the target was ever asked."""

    version: int
    lane: Lane
    digest: str
    presence: Presence
    groups: frozenset[str]
    create_missing: bool
    key_id: str
    intent: Intent | None
    done: bool
    attempted: bool

    @property
    def previous(self) -> Previous:
        """As the domain is told of it."""
        existence = existence_of(self.presence, create_missing=self.create_missing)
        if self.intent is None:
            return Previous(existence, self.groups)
        return Previous(existence, self.groups, self.intent.reasons, self.intent.state.attributes)


def existence_of(presence: Presence, *, create_missing: bool) -> Existence:
    """What a stored state stands for: a disabled account that shall exist is staged, any other is in limbo."""
    if presence is Presence.ENABLED:
        return Existence.ENABLED
    return Existence.STAGED if create_missing else Existence.LIMBO


@dataclass(frozen=True, slots=True)
class _Raw:
    account: str
    target: str
    standing: Standing
    body: bytes


def standing(connection: Connection, accounts: Sequence[str]) -> list[_Raw]:
    """The desired rows of these accounts, still sealed."""
    rows = connection.execute(
        """select d.account::text, d.target, d.version, d.lane, d.digest, d.presence, d.groups, d.create_missing,
                  d.key_id, d.body, coalesce(o.status = 'known' and o.digest = d.digest, false),
                  coalesce(o.attempt > 0 or o.status <> 'never', false)
           from iam.desired d left join iam.observed o using (account, target) where d.account = any(%s::uuid[])""",
        [list(accounts)],
    ).fetchall()
    return [
        _Raw(
            account,
            target,
            Standing(
                version, Lane(lane), seen, Presence(presence), frozenset(groups), create, key_id, None, done, attempted
            ),
            body,
        )
        for account, target, version, lane, seen, presence, groups, create, key_id, body, done, attempted in rows
    ]


def key_ids(rows: Sequence[_Raw]) -> set[str]:
    return {row.standing.key_id for row in rows if row.standing.key_id}


def opened(rows: Sequence[_Raw], keys: Keys) -> dict[tuple[str, str], Standing]:
    """By (account, target), with the intents that can still be read."""
    found: dict[tuple[str, str], Standing] = {}
    for row in rows:
        intent = open_intent(keys, row.account, row.target, row.standing.key_id, row.body)
        whole = None if isinstance(intent, KeyState) else intent
        found[row.account, row.target] = replace(row.standing, intent=whole)
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """One desired row to be written. `risen`: a new version; otherwise only its body (key, reasons) is written again."""

    person: str
    wanted: DesiredAccount
    old: Standing | None
    digest: str
    version: int
    lane: Lane
    key: Key | None
    risen: bool
    told: bool  # whether the journal has something to tell


def change(person: str, wanted: DesiredAccount, old: Standing | None, key: Key | None) -> Change | None:
    """None: nothing to write. The version rises only if the digest changes (or if the account is to be made after all).

    The lane is that of the whole way from what the target has: while an earlier, more urgent version waits, its lane
    stands.
    """
    intent = wanted.intent
    now = digest(intent.state, intent.salt)
    if old is None:
        lane = lane_of(intent.state, None) or Lane.CREATE
        return Change(person, wanted, None, now, 1, lane, key, risen=True, told=True)
    risen = now != old.digest or (intent.create_missing and not old.create_missing)
    key_id = key.id if key else ""
    same_body = old.intent is not None and encode_intent(old.intent) == encode_intent(intent) and old.key_id == key_id
    if not risen and same_body and intent.create_missing == old.create_missing:
        return None
    lane = _lane(intent, old) if risen else old.lane
    told = risen or old.intent is None or _grounds(old.intent) != _grounds(intent)
    return Change(person, wanted, old, now, old.version + risen, lane, key, risen=risen, told=told)


def _grounds(intent: Intent) -> set[tuple[str, str, str, frozenset[str]]]:
    return {(r.rule, r.policy, r.persona, r.groups) for r in intent.reasons}


def _lane(intent: Intent, old: Standing) -> Lane:
    if not old.attempted:
        return Lane.CREATE if intent.create_missing else Lane.DISABLE
    before = old.intent.state if old.intent else _unreadable(intent, old)
    lane = lane_of(intent.state, before, protect=intent.protected) or Lane.UPDATE
    return lane if old.done else min(lane, old.lane, key=lambda one: one.rank)


def _unreadable(intent: Intent, old: Standing) -> AccountState:
    """What is known of a state whose key is gone: for a protected person its attributes count as changed."""
    return AccountState(intent.state.key, old.presence, "" if intent.protected else intent.state.uid, {}, old.groups)


_PUT = """
insert into iam.desired (account, target, version, lane, digest, create_missing, presence, groups, key_id, body, cause,
                         caused_at, source_stamp, changed_at)
values (%(account)s, %(target)s, %(version)s, %(lane)s, %(digest)s, %(create_missing)s, %(presence)s, %(groups)s,
        %(key_id)s, %(body)s, %(cause)s, %(caused_at)s, %(source_stamp)s, %(now)s)
on conflict (account, target) do update
    set version = excluded.version, lane = excluded.lane, digest = excluded.digest,
        create_missing = excluded.create_missing, presence = excluded.presence, groups = excluded.groups,
        key_id = excluded.key_id, body = excluded.body, cause = excluded.cause, caused_at = excluded.caused_at,
        source_stamp = excluded.source_stamp, changed_at = excluded.changed_at
"""

_PUT_AGAIN = """
update iam.desired set key_id = %(key_id)s, body = %(body)s, create_missing = %(create_missing)s
where account = %(account)s and target = %(target)s
"""

_TELL = """
insert into iam.journal (at, kind, person_id, account, target, lane, desired_version, attributes, groups_added,
                         groups_removed, groups, presence, digest_before, digest_after, cause, caused_at, reasons)
values (%(now)s, 'evaluated', %(person)s, %(account)s, %(target)s, %(lane)s, %(version)s, %(attributes)s, %(added)s,
        %(removed)s, %(groups)s, %(presence)s, %(before)s, %(digest)s, %(cause)s, %(caused_at)s, %(reasons)s)
"""


def write(connection: Connection, changes: Sequence[tuple[Change, Cause, str]], now: dt.datetime) -> None:
    """Write desired rows and the journal; each change comes with its cause and source stamp."""
    rows = [_arguments(one, cause, stamp, now) for one, cause, stamp in changes]
    rows.sort(key=lambda row: (row["account"], row["target"]))
    with connection.cursor() as cursor:
        for statement, chosen in (
            (_PUT, [row for row in rows if row["risen"]]),
            (_PUT_AGAIN, [row for row in rows if not row["risen"]]),
            (_TELL, [row for row in rows if row["told"]]),
        ):
            if chosen:
                cursor.executemany(statement, chosen)


def _arguments(one: Change, cause: Cause, stamp: str, now: dt.datetime) -> dict[str, Any]:
    intent = one.wanted.intent
    old_groups = one.old.groups if one.old else frozenset()
    before = one.old.intent.state if one.old and one.old.intent else None
    return {
        "account": one.wanted.account.id,
        "target": one.wanted.target,
        "version": one.version,
        "lane": one.lane.value,
        "digest": one.digest,
        "create_missing": intent.create_missing,
        "presence": intent.state.presence.value,
        "groups": sorted(intent.state.groups),
        "key_id": one.key.id if one.key else "",
        "body": seal_intent(one.key, one.wanted.target, intent),
        "cause": cause.event,
        "caused_at": cause.at,
        "source_stamp": stamp,
        "now": now,
        "risen": one.risen,
        "told": one.told,
        "person": one.person,
        "attributes": list(changed_attributes(before, intent.state)) if one.risen else [],
        "added": sorted(intent.state.groups - old_groups),
        "removed": sorted(old_groups - intent.state.groups),
        "before": one.old.digest if one.old else "",
        "reasons": Jsonb(msgspec.to_builtins(intent.reasons)),
    }
