"""Lines of an export into an empty master, by the ingest transaction itself: what follows from claims is derived again."""

import datetime as dt
from collections.abc import Iterable, Sequence

import psycopg

from mmd.ingest.erasure import erasures
from mmd.ingest.prepare import Preparer
from mmd.ingest.storage import store_conflicts
from mmd.ingest.transaction import Ingest
from mmd.store.portable import ClaimLine, ConflictLine
from streams.contracts.claims import SourceRecord

_EMPTY = """
select not exists (select from mmd.claim) and not exists (select from mmd.document)
   and not exists (select from mmd.identity)
"""
_GATE = "select pg_advisory_xact_lock(hashtextextended('mmd.join', 0))"
_EPOCH = "update mmd.epoch set number = greatest(number, %s + 1)"


def is_empty(connection: psycopg.Connection) -> bool:
    """Whether nothing was ever said here. Nobody else changes the master until the caller's transaction ends: another import
    waits, and so does ingest."""
    connection.execute(_GATE)
    return connection.execute(_EMPTY).fetchone() == (True,)


def begin_epoch(connection: psycopg.Connection, after: int) -> None:
    """Documents of this store count as newer than those of the epoch that the export came from."""
    connection.execute(_EPOCH, [after])


class Importer:
    """Works in the caller's transaction, which nobody else sees anything of until it is committed."""

    def __init__(self, preparer: Preparer, ingest: Ingest) -> None:
        self._preparer = preparer
        self._ingest = ingest

    def claims(self, connection: psycopg.Connection, lines: Sequence[ClaimLine], now: dt.datetime) -> None:
        """Raises the first refusal: nothing of an export may be refused."""
        with connection.cursor() as cursor:
            known = erasures(cursor)
        prepared = self._preparer.logged(((one.event, one.logged_at, _record(one)) for one in lines), known)
        if prepared.error is not None:
            raise prepared.error
        self._ingest.run(connection, prepared, now, alone=True)

    def conflicts(self, connection: psycopg.Connection, lines: Iterable[ConflictLine]) -> None:
        with connection.cursor(binary=True) as cursor:
            store_conflicts(cursor, (one.undesignated() for one in lines))


def _record(one: ClaimLine) -> SourceRecord:
    return SourceRecord(
        source=one.source,
        source_key=one.source_key,
        version=one.version,
        subject=one.subject,
        claims=(one.claim,),
        identifier=one.identifier,
    )
