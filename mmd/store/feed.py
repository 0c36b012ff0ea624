"""The change feed of a release: thin notices that *this* reader's answer has changed, in a sequence of its own.

Level-triggered like the relay: one row per document, moved to the end of the feed when the answer under this release says
something else than the last one (a keyed hash of its canonical form is kept). A gap in the sequence tells only that
something the reader was told of before has changed again. What is new is found by the transaction that wrote a document,
not by a serial: a document that commits late is not passed by.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import psycopg
import psycopg_pool
from psycopg.rows import TupleRow

from mmd.domain.canonical import canonical_bytes
from mmd.domain.disclosing_things import disclose_thing
from mmd.domain.disclosure import People, disclose
from mmd.domain.release import Release
from mmd.store.cursor import read_cursor, write_cursor
from mmd.store.disclosing import Cursor, effective_release, people_in
from mmd.store.sealed import Document, open_documents
from streams.contracts.claims import thing_of
from streams.contracts.documents import PersonDocument, Redirect
from streams.hashing import keyed_digest
from streams.sealing import KeyRing

logger = logging.getLogger(__name__)

_BATCH = 500

_RELEASE = """
insert into mmd.feed_release (release, digest) values (%s, '') on conflict do nothing
"""
_HELD = """
select digest, last, horizon::text, pg_snapshot_xmin(pg_current_snapshot())::text,
       horizon > pg_snapshot_xmax(pg_current_snapshot())
from mmd.feed_release where release = %s for update
"""
_AGAIN = "update mmd.feed set number = -1 where release = %s"
_NEW = """
select d.id from mmd.document d left join mmd.feed f on f.release = %s and f.document = d.id
where d.touched >= %s::xid8 and f.number is distinct from d.number order by d.id
"""
_NOW = """
select d.id, d.kind, d.number, d.key_id, d.body, coalesce(f.hash, ''), f.seq is not null
from mmd.document d left join mmd.feed f on f.release = %s and f.document = d.id where d.id = any(%s) order by d.id
"""
_SURVIVORS = "select id, kind, key_id, body from mmd.document where id = any(%s)"
_WRITE = """
insert into mmd.feed as f (release, document, number, seq, hash, change)
select %s, n.* from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[])
       as n (document, number, seq, hash, change)
on conflict (release, document) do update set
    number = excluded.number, hash = excluded.hash,
    seq = coalesce(excluded.seq, f.seq), change = case when excluded.seq is null then f.change else excluded.change end
"""
_DONE = "update mmd.feed_release set digest = %s, last = %s, horizon = %s::xid8 where release = %s"
_READ = """
select f.document, f.change, f.seq, i.survivor from mmd.feed f left join mmd.identity i on i.id = f.document
where f.release = %s and f.seq > %s order by f.seq limit %s
"""


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """`change` is `person`, `unit`, `place`, `group` or `legal-organisation` (read it again),
    `redirect` (the person lives on under `to`) or `gone`."""

    id: str
    change: str
    to: str = ""


class Changes(msgspec.Struct, frozen=True):
    """A page. `cursor` is where to go on, also when nothing was new; `more`: another page is there already."""

    changes: tuple[Change, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class _Row:
    document: str
    number: int
    seq: int | None
    hash: str
    change: str


def release_key(release: Release) -> str:
    """What a release's feed is kept under: reader and purpose, so that an amended release goes on with its feed."""
    purpose = hashlib.sha256(release.purpose_sv.encode()).hexdigest()[:12]
    return f"{release.reader}/{purpose}"


