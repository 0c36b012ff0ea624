"""A claim as the log holds it: who said it about whom, in which version, and when it was first logged."""

import datetime as dt
import hashlib
import typing

import msgspec

from streams.contracts.claims import REPLACES, Absent, Body, Claim, ClaimName, Replaces
from streams.contracts.documents import Stamp
from streams.contracts.identifiers import Identifier

HeadKey = tuple[str, str, str, dt.date | None]
"""(source, source key, kind, valid from): what one winning version is kept for."""

_sorted = msgspec.json.Encoder(order="sorted")
_KINDS: dict[type, str] = {body: str(body.__struct_config__.tag) for body in typing.get_args(Body)}
KINDS = frozenset(_KINDS.values()) - {"absent"}
"""Every kind that a source can be designated for."""

_FROM = frozenset(kind for kind, replaces in REPLACES.items() if replaces is Replaces.FROM)
KEEPS_ALL = frozenset(kind for kind, replaces in REPLACES.items() if replaces is Replaces.NOTHING)
"""Kinds of which every version counts for ever."""


class LoggedClaim(msgspec.Struct, frozen=True):
    """One claim with its natural key. `logged_at` (UTC) and `event` are those of the first logging and survive replay.

    `identifier` is the identifier that `subject` is the keyed hash of, where the record carried it.
    """

    subject: str
    source: str
    source_key: str
    version: str
    digest: str
    claim: Claim
    event: str
    logged_at: dt.datetime
    identifier: Identifier | None = None


def kind_of(claim: Claim) -> str:
    """As `Claim.kind`, by one dictionary look-up: derive asks this of every claim."""
    body = claim.body
    return body.of if type(body) is Absent else _KINDS[type(body)]


def digest_of(claim: Claim, subject: str = "", secret: bytes = b"") -> str:
    """The content hash of a claim (32 hex characters) over its canonical JSON and its subject.

    Give the subject where the digest is part of a stored natural key: one extraction may name two persons under one
    source key in equal words, and both must be kept for the winner not to depend on order. Give a secret (at most 64
    bytes) where the digest is stored in clear: a bare hash of a marking or a birth date can be guessed.
    """
    content = _sorted.encode(claim)
    return hashlib.blake2b(subject.encode() + b"\n" + content, digest_size=16, key=secret).hexdigest()


def claim_digest_key(secret: bytes) -> bytes:
    """The key of the digests in stored claims, made of the setting's secret: other uses of that secret have other keys."""
    return hashlib.blake2b(b"claim\n" + secret, digest_size=32).digest()


def head_key(logged: LoggedClaim) -> HeadKey:
    """What this claim competes for; `valid_from` counts only for kinds that keep their older values as history."""
    kind = kind_of(logged.claim)
    return logged.source, logged.source_key, kind, logged.claim.valid_from if kind in _FROM else None


def rank_in_head(logged: LoggedClaim) -> tuple[str, str, str]:
    """The order within one head: version, then content, then subject: total, so that arrival never decides."""
    return logged.version, logged.digest, logged.subject


def wins(a: LoggedClaim, b: LoggedClaim) -> bool:
    """Whether `a` replaces `b` within their head. A claim does not win over itself."""
    return rank_in_head(a) > rank_in_head(b)


def first_logging(logged: LoggedClaim) -> tuple[dt.datetime, str]:
    """Of one claim that was logged twice the least of these is kept: by time, then event id, so that it is the same one
    whichever came first."""
    return logged.logged_at, logged.event


ClaimKey = tuple[str, ClaimName]
"""The subject that a claim stands on, and its name there: how a ruling says which one it means."""


def claim_key(logged: LoggedClaim) -> ClaimKey:
    return logged.subject, ClaimName(logged.source, logged.source_key, logged.version, logged.digest)


def stamp_of(logged: LoggedClaim) -> Stamp:
    """Where a value that this claim gave comes from."""
    return Stamp(logged.source, logged.source_key, logged.version, logged.logged_at, logged.event)
