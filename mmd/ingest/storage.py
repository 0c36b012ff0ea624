"""Claims and heads in the database: which are new, which win, and all that count for the documents at hand."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mmd.domain.claims import LoggedClaim, first_logging
from mmd.domain.conflicts import Undesignated
from mmd.ingest.identities import Cursor
from mmd.ingest.prepare import Aside, NewClaim
from mmd.store.claim_rows import ClaimAsRead
from mmd.store.sealed import find_keys
from streams.sealing import Key, KeyRing

_STORED = "select id, logged_at, event from mmd.claim where id = any(%b)"

_EARLIER = """
update mmd.claim c set logged_at = n.logged_at, event = n.event
from unnest(%b::uuid[], %b::timestamptz[], %b::text[]) as n (id, logged_at, event) where c.id = n.id
"""

_COPY = """
copy mmd.claim (id, head, source, source_key, kind, valid_from, version, digest, subject, standing, logged_at, event,
                key_id, body) from stdin (format binary)
"""
_COPY_TYPES = (
    *("uuid", "uuid", "text", "text", "text", "text", "text", "text", "text"),
    *("bool", "timestamptz", "text", "text", "bytea"),
)

_NEW_HEADS = """
insert into mmd.head (id, claim, subject, version, digest)
select * from unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[]) order by 1
on conflict (id) do nothing returning id
"""

_OLD_HEADS = "select id, subject, version, digest from mmd.head where id = any(%b) order by id for no key update"

_FLOORS = "select head, subject, version, digest from mmd.floor where head = any(%b)"

_WIN = """
update mmd.head h set claim = n.claim, subject = n.subject, version = n.version, digest = n.digest
from unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[]) as n (id, claim, subject, version, digest)
where h.id = n.id
"""

_COUNTING = """
with member as (
    select s.subject, i.survivor
    from mmd.identity i join mmd.subject s on s.own_id = i.id where i.survivor = any(%b)
)
select m.survivor, m.subject,
       c.id, c.subject, c.source, c.source_key, c.version, c.digest, c.event, c.logged_at, c.key_id, c.body
from member m left join lateral (
    select c.* from mmd.head h join mmd.claim c on c.id = h.claim where h.subject = m.subject
    union all
    select c.* from mmd.claim c where c.subject = m.subject and c.standing
) c on true
"""

_CONFLICTS = """
insert into mmd.conflict as c (source, source_key, kind, valid_from, version, digest, subject, event, logged_at)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::timestamptz[]) order by 1, 2, 3, 4
on conflict (source, source_key, kind, valid_from) do update
set version = excluded.version, digest = excluded.digest, subject = excluded.subject, event = excluded.event,
    logged_at = excluded.logged_at
where (excluded.version, excluded.digest, excluded.subject) > (c.version, c.digest, c.subject)
   or (excluded.version, excluded.digest, excluded.subject) = (c.version, c.digest, c.subject)
      and (excluded.logged_at, excluded.event) < (c.logged_at, c.event)
"""

_ASIDE = """
insert into mmd.kept_aside (topic, part, position, subject, reason)
select t, p, o, s, 'erased' from unnest(%b::text[], %b::int[], %b::bigint[], %b::text[]) as n (t, p, o, s)
order by 1, 2, 3 on conflict do nothing
"""


@dataclass(slots=True)
class Group:
    """One document's subjects with the claims that count for it, and a live key that opens one of them."""

    subjects: set[str] = field(default_factory=set)
    claims: list[LoggedClaim] = field(default_factory=list)
    key: Key | None = None


def sort_out(
    cursor: Cursor, claims: Mapping[UUID, NewClaim], known: Container[str]
) -> tuple[list[NewClaim], list[NewClaim]]:
    """Those that are not stored yet, and those that are but were logged earlier than we knew (of one instant, the event
    that `winners` would name: both lanes say the same). Under the locks of their documents nobody else stores the same
    claim meanwhile. Of a subject that is not `known` nothing is stored."""
    asked = [row for row, one in claims.items() if one.logged.subject in known]
    stored: dict[UUID, tuple[dt.datetime, str]] = {}
    if asked:
        cursor.execute(_STORED, [asked])
        stored = {row: (at, event) for row, at, event in cursor.fetchall()}
    fresh = [one for row, one in claims.items() if row not in stored]
    earlier = [one for row, one in claims.items() if row in stored and first_logging(one.logged) < stored[row]]
    return fresh, earlier


def store(cursor: Cursor, fresh: Sequence[NewClaim], earlier: Sequence[NewClaim]) -> None:
    if earlier:
        columns = ([one.id for one in earlier], [one.logged.logged_at for one in earlier])
        cursor.execute(_EARLIER, [*columns, [one.logged.event for one in earlier]])
    if not fresh:
        return
    with cursor.copy(_COPY) as copy:
        copy.set_types(_COPY_TYPES)
        for one in fresh:
            logged = one.logged
            copy.write_row(
                (
                    *(one.id, one.head, logged.source, logged.source_key, one.kind, one.valid_from),
                    *(logged.version, logged.digest, logged.subject, one.standing, logged.logged_at),
                    *(logged.event, one.key_id, one.body),
                )
            )


