"""Which messages a source record becomes: one for its topic, and small ones on the urgent lane. Pure.

Urgent is only the fast path: everything it carries is in the bulk record too, so nothing depends on it.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from streams.catalogue import SOURCE_URGENT
from streams.codec import Outgoing
from streams.contracts.claims import ROLE_KINDS, Absent, Claim, Protection, Registration, Role, SourceRecord
from streams.hashing import keyed_digest, uuid8

DECEASED = "AV"
"""*Avliden*, the Avregistrering code of Navet that ends everything."""

_CAN_END = ROLE_KINDS | {"registration"}


def can_end(kinds: Iterable[str]) -> bool:
    """Whether a record of these claim kinds can tell that something is over."""
    return not _CAN_END.isdisjoint(kinds)


@dataclass(frozen=True, slots=True)
class Lanes:
    """The messages of one source connector. `secret` is the subject secret; it keys ids, so that nobody who sees an id
    can try out contents."""

    topic: str
    dataclass: str
    secret: bytes
    time: dt.datetime
    today: dt.date

    def bulk(self, record: SourceRecord) -> Outgoing[SourceRecord]:
        return self._outgoing(self.topic, record, "bulk")

    def raises(self, record: SourceRecord) -> list[Outgoing[SourceRecord]]:
        """The protection claim alone, if it raises or has an unknown token."""
        claim = protection_of(record)
        if claim is None or claim.body == Protection():
            return []
        return [self._outgoing(SOURCE_URGENT, with_claims(record, (claim,)), "protect")]

    def ends(self, record: SourceRecord) -> list[Outgoing[SourceRecord]]:
        """What is over (an employment or another role, a life) with the post's protection claim."""
        ended = tuple(claim for claim in record.claims if self._is_over(claim))
        if not ended:
            return []
        protection = protection_of(record)
        first = () if protection is None else (protection,)
        return [self._outgoing(SOURCE_URGENT, with_claims(record, first + ended), "end")]

    def _is_over(self, claim: Claim) -> bool:
        body = claim.body
        if isinstance(body, Absent):
            return body.of in ROLE_KINDS
        if isinstance(body, Registration):
            return body.code == DECEASED
        if not isinstance(body, Role):
            return False
        return body.cancelled or all(s.valid_to is not None and s.valid_to <= self.today for s in body.segments)

    def _outgoing(self, topic: str, record: SourceRecord, lane: str) -> Outgoing[SourceRecord]:
        return Outgoing(topic, record, event_id(self.secret, record, lane), self.time, self.dataclass)


def protection_of(record: SourceRecord) -> Claim | None:
    return next((claim for claim in record.claims if isinstance(claim.body, Protection)), None)


def with_claims(record: SourceRecord, claims: tuple[Claim, ...]) -> SourceRecord:
    return SourceRecord(
        record.source, record.source_key, record.version, record.subject, claims, record.identifier, record.total
    )


def content_digest(secret: bytes, record: SourceRecord) -> str:
    """A keyed digest of what the record says and of whom; its version is no part of it."""
    content = msgspec.json.encode((record.subject, record.claims, record.total))
    return keyed_digest(secret, "source-content", content)


def event_id(secret: bytes, record: SourceRecord, lane: str) -> str:
    """The same record always gets the same id: a file that is sent again changes nothing."""
    parts = (record.source, record.source_key, record.version, content_digest(secret, record), lane)
    return uuid8(bytes.fromhex(keyed_digest(secret, "event", "\n".join(parts))))