class Feed:
    """Feeds of any release. `secret` keys the hashes of answers and the cursors."""

    def __init__(self, pool: "psycopg_pool.ConnectionPool[psycopg.Connection]", keys: KeyRing, secret: bytes) -> None:
        self._pool = pool
        self._keys = keys
        self._secret = secret

    def changes(self, release: Release, cursor: str, limit: int, on: dt.date) -> Changes:
        """What changed for this reader since the cursor (empty: everything it may know), at most `limit` notices.

        `on` is the Swedish date today. Raises `Rejected("cursor.invalid")`.
        """
        name = release_key(release)
        after = read_cursor(self._secret, name, cursor)
        with self._pool.connection() as connection, connection.cursor() as db:
            self._catch_up(db, name, release, on)
            db.execute(_READ, [name, after, limit + 1])
            rows = db.fetchall()
        found = tuple(Change(row[0], row[1], row[3] if row[1] == "redirect" else "") for row in rows[:limit])
        end = rows[:limit][-1][2] if rows else after
        return Changes(found, write_cursor(self._secret, name, end), len(rows) > limit)

    def _catch_up(self, db: Cursor, name: str, release: Release, on: dt.date) -> None:
        """Look at every document written since the last time. One at a time for each release."""
        db.execute(_RELEASE, [name])
        held = db.execute(_HELD, [name]).fetchone()
        if held is None:
            raise RuntimeError("a release's feed row is missing after it was made")
        digest, last, horizon, seen, restored = held
        content = hashlib.sha256(msgspec.json.encode(release, order="sorted")).hexdigest()[:32]
        if digest != content or restored:
            db.execute(_AGAIN, [name])
            horizon = "0"
        effective = effective_release(db, release, on)
        # By id: the order of writing would tell who was written last for a reason that this reader may not see.
        new = [row[0] for row in db.execute(_NEW, [name, horizon]).fetchall()]
        for start in range(0, len(new), _BATCH):
            rows = db.execute(_NOW, [name, new[start : start + _BATCH]]).fetchall()
            last, left_out = self._write(db, name, effective, on, rows, last)
            if left_out:
                logger.error("%d documents cannot be read and are left out of a feed", left_out)
                seen = horizon  # they are looked at again
        db.execute(_DONE, [content, last, seen, name])

    def _write(
        self, db: Cursor, name: str, release: Release, on: dt.date, rows: Sequence[TupleRow], last: int
    ) -> tuple[int, int]:
        """The release's last number after these documents, and how many of them could not be read."""
        opened = open_documents(self._keys, ((row[0], row[1], row[3], row[4]) for row in rows))
        documents = opened.documents
        redirects = {one.to for one in documents.values() if isinstance(one, Redirect)}
        db.execute(_SURVIVORS, [sorted(redirects)])
        survivors = open_documents(self._keys, db.fetchall()).documents
        told = (*documents.values(), *survivors.values())
        people = people_in(db, [one for one in told if not isinstance(one, Redirect)])
        written: list[_Row] = []
        for document, _, number, _, _, old, known in rows:
            if document in opened.unreadable:
                continue
            change, answer = _answer(documents.get(document), survivors, release, on, people)
            if change == "redirect" and not known:
                answer = b""  # the reader never knew the old id
            new = keyed_digest(self._secret, "feed", answer) if answer else ""
            seq = None
            if new != old:
                last += 1
                seq = last
            written.append(_Row(document, number, seq, new, (change if new else "gone") if seq else ""))
        names = ("document", "number", "seq", "hash", "change")
        db.execute(_WRITE, [name, *([getattr(one, field) for one in written] for field in names)])
        return last, len(opened.unreadable)


def _answer(
    document: Document | None,
    survivors: Mapping[str, Document],
    release: Release,
    on: dt.date,
    people: People,
) -> tuple[str, bytes]:
    """What this reader would be answered, in canonical form; empty where it may not know.

    Without stamps (decision 0003): that something was said again is no change, and noticed only when the document is
    looked at for another reason it would tell of something that this reader may not see.
    """
    if isinstance(document, Redirect):
        survivor = survivors.get(document.to)
        if not isinstance(survivor, PersonDocument) or disclose(survivor, release, on, people=people) is None:
            return "gone", b""
        return "redirect", f"redirect\n{document.to}".encode()
    if isinstance(document, PersonDocument):
        person = disclose(document, release, on, people=people)
        return "person", b"" if person is None else canonical_bytes(person)
    if document is None:
        return "gone", b""
    thing = disclose_thing(document, release, on, people)
    return thing_of(document.id), b"" if thing is None else canonical_bytes(thing)
