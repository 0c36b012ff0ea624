"""What `disclose` must know beside the document: who those are that it refers to, units by subtree, whose firm is whose."""

import datetime as dt
from collections.abc import Iterable

import psycopg
import psycopg.rows

from mmd.domain.disclosure import Known, People
from mmd.domain.references import persons_in
from mmd.domain.release import Release
from mmd.store.sealed import open_document
from streams.contracts.documents import PersonDocument, Thing, UnitDocument

_PEOPLE = """
select i.id, i.survivor, d.marking = 'none' from mmd.identity i join mmd.document d on d.id = i.survivor
where i.id = any(%s) and d.kind = 'person'
"""

_FIRMS = """
select distinct f.id from mmd.identity p join mmd.referrer r on r.target = p.id
join mmd.identity f on f.id = r.document and f.kind = 'legal-organisation'
where p.survivor = any(%(ids)s) or p.id = any(%(ids)s) order by 1
"""

Cursor = psycopg.Cursor[psycopg.rows.TupleRow]


def people_in(cursor: Cursor, documents: Iterable[PersonDocument | Thing]) -> People:
    """Everybody whom the documents refer to and of whom the master has heard, with today's marking."""
    wanted = {person for document in documents for person in persons_in(document)}
    if not wanted:
        return {}
    cursor.execute(_PEOPLE, [sorted(wanted)])
    return {row: Known(survivor, unmarked) for row, survivor, unmarked in cursor.fetchall()}


def firms_of(cursor: Cursor, persons: Iterable[str]) -> list[str]:
    """The firms of sole traders (*enskild firma*), which tell of their owners: by the owners' ids, aliases resolved."""
    cursor.execute(_FIRMS, {"ids": sorted(persons)})
    return [row[0] for row in cursor.fetchall()]


def all_units(cursor: Cursor) -> list[UnitDocument]:
    """Every organisation unit, by key."""
    cursor.execute("select id, kind, body from mmd.document where kind = 'unit' order by id")
    found = (open_document(None, row, kind, body) for row, kind, body in cursor.fetchall())
    return [one for one in found if isinstance(one, UnitDocument)]


def effective_release(cursor: Cursor, release: Release, on: dt.date) -> Release:
    """The release with its unit subtrees worked out over the organisation of that date."""
    if release.units is None or not release.subtree:
        return release
    return release.with_units(all_units(cursor), on)
