"""Claims and heads in the database: which are new, which win, and all that count for the documents at hand."""

import datetime as dt
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mmd.domain.claims import LoggedClaim, first_logging
from mmd.domain.conflicts import Undesignated
from mmd.ingest.identities import Cursor
from mmd.ingest.prepare import Aside, NewClaim
from mmd.store.claim_rows import ClaimAsRead
from mmd.store.row_ids import RowId
from mmd.store.sealed import find_keys
from streams.sealing import Key, KeyRing

# `offset 0`: one look-up in an index for each name, however wrong the database's idea is of how much it would find. Where
# it had not counted yet it read the whole table.
_HEADS_OF = """
select h.* from unnest(%b::text[]) as n (subject) cross join lateral (
    select uuid_send(id), subject, version, digest from mmd.head
    where subject = n.subject order by id offset 0 for no key update
) h
"""

_STORED = """
select uuid_send(c.id), c.logged_at, c.event
from unnest(%b::text[], %b::uuid[]) as n (subject, id) join mmd.claim c on c.subject = n.subject and c.id = n.id
"""

_EARLIER = """
update mmd.claim c set logged_at = n.logged_at, event = n.event
from unnest(%b::text[], %b::uuid[], %b::timestamptz[], %b::text[]) as n (subject, id, logged_at, event)
where c.subject = n.subject and c.id = n.id
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
on conflict (id) do nothing returning uuid_send(id)
"""

_OLD_HEADS = (
    "select uuid_send(id), subject, version, digest from mmd.head where id = any(%b) order by id for no key update"
)

_ANY_FLOOR = "select exists (select from mmd.floor)"
_FLOORS = "select uuid_send(head), subject, version, digest from mmd.floor where head = any(%b)"

_WIN = """
update mmd.head h set claim = n.claim, subject = n.subject, version = n.version, digest = n.digest
from unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[]) as n (id, claim, subject, version, digest)
where h.id = n.id
"""

_SHARED = """
insert into mmd.shared_head (head, subject)
select * from unnest(%b::uuid[], %b::text[]) order by 1, 2 on conflict do nothing
"""

_COUNTING = """
select n.survivor, s.subject, uuid_send(c.id)
from unnest(%b::text[]) as n (survivor)
cross join lateral (select id from mmd.identity where survivor = n.survivor offset 0) i
cross join lateral (select subject from mmd.subject where own_id = i.id offset 0) s
left join lateral (
    select h.claim as id from mmd.head h where h.subject = s.subject
    union all
    select c.id from mmd.claim c where c.subject = s.subject and c.standing
    offset 0
) c on true
"""