@dataclass(frozen=True, slots=True)
class Settled:
    """`lost`: the subjects that lost a head to another subject. `won`: the new claims that hold their heads now."""

    lost: frozenset[str] = frozenset()
    won: frozenset[UUID] = frozenset()


def settle_heads(cursor: Cursor, fresh: Iterable[NewClaim]) -> Settled:
    """Let the new claims compete for their heads: those that rise above what was erased there about somebody else."""
    competing = [one for one in fresh if not one.standing]
    floors = _floors(cursor, {one.head for one in competing})
    best: dict[UUID, NewClaim] = {}
    for one in competing:
        below = any(one.logged.subject != subject and _rank(one) <= rank for subject, rank in floors.get(one.head, ()))
        if not below and (one.head not in best or _rank(one) > _rank(best[one.head])):
            best[one.head] = one
    if not best:
        return Settled()
    cursor.execute(_NEW_HEADS, _head_columns(best.values()))
    won = {row[0] for row in cursor.fetchall()}
    contested = best.keys() - won
    lost: set[str] = set()
    if contested:
        cursor.execute(_OLD_HEADS, [sorted(contested)])
        winning: list[NewClaim] = []
        for head, subject, version, digest in cursor.fetchall():
            if _rank(best[head]) > (version, digest):
                winning.append(best[head])
                won.add(head)
                if subject != best[head].logged.subject:
                    lost.add(subject)
        if winning:
            cursor.execute(_WIN, _head_columns(winning))
    return Settled(frozenset(lost), frozenset(best[head].id for head in won))


def _floors(cursor: Cursor, heads: Collection[UUID]) -> dict[UUID, list[tuple[str, tuple[str, str]]]]:
    """Of these heads: about whom something was erased, and its rank."""
    found: dict[UUID, list[tuple[str, tuple[str, str]]]] = {}
    if heads:
        cursor.execute(_FLOORS, [sorted(heads)])
        for head, subject, version, digest in cursor.fetchall():
            found.setdefault(head, []).append((subject, (version, digest)))
    return found


def _rank(one: NewClaim) -> tuple[str, str]:
    """As `mmd.domain.heads`; the digest covers the subject, so this order is total."""
    return one.logged.version, one.logged.digest


def _head_columns(claims: Iterable[NewClaim]) -> list[list[object]]:
    found = list(claims)
    return [
        [one.head for one in found],
        [one.id for one in found],
        [one.logged.subject for one in found],
        [one.logged.version for one in found],
        [one.logged.digest for one in found],
    ]


def counting(
    cursor: Cursor, survivors: Iterable[str], known: Mapping[UUID, NewClaim], keys: KeyRing, live: Mapping[str, Key]
) -> dict[str, Group]:
    """By document: its subjects and every claim that counts, winners and standing ones. `known` are this batch's own,
    which need not be opened again. Claims whose key an erasure destroyed are left out."""
    asked = sorted(survivors)
    if not asked:
        return {}
    cursor.execute(_COUNTING, [asked])
    rows = cursor.fetchall()
    own = {key.id: key for key in live.values()}
    opening: dict[str, Key | None] = {**own, "": None}
    claims = [(survivor, subject, ClaimAsRead(*claim)) for survivor, subject, *claim in rows]
    opening.update(find_keys(keys, {one.key_id for _, _, one in claims if one.id is not None} - opening.keys()))
    groups: dict[str, Group] = defaultdict(Group)
    for survivor, subject, one in claims:
        group = groups[survivor]
        group.subjects.add(subject)
        if one.id is None or one.key_id not in opening:
            continue
        key = opening[one.key_id]
        if key is not None and (group.key is None or key.id < group.key.id):
            group.key = key
        mine = known.get(one.id)
        group.claims.append(one.opened(key) if mine is None else one.of(mine.logged))
    return groups


def first_heard(
    ids: Iterable[str],
    fresh: Iterable[NewClaim],
    won: Container[UUID],
    own_ids: Mapping[str, str],
    live: Mapping[str, Key],
) -> dict[str, Group]:
    """As `counting`, for documents that nobody has spoken of before: all that counts for them is in this batch."""
    groups = {one: Group() for one in ids}
    for subject, own in own_ids.items():
        if own in groups:
            groups[own].subjects.add(subject)
    for one in fresh:
        group = groups.get(own_ids[one.logged.subject])
        if group is None or not (one.standing or one.id in won):
            continue
        group.claims.append(one.logged)
        key = live.get(one.logged.subject)
        if key is not None and (group.key is None or key.id < group.key.id):
            group.key = key
    return groups


def store_conflicts(cursor: Cursor, conflicts: Iterable[Undesignated]) -> None:
    """Of each thing the newest stays, as `mmd.domain.conflicts.supersedes` has it."""
    rows = [
        (
            *(one.source, one.source_key, one.kind, str(one.valid_from or ""), one.version, one.digest),
            *(one.subject, one.event, one.logged_at),
        )
        for one in conflicts
    ]
    if rows:
        cursor.execute(_CONFLICTS, [list(column) for column in zip(*rows, strict=True)])


def store_aside(cursor: Cursor, aside: Iterable[Aside]) -> None:
    found = list(aside)
    if found:
        names = ("topic", "part", "position", "subject")
        cursor.execute(_ASIDE, [[getattr(one, name) for one in found] for name in names])
