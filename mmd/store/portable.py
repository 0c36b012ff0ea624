"""What the master holds as lines of an export: claims with their natural keys and first logging, and conflicts.

Everything else in schema `mmd` follows from them and from the source register.
"""

import datetime as dt
from collections.abc import Iterator

import msgspec
import psycopg

from mmd.domain.claims import LoggedClaim
from mmd.domain.conflicts import Undesignated
from mmd.store.claim_rows import ClaimAsRead
from mmd.store.sealed import find_keys
from streams.contracts.claims import Claim
from streams.contracts.identifiers import Identifier
from streams.sealing import KeyRing

_BATCH = 1000
_CLAIMS = """
select uuid_send(id), subject, source, source_key, version, digest, event, logged_at, key_id, body
from mmd.claim order by subject, id
"""
_CONFLICTS = """
select source, source_key, kind, valid_from, version, digest, subject, event, logged_at from mmd.conflict order by 1, 2, 3, 4
"""


class ClaimLine(msgspec.Struct, frozen=True, tag_field="record", tag="claim", omit_defaults=True):
    """What one source said about one thing in one version; an operator's ruling too. `logged_at` (UTC) and `event` are
    those of the first logging."""

    source: str
    source_key: str
    version: str
    subject: str
    logged_at: dt.datetime
    event: str
    claim: Claim
    identifier: Identifier | None = None

    @classmethod
    def of(cls, logged: LoggedClaim) -> "ClaimLine":
        """Without the digest, which follows from the rest and a secret."""
        return cls(**{name: getattr(logged, name) for name in cls.__struct_fields__})


class ConflictLine(msgspec.Struct, frozen=True, tag_field="record", tag="conflict", omit_defaults=True):
    """What an undesignated source said last of one thing: a keyed digest, never the value."""

    source: str
    source_key: str
    kind: str
    version: str
    digest: str
    subject: str
    event: str
    logged_at: dt.datetime
    valid_from: dt.date | None = None

    def undesignated(self) -> Undesignated:
        return Undesignated(**msgspec.structs.asdict(self))


def claim_lines(connection: psycopg.Connection, keys: KeyRing) -> Iterator[ClaimLine]:
    """In the caller's transaction, by subject. Claims whose key an erasure destroyed are left out.

    Raises `Rejected` (key.unknown, envelope.forged) for one that should open and does not.
    """
    with connection.cursor("mmd_export") as cursor:
        cursor.execute(_CLAIMS)
        while rows := [ClaimAsRead(*row) for row in cursor.fetchmany(_BATCH)]:
            found = find_keys(keys, {one.key_id for one in rows})
            for one in rows:
                if one.key_id in found:
                    yield ClaimLine.of(one.opened(found[one.key_id]))


def conflict_lines(connection: psycopg.Connection) -> Iterator[ConflictLine]:
    """In the caller's transaction."""
    for source, source_key, kind, valid_from, version, digest, subject, event, logged_at in connection.execute(
        _CONFLICTS
    ).fetchall():
        day = dt.date.fromisoformat(valid_from) if valid_from else None
        at = logged_at.astimezone(dt.UTC)
        yield ConflictLine(source, source_key, kind, version, digest, subject, event, at, day)