_CLAIMS = """
select uuid_send(c.id), c.subject, c.source, c.source_key, c.version, c.digest, c.event, c.logged_at, c.key_id, c.body
from unnest(%b::text[], %b::uuid[]) as n (subject, id) join mmd.claim c on c.subject = n.subject and c.id = n.id
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

    def add(self, logged: LoggedClaim, key: Key | None) -> None:
        """Of several keys the least is kept: the same claims are sealed under the same one."""
        self.claims.append(logged)
        if key is not None and (self.key is None or key.id < self.key.id):
            self.key = key


Rank = tuple[str, str]
"""Of a claim within its head, as `mmd.domain.heads`: the digest covers the subject, so this order is total."""


class Held(NamedTuple):
    """A head: the subject that holds it, and the rank that it is held by."""

    subject: str
    rank: Rank


def heads_of(cursor: Cursor, subjects: Iterable[str]) -> dict[bytes, Held]:
    """The heads that the subjects hold. Nobody else changes them until commit."""
    asked = sorted(subjects)
    if not asked:
        return {}
    cursor.execute(_HEADS_OF, [asked])
    return _held(cursor)


def _held(cursor: Cursor) -> dict[bytes, Held]:
    return {head: Held(subject, (version, digest)) for head, subject, version, digest in cursor.fetchall()}


def sort_out(
    cursor: Cursor, claims: Iterable[NewClaim], known: Container[str], heads: Mapping[bytes, Held]
) -> tuple[list[NewClaim], list[NewClaim]]:
    """Those that are not stored yet, and those that are but were logged earlier than we knew (of one instant, the event
    that `winners` would name: both lanes say the same). Under the locks of their documents nobody else stores the same
    claim meanwhile. Of a subject that is not `known` nothing is stored, and nothing that would win its head: what is
    stored has competed for it."""
    listed = list(claims)
    asked = [one for one in listed if one.logged.subject in known and not _wins(one, heads)]
    stored: dict[bytes, tuple[dt.datetime, str]] = {}
    if asked:
        cursor.execute(_STORED, [[one.logged.subject for one in asked], [one.id for one in asked]])
        stored = {row: (at, event) for row, at, event in cursor.fetchall()}
    fresh = [one for one in listed if one.id not in stored]
    earlier = [one for one in listed if one.id in stored and first_logging(one.logged) < stored[one.id]]
    return fresh, earlier


def _wins(one: NewClaim, heads: Mapping[bytes, Held]) -> bool:
    held = None if one.standing else heads.get(one.head)
    return held is not None and _rank(one) > held.rank


def log_earlier(cursor: Cursor, earlier: Sequence[NewClaim]) -> None:
    if earlier:
        names = [[one.logged.subject for one in earlier], [one.id for one in earlier]]
        cursor.execute(
            _EARLIER, [*names, [one.logged.logged_at for one in earlier], [one.logged.event for one in earlier]]
        )


def storing(cursor: Cursor, fresh: Mapping[str, Iterable[NewClaim]]) -> Iterator[str]:
    """Store the claims of one name after the other, and give each name when its claims are on their way: the database takes
    them in while the caller works. All are stored when the iterator ends; until then the cursor is not free."""
    if not fresh:
        return
    with cursor.copy(_COPY) as copy:
        copy.set_types(_COPY_TYPES)
        for name, claims in fresh.items():
            for one in claims:
                logged = one.logged
                copy.write_row(
                    (
                        *(one.id, one.head, logged.source, logged.source_key, one.kind, one.valid_from),
                        *(logged.version, logged.digest, logged.subject, one.standing, logged.logged_at),
                        *(logged.event, one.key_id, one.body),
                    )
                )
            yield name


@dataclass(frozen=True, slots=True)
class Settled:
    """`lost`: the subjects that lost a head to another subject. `won`: the new claims that hold their heads now."""

    lost: frozenset[str] = frozenset()
    won: frozenset[bytes] = frozenset()


def settle_heads(cursor: Cursor, fresh: Sequence[NewClaim], held: Mapping[bytes, Held]) -> Settled:
    """Let the new claims compete for their heads, those that are `held` by subjects of the batch and all others: all that
    rise above what was erased there about somebody else."""
    competing = [one for one in fresh if not one.standing]
    floors = _floors(cursor, competing)
    best: dict[bytes, NewClaim] = {}
    for one in competing:
        below = any(one.logged.subject != floor.subject and _rank(one) <= floor.rank for floor in floors[one.head])
        if not below and (one.head not in best or _rank(one) > _rank(best[one.head])):
            best[one.head] = one
    if not best:
        return Settled()
    heads = dict(held)
    won: set[bytes] = set()
    if unknown := [one for head, one in best.items() if head not in heads]:
        cursor.execute(_NEW_HEADS, _head_columns(unknown))
        won.update(row[0] for row in cursor.fetchall())
        if others := sorted(one.head for one in unknown if one.head not in won):
            cursor.execute(_OLD_HEADS, [others])
            heads.update(_held(cursor))
    winning = [one for head, one in best.items() if head in heads and _rank(one) > heads[head].rank]
    if winning:
        cursor.execute(_WIN, _head_columns(winning))
    _note_shared(cursor, fresh, best, heads)
    lost = {heads[one.head].subject for one in winning if heads[one.head].subject != one.logged.subject}
    return Settled(frozenset(lost), frozenset((*(best[head].id for head in won), *(one.id for one in winning))))


def _floors(cursor: Cursor, competing: Iterable[NewClaim]) -> defaultdict[bytes, list[Held]]:
    """By head: about whom something was erased, and its rank. There are none where nobody has been erased."""
    found: defaultdict[bytes, list[Held]] = defaultdict(list)
    cursor.execute(_ANY_FLOOR)
    if cursor.fetchone() == (True,):
        cursor.execute(_FLOORS, [sorted({one.head for one in competing})])
        for head, subject, version, digest in cursor.fetchall():
            found[head].append(Held(subject, (version, digest)))
    return found


def _note_shared(
    cursor: Cursor, fresh: Iterable[NewClaim], best: Mapping[bytes, NewClaim], heads: Mapping[bytes, Held]
) -> None:
    """Remember which subjects have competed with others for one head: hardly ever does one (a record whose number was
    corrected), and whoever asks what was known earlier must find what won then."""
    shared: set[tuple[RowId, str]] = set()
    for one in fresh:
        if one.standing or one.head not in best:
            continue
        of = {one.logged.subject, best[one.head].logged.subject}
        if one.head in heads:
            of.add(heads[one.head].subject)
        if len(of) > 1:
            shared.update((one.head, subject) for subject in of)
    if shared:
        found = sorted(shared)
        cursor.execute(_SHARED, [[head for head, _ in found], [subject for _, subject in found]])


def _rank(one: NewClaim) -> Rank:
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
    cursor: Cursor, survivors: Iterable[str], fresh: Mapping[bytes, NewClaim], keys: KeyRing, live: Mapping[str, Key]
) -> dict[str, Group]:
    """By document: its subjects and every claim that counts, winners and standing ones. Those just stored (`fresh`) are
    not read again. Claims whose key an erasure destroyed are left out."""
    asked = sorted(survivors)
    if not asked:
        return {}
    cursor.execute(_COUNTING, [asked])
    counted = cursor.fetchall()
    older = [(subject, row) for _, subject, row in counted if row and row not in fresh]
    opened = _opened(cursor, older, keys, live)
    groups: dict[str, Group] = defaultdict(Group)
    for survivor, subject, row in counted:
        group = groups[survivor]
        group.subjects.add(subject)
        if row in fresh:
            group.add(fresh[row].logged, live.get(subject))
        elif row in opened:
            group.add(*opened[row])
    return groups


def _opened(
    cursor: Cursor, names: Sequence[tuple[str, bytes]], keys: KeyRing, live: Mapping[str, Key]
) -> dict[bytes, tuple[LoggedClaim, Key | None]]:
    """Stored claims by their ids, each with the key that opened it (None: in clear)."""
    if not names:
        return {}
    cursor.execute(_CLAIMS, [[subject for subject, _ in names], [RowId(row) for _, row in names]])
    rows = [ClaimAsRead(*row) for row in cursor.fetchall()]
    opening: dict[str, Key | None] = {"": None, **{key.id: key for key in live.values()}}
    opening.update(find_keys(keys, {one.key_id for one in rows} - opening.keys()))
    return {one.id: (one.opened(opening[one.key_id]), opening[one.key_id]) for one in rows if one.key_id in opening}


def first_heard(
    ids: Iterable[str],
    fresh: Iterable[NewClaim],
    won: Container[bytes],
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
        group.add(one.logged, live.get(one.logged.subject))
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
