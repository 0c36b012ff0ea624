"""Which document a subject belongs to: looked up, locked, joined when a number reference or a ruling says so, and parted
when a ruling does.

Under the shared gate the mapping of a subject to its document never changes; joins happen only under the exclusive one.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
import psycopg.rows

from mmd.domain.identity import Reference, components
from mmd.domain.rulings import chain_of, joined
from mmd.ingest import rulings
from streams.contracts.claims import ID_SUBJECT_PREFIX, thing_of

Cursor = psycopg.Cursor[psycopg.rows.TupleRow]

_KNOWN = "select id, survivor from mmd.identity where id = any(%b)"

_NEW_IDENTITIES = """
insert into mmd.identity (id, survivor, kind)
select n.id, n.id, n.kind from unnest(%b::text[], %b::text[]) as n (id, kind) order by n.id
on conflict do nothing returning id
"""

_NEW_SUBJECTS = """
insert into mmd.subject (subject, own_id)
select n.subject, n.own_id from unnest(%b::text[], %b::text[]) as n (subject, own_id) order by n.subject
on conflict do nothing
"""

_KNOWN_SUBJECTS = "select subject from mmd.subject where subject = any(%b)"

_LOCK = "select id from mmd.identity where id = any(%b) order by id for no key update"

_UNKNOWN_EDGES = """
select n.from_subject, n.to_subject, n.superseded
from unnest(%b::text[], %b::text[], %b::boolean[]) as n (from_subject, to_subject, superseded)
where not exists (select from mmd.edge e where e.from_subject = n.from_subject and e.to_subject = n.to_subject
                  and e.superseded = n.superseded)
"""

_ADD_EDGES = """
insert into mmd.edge (from_subject, to_subject, superseded, logged_at)
select * from unnest(%b::text[], %b::text[], %b::boolean[], %b::timestamptz[]) order by 1, 2, 3
on conflict (from_subject, to_subject, superseded)
do update set logged_at = excluded.logged_at where excluded.logged_at < mmd.edge.logged_at
"""

_SUBJECTS_OF = """
select s.subject, s.own_id, i.survivor
from mmd.identity i join mmd.subject s on s.own_id = i.id where i.survivor = any(%b)
"""

_EDGES_AMONG = "select from_subject, to_subject, superseded from mmd.edge where from_subject = any(%b)"

_RENAME = """
update mmd.identity i set survivor = n.survivor
from unnest(%b::text[], %b::text[]) as n (id, survivor) where i.id = n.id
"""


@dataclass(frozen=True, slots=True)
class Edge:
    from_subject: str
    to_subject: str
    superseded: bool
    logged_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join changed: ids that now lead to another document, and every document that is concerned."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    survivors: frozenset[str] = frozenset()


def ensure_subjects(cursor: Cursor, own_ids: Mapping[str, str]) -> frozenset[str]:
    """Every subject and its own document id exist as rows. Waits for another process that is just adding the same.

    Returns the ids that this transaction made: nobody has said anything of them before, nor referred to them.
    """
    cursor.execute(_KNOWN_SUBJECTS, [sorted(own_ids)])
    known = {row[0] for row in cursor.fetchall()}
    missing = sorted(own_ids.keys() - known)
    if not missing:
        return frozenset()
    ids = sorted({own_ids[one] for one in missing})
    cursor.execute(_NEW_IDENTITIES, [ids, [thing_of(one) for one in ids]])
    made = frozenset(row[0] for row in cursor.fetchall())
    cursor.execute(_NEW_SUBJECTS, [missing, [own_ids[one] for one in missing]])
    return made


def survivors_of(cursor: Cursor, ids: Iterable[str]) -> dict[str, str]:
    """The document that each id leads to; an id that has never been heard of leads to itself."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    cursor.execute(_KNOWN, [wanted])
    known: dict[str, str] = dict(cursor.fetchall())
    return {one: known.get(one, one) for one in wanted}


def lock(cursor: Cursor, ids: Iterable[str]) -> None:
    """The documents are ours until commit: sorted, in one statement."""
    wanted = sorted(set(ids))
    if wanted:
        cursor.execute(_LOCK, [wanted])


def unknown_edges(cursor: Cursor, edges: Sequence[Edge]) -> bool:
    """Whether one of the references has never been seen: only then can persons have to be joined."""
    if not edges:
        return False
    cursor.execute(_UNKNOWN_EDGES, _columns(edges)[:3])
    return cursor.fetchone() is not None


def add_edges(cursor: Cursor, edges: Sequence[Edge]) -> None:
    """Keep the references, each with its earliest logging."""
    if edges:
        cursor.execute(_ADD_EDGES, _columns(edges))


def join(cursor: Cursor, ends: Collection[str], own_ids: Mapping[str, str]) -> Joined:
    """Join the persons of these subjects as the references and rulings say that were added, and part them where nothing
    joins them any more. Of joined numbers the id of the oldest survives, of merged persons that of the one whom the ruling
    names. Exclusive gate only.

    `own_ids` must hold every end, and both ends of every new reference and merge must be among them and exist.
    """
    if not ends:
        return Joined()
    survivors = survivors_of(cursor, (own_ids[end] for end in ends))
    cursor.execute(_SUBJECTS_OF, [sorted(set(survivors.values()))])
    rows = cursor.fetchall()
    subjects = {subject: own for subject, own, _ in rows}
    before: dict[str, str] = {own: survivor for _, own, survivor in rows}
    cursor.execute(_EDGES_AMONG, [sorted(subjects)])
    references = [Reference(*row) for row in cursor.fetchall()]
    groups = components(
        [(subject, ID_SUBJECT_PREFIX + own) for subject, own in subjects.items()]
        + [(one.from_subject, one.to_subject) for one in references]
    )
    renamed: dict[str, str] = {}
    kept: set[str] = set()
    for person in joined(groups, rulings.standing(cursor, sorted(subjects))):
        chain = chain_of(person, references)
        members = [subject for group in person for subject in group if subject in subjects]
        survivor = subjects[members[0] if chain is None else chain.oldest]
        kept.add(survivor)
        renamed.update({subjects[one]: survivor for one in members if before[subjects[one]] != survivor})
    cursor.execute(_RENAME, [list(renamed), list(renamed.values())])
    return Joined(renamed, frozenset(kept))


def _columns(edges: Sequence[Edge]) -> list[list[object]]:
    unique: dict[tuple[str, str, bool], Edge] = {}
    for edge in sorted(edges, key=lambda one: one.logged_at):
        unique.setdefault((edge.from_subject, edge.to_subject, edge.superseded), edge)
    found = list(unique.values())
    return [
        [one.from_subject for one in found],
        [one.to_subject for one in found],
        [one.superseded for one in found],
        [one.logged_at for one in found],
    ]
