"""Documents whose content changes by date: when the day has come they are dirty again."""

import datetime as dt
import logging

import psycopg

from mmd.domain.changes import next_change
from mmd.store.dirty import BULK, URGENT, Dirty, mark
from mmd.store.sealed import open_documents
from streams.contracts.documents import PersonDocument, Redirect
from streams.contracts.time import local_date
from streams.sealing import KeyRing

logger = logging.getLogger(__name__)

PUT_OFF = dt.timedelta(minutes=1)
CLOCK = "clock"
"""The cause of a version that only the date made."""

_DUE = """
select id, kind, number, key_id, body, next_change from mmd.document
where next_change <= %s order by next_change limit %s for no key update skip locked
"""
_MOVED = """
update mmd.document d set number = n.number, next_change = n.next_change, touched = pg_current_xact_id()
from unnest(%s::text[], %s::bigint[], %s::timestamptz[]) as n (id, number, next_change) where d.id = n.id
"""
_OVER = frozenset({"closed", "cancelled"})


def wake(connection: psycopg.Connection, keys: KeyRing, now: dt.datetime, most: int = 500) -> int:
    """Give the documents that are due a new version and make them dirty; how many. Urgent where access ended."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_DUE, [now, most])
        rows = sorted(cursor.fetchall())
        if not rows:
            return 0
        opened = open_documents(keys, ((row[0], row[1], *row[3:5]) for row in rows))
        moved: list[tuple[str, int, dt.datetime | None]] = []
        dirty: list[Dirty] = []
        for row, _, number, _, _, due in rows:
            if row in opened.unreadable:
                logger.error("a document that is due cannot be read and waits: %s", opened.unreadable[row].code)
                moved.append((row, number, now + PUT_OFF))
                continue
            document = opened.documents.get(row)
            if document is None:  # erased: nothing is left that could change
                moved.append((row, number, None))
                continue
            following = None if isinstance(document, Redirect) else next_change(document, now)
            urgent = isinstance(document, PersonDocument) and _ended(document, due, now)
            moved.append((row, number + 1, following))
            dirty.append(Dirty(row, URGENT if urgent else BULK, number + 1, CLOCK, due))
        cursor.execute(_MOVED, [list(column) for column in zip(*moved, strict=True)])
        mark(cursor, dirty)
        return len(rows)


def _ended(document: PersonDocument, due: dt.datetime, now: dt.datetime) -> bool:
    """Whether a persona is over now that was not over the day before the change came due."""
    before, today = local_date(due) - dt.timedelta(days=1), local_date(now)
    return any(one.state(before) not in _OVER and one.state(today) in _OVER for one in document.personas)
