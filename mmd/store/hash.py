"""One hash of the master data (invariant 5): over canonical plaintext, free of order, recording and keys."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import psycopg
import psycopg_pool

from mmd.domain.canonical import canonical_bytes
from mmd.store.sealed import open_documents
from streams.contracts.documents import Redirect
from streams.sealing import KeyRing

_BATCH = 1000


class StateHash(NamedTuple):
    """SHA-256 in hexadecimal, and how many documents of each kind it covers."""

    hash: str
    counts: Mapping[str, int]


class DocumentDigest(NamedTuple):
    """A document by its id, and a digest of what it says that is free of recording and keys."""

    id: str
    kind: str
    digest: bytes


def state_hash(pool: "psycopg_pool.ConnectionPool[psycopg.Connection]", keys: KeyRing) -> StateHash:
    """Equal for two stores that heard the same, whatever the order, batching or repetition. Documents whose key was
    destroyed by an erasure count as absent. One consistent snapshot."""
    with pool.connection() as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        return hash_of(document_digests(connection, keys))


def hash_of(documents: Iterator[DocumentDigest]) -> StateHash:
    """The one hash of documents in any order."""
    digests: list[bytes] = []
    counts: Counter[str] = Counter()
    for one in documents:
        digests.append(one.digest)
        counts[one.kind] += 1
    return StateHash(hashlib.sha256(b"".join(sorted(digests))).hexdigest(), dict(sorted(counts.items())))


def document_digests(connection: psycopg.Connection, keys: KeyRing) -> Iterator[DocumentDigest]:
    """Of every document that can be opened, in the caller's transaction. Raises `Rejected` (key.unknown, envelope.forged)
    for one that should open and does not."""
    with connection.cursor("mmd_state_hash") as cursor:
        cursor.execute("select id, kind, key_id, body from mmd.document")
        while rows := cursor.fetchmany(_BATCH):
            kinds = {row[0]: row[1] for row in rows}
            for row, document in open_documents(keys, rows).whole().items():
                if isinstance(document, Redirect):
                    content = f"redirect\n{document.id}\n{document.to}".encode()
                else:
                    content = canonical_bytes(document)
                yield DocumentDigest(row, kinds[row], hashlib.sha256(content).digest())
