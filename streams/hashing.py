"""Keyed hashes: how a person is named on the wire without a personnummer. The two secrets are permanent."""

import hmac

from streams.contracts.claims import ID_SUBJECT_PREFIX
from streams.contracts.identifiers import Identifier


def _keyed(secret: bytes, purpose: str, content: str | bytes) -> bytes:
    plain = content if isinstance(content, bytes) else content.encode()
    return hmac.digest(secret, b"%b\n%b" % (purpose.encode(), plain), "sha256")


def uuid8(digest: bytes) -> str:
    """A UUID version 8 (RFC 9562, section 5.8) of the first 16 bytes of a digest."""
    version, variant = 0x80 | digest[6] & 0x0F, 0x80 | digest[8] & 0x3F
    plain = digest.hex()
    return f"{plain[:8]}-{plain[8:12]}-{version:02x}{plain[14:16]}-{variant:02x}{plain[18:20]}-{plain[20:32]}"


def subject_of(secret: bytes, identifier: Identifier) -> str:
    """The subject of an identifier: 32 hex characters, keyed with the subject secret."""
    return _keyed(secret, "subject", f"{identifier.type}\n{identifier.issuer}\n{identifier.value}").hex()[:32]


def person_id_of(secret: bytes, subject: str) -> str:
    """The person id of a subject (UUIDv8), keyed with the person-id secret. Replay gives the same id."""
    return uuid8(_keyed(secret, "person", subject))


def id_subject(person_id: str) -> str:
    """The subject under which iam makes claims about a person that it knows by id only."""
    return ID_SUBJECT_PREFIX + person_id


def keyed_digest(secret: bytes, purpose: str, content: str | bytes) -> str:
    """A digest to compare values without keeping them (conflicts, journal, edge snapshots)."""
    return _keyed(secret, purpose, content).hex()[:32]
