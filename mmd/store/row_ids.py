"""Ids of rows of `mmd.claim` and `mmd.head`: a hash of their key, kept as its 16 bytes.

PostgreSQL's type is uuid; Python's UUID costs several times as much to make, to compare and to send, and a claim's id is
asked for everywhere. A select gives `uuid_send(id)`, which is the bytes; on the way in a cursor must know how to send them.
"""

import hashlib

import msgspec
import psycopg
import psycopg.postgres
from psycopg.adapt import Dumper
from psycopg.pq import Format

_encoder = msgspec.json.Encoder()


class RowId(bytes):
    """16 bytes."""

    __slots__ = ()


def row_id(*parts: str) -> RowId:
    """A row id from its key: equal parts give the same row, in every process and at every replay."""
    return RowId(hashlib.blake2b(_encoder.encode(parts), digest_size=16).digest())


class _RowIdDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.postgres.types["uuid"].oid

    def dump(self, obj: RowId) -> bytes:
        return obj


def sends_row_ids(cursor: psycopg.Cursor[psycopg.rows.TupleRow]) -> None:
    cursor.adapters.register_dumper(RowId, _RowIdDumper)
