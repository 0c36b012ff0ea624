"""Conflicts as they stand: what undesignated sources say that differs from what the master holds, newest first."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
import psycopg_pool

from mmd.domain.conflicts import CONFLICT, agreeing
from streams.contracts.documents import PersonDocument
from streams.hashing import keyed_digest

_PAGE = 500
_ROWS = """
select source, source_key, kind, valid_from, logged_at, digest, subject, event from mmd.conflict
where digest <> '' and (%(subjects)s::text[] is null or subject = any(%(subjects)s))
      and (%(logged_at)s::timestamptz is null
           or (logged_at, source, source_key, kind, valid_from)
              < (%(logged_at)s, %(source)s, %(source_key)s, %(kind)s, %(valid_from)s))
order by logged_at desc, source desc, source_key desc, kind desc, valid_from desc limit %(page)s
"""
_SURVIVORS = "select id, survivor from mmd.identity where id = any(%s)"


class ConflictEntry(msgspec.Struct, frozen=True):
    """A source that is not designated for `attribute` says something else than the master holds; its value is not kept.

    `person` is a person id, or the key of an organisation unit. `logged_at` (UTC) is when the newest that the source said
    was logged.
    """

    person: str
    attribute: str
    source: str
    source_key: str
    logged_at: dt.datetime
    event: str


@dataclass(frozen=True, slots=True)
class _Row:
    source: str
    source_key: str
    kind: str
    valid_from: str
    logged_at: dt.datetime
    digest: str
    subject: str
    event: str


@dataclass(frozen=True, slots=True)
class Conflicts:
    """`own_id` gives a subject's own document id, `persons` documents by id with aliases resolved."""

    pool: "psycopg_pool.ConnectionPool[psycopg.Connection]"
    digest_secret: bytes
    own_id: Callable[[str], str]
    persons: Callable[[Iterable[str]], Mapping[str, PersonDocument]]

    def standing(self, on: dt.date, subjects: Sequence[str] | None) -> Iterator[ConflictEntry]:
        """What differs on a day (Swedish date), newest first, read page by page; of these subjects, or of everybody."""
        after: dict[str, Any] = dict.fromkeys(("logged_at", "source", "source_key", "kind", "valid_from"))
        asked = {"subjects": None if subjects is None else list(subjects), "page": _PAGE}
        while True:
            with self.pool.connection() as connection:
                rows = [_Row(*row) for row in connection.execute(_ROWS, asked | after).fetchall()]
                own = {row.subject: self.own_id(row.subject) for row in rows}
                survivors: dict[str, str] = dict(connection.execute(_SURVIVORS, [sorted(set(own.values()))]).fetchall())
            documents = self.persons(own.values())
            for row in rows:
                one = own[row.subject]
                if self._differs(row, documents.get(one), on):
                    named = survivors.get(one, one)
                    since = row.logged_at.astimezone(dt.UTC)
                    yield ConflictEntry(named, row.kind, row.source, row.source_key, since, row.event)
            if len(rows) < _PAGE:
                return
            after = {name: getattr(rows[-1], name) for name in after}

    def _differs(self, row: _Row, document: PersonDocument | None, on: dt.date) -> bool:
        if document is None:
            return True
        day = dt.date.fromisoformat(row.valid_from) if row.valid_from else on
        forms = agreeing(document, row.kind, day)
        return all(keyed_digest(self.digest_secret, CONFLICT, form) != row.digest for form in forms)
