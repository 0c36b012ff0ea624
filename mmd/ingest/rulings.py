"""Merges and splits as rows: what a join has to know of an operator's rulings beside the references between numbers."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import psycopg
import psycopg.rows

from mmd.domain.rulings import Joining
from mmd.ingest.prepare import NewClaim
from streams.contracts.claims import Merge, Split

Cursor = psycopg.Cursor[psycopg.rows.TupleRow]

_ADD_MERGES = """
insert into mmd.merge (subject, name, other_subject, version, logged_at)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[]) order by 1, 2, 3, 4
on conflict (subject, name, other_subject, version)
do update set logged_at = excluded.logged_at where excluded.logged_at < mmd.merge.logged_at
"""

_ADD_SPLITS = """
insert into mmd.split (subject, name, logged_at)
select * from unnest(%b::text[], %b::text[], %b::timestamptz[]) order by 1, 2
on conflict (subject, name)
do update set logged_at = excluded.logged_at where excluded.logged_at < mmd.split.logged_at
"""

_STANDING = """
select m.version, m.name, m.subject, m.other_subject from mmd.merge m
where m.subject = any(%b)
  and not exists (select from mmd.split s where s.subject = m.subject and s.name = m.name)
"""


@dataclass(slots=True)
class Rulings:
    """The merges and splits of a batch. `subjects`: everyone they are about, as far as they say themselves."""

    merges: dict[Joining, dt.datetime] = field(default_factory=dict)
    splits: dict[tuple[str, str], dt.datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, claims: Iterable[NewClaim]) -> "Rulings":
        """Each with its earliest logging."""
        found = cls()
        for one in claims:
            logged, body = one.logged, one.logged.claim.body
            if isinstance(body, Merge):
                merge = Joining(logged.version, logged.source_key, logged.subject, body.other_subject)
                found.merges[merge] = min(found.merges.get(merge, logged.logged_at), logged.logged_at)
            elif isinstance(body, Split):
                for name in body.merges:
                    split = (logged.subject, name)
                    found.splits[split] = min(found.splits.get(split, logged.logged_at), logged.logged_at)
        return found

    def __bool__(self) -> bool:
        return bool(self.merges or self.splits)

    @property
    def subjects(self) -> set[str]:
        merged = {end for one in self.merges for end in (one.subject, one.other_subject)}
        return merged | {subject for subject, _ in self.splits}


def add(cursor: Cursor, rulings: Rulings) -> None:
    """Keep them, each with its earliest logging."""
    if rulings.merges:
        rows = [(m.subject, m.name, m.other_subject, m.version, at) for m, at in rulings.merges.items()]
        cursor.execute(_ADD_MERGES, [list(column) for column in zip(*rows, strict=True)])
    if rulings.splits:
        pairs = [(subject, name, at) for (subject, name), at in rulings.splits.items()]
        cursor.execute(_ADD_SPLITS, [list(column) for column in zip(*pairs, strict=True)])


def standing(cursor: Cursor, subjects: Sequence[str]) -> list[Joining]:
    """The merges of these subjects that no split undid."""
    cursor.execute(_STANDING, [list(subjects)])
    return [Joining(*row) for row in cursor.fetchall()]
