"""Before the transaction: messages are opened, checked and split into what is stored, what conflicts and what is refused.

One bad claim does not take the others with it: the protection claim of a post counts even if the rest is rejected, and
of a record without a version stamp nothing but the protection claim is used.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from mmd.domain.claims import KEEPS_ALL, LoggedClaim, claim_digest_key, digest_of, first_logging, head_key, kind_of
from mmd.domain.conflicts import CONFLICT, Thing, Undesignated, supersedes, thing, undesignated
from mmd.domain.register import SourceRegister
from mmd.ingest.validate import CLAIM_BYTES, check_claim, check_record, only_raises, what_protects
from mmd.store.own_ids import own_id
from mmd.store.row_ids import RowId, row_id
from mmd.store.sealed import StoredClaim, seal_claim
from streams.catalogue import CONTENTS
from streams.codec import Failed, Incoming, RecordCodec
from streams.contracts.claims import Claim, SourceRecord, is_unit
from streams.contracts.errors import Rejected
from streams.envelope import Message
from streams.hashing import keyed_digest
from streams.sealing import Key, KeyClass, KeyRing, KeyState

PROTECTION = "protection"


class NewClaim(msgspec.Struct, frozen=True):
    """A claim ready to be stored. `id` hashes the natural key, `head` what it competes for."""

    id: RowId
    head: RowId
    kind: str
    valid_from: str
    standing: bool
    logged: LoggedClaim
    key_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Aside:
    """A record about someone who is erased, by where it stands in the log."""

    topic: str
    part: int
    position: int
    subject: str


@dataclass(slots=True)
class Prepared:
    """What a batch comes to. `own_ids` holds each subject's own document id; `error` is the first refusal, if any;
    `erasures` how many there had been before keys were looked up."""

    erasures: int
    claims: dict[bytes, NewClaim] = field(default_factory=dict)
    conflicts: dict[Thing, Undesignated] = field(default_factory=dict)
    aside: dict[tuple[str, int, int], Aside] = field(default_factory=dict)
    own_ids: dict[str, str] = field(default_factory=dict)
    live_keys: dict[str, Key] = field(default_factory=dict)
    error: Rejected | None = None

    def refuse(self, error: Rejected) -> None:
        self.error = self.error or error


class Preparer:
    """Decodes, validates and seals: everything that needs no transaction and no lock."""

    def __init__(
        self, codec: RecordCodec, keys: KeyRing, register: SourceRegister, person_secret: bytes, digest_secret: bytes
    ) -> None:
        self._codec = codec
        self._keys = keys
        self._register = register
        self._person_secret = person_secret
        self._digest_secret = digest_secret
        self._digest_key = claim_digest_key(digest_secret)

    def prepare(self, batch: Sequence[Message], erasures: int = 0) -> Prepared:
        """`erasures`: how many are known to have happened."""
        found = Prepared(erasures)
        opened: list[Incoming[SourceRecord]] = []
        for one in self._codec.decode(batch):
            if isinstance(one, Incoming):
                opened.append(one)
            elif isinstance(one, Failed):
                found.refuse(one.error)
            elif one.state is KeyState.ERASED:
                _keep_aside(found, one.message)
        owners = {one.record.subject for one in opened if not is_unit(one.record.subject)}
        keys = self._keys.current(KeyClass.INNER, owners)
        found.live_keys = dict(keys)
        for one in opened:
            self._record(found, one, keys)
        return found

    def logged(self, records: Iterable[tuple[str, dt.datetime, SourceRecord]], erasures: int) -> Prepared:
        """Records that were accepted before, each with the event and the time (UTC) of its first logging. What does not
        hold together is refused as in `prepare`; whoever is erased is left out."""
        found, listed = Prepared(erasures), list(records)
        keys = self._keys.current(KeyClass.INNER, {r.subject for _, _, r in listed if not is_unit(r.subject)})
        found.live_keys = dict(keys)
        for event, logged_at, record in listed:
            if not is_unit(record.subject) and record.subject not in keys:
                continue
            # A marking counts also where its record could not be named: then that is how it was stored.
            refused = check_record(record) if record != what_protects(record) else None
            for claim in record.claims:
                refused = refused or check_claim(record, claim)
                if refused is None:
                    self._claim(found, event, logged_at, record, claim, keys.get(record.subject))
            if refused is not None:
                found.refuse(refused)
        return found

    def _together(self, found: Prepared, one: Incoming[SourceRecord]) -> None:
        """A reorganisation: every unit of it, or nothing."""
        whole = one.record
        records = [
            SourceRecord(whole.source, part.subject, whole.version, part.subject, part.claims, total=whole.total)
            for part in whole.together
        ]
        records.append(msgspec.structs.replace(whole, together=()))
        for record in records:
            claims = (self._refusal(record, claim, one.message.topic) for claim in record.claims)
            clear = None if is_unit(record.subject) else Rejected("input.invalid", "together: a unit's record")
            refused = one.refused or check_record(record) or clear or next((why for why in claims if why), None)
            if refused is not None:
                found.refuse(refused)
                return
        for record in records:
            for claim in record.claims:
                self._claim(found, one.envelope.id, one.envelope.time, record, claim, None)

    @staticmethod
    def _refusal(record: SourceRecord, claim: Claim, topic: str) -> Rejected | None:
        """Why a claim cannot be used; of the protection claim nothing but its form is asked."""
        refused = check_claim(record, claim)
        if refused is None and kind_of(claim) != PROTECTION:
            if not record.version:
                return Rejected("stamp.missing", claim.kind)
            if claim.kind not in CONTENTS.get(topic, ()):
                return Rejected("envelope.forged", f"{claim.kind}: topic")
        return refused

    def _record(self, found: Prepared, one: Incoming[SourceRecord], keys: Mapping[str, Key]) -> None:
        record = one.record
        if record.together and is_unit(record.subject):
            self._together(found, one)
            return
        if record.together:
            found.refuse(Rejected("input.invalid", "together: a unit's record"))
            record = only_raises(record)
        if one.refused is not None:
            found.refuse(one.refused)
        refused = check_record(record)
        if refused is not None:
            found.refuse(refused)
            record = what_protects(record)
        key = None if is_unit(record.subject) else keys.get(record.subject)
        if key is None and not is_unit(record.subject):
            _keep_aside(found, one.message)
            return
        for claim in record.claims:
            refused = self._refusal(record, claim, one.message.topic)
            if refused is not None:
                found.refuse(refused)
                continue
            self._claim(found, one.envelope.id, one.envelope.time, record, claim, key)

    def _claim(
        self,
        found: Prepared,
        event: str,
        logged_at: dt.datetime,
        record: SourceRecord,
        claim: Claim,
        key: Key | None,
    ) -> None:
        named = record.subject if record.identifier is None else f"{record.subject}\n{record.identifier.value}"
        logged = LoggedClaim(
            subject=record.subject,
            source=record.source,
            source_key=record.source_key,
            version=record.version,
            digest=digest_of(claim, named, self._digest_key),
            claim=claim,
            event=event,
            logged_at=logged_at,
            identifier=record.identifier,
        )
        kind = kind_of(claim)
        if kind != PROTECTION and self._register.place(logged) is None:
            self._conflict(found, logged)
            return
        _, _, _, valid_from = head_key(logged)
        head_key_parts = (record.source, record.source_key, kind, str(valid_from or ""))
        row = row_id(*head_key_parts, str(claim.valid_from or ""), record.version, logged.digest)
        earlier = found.claims.get(row)
        if earlier is not None and first_logging(earlier.logged) <= first_logging(logged):
            return
        body = seal_claim(key, row, StoredClaim(claim, record.identifier))
        if len(body) > CLAIM_BYTES:
            found.refuse(Rejected("input.too-large", kind))
            return
        if record.subject not in found.own_ids:
            found.own_ids[record.subject] = own_id(self._person_secret, record.subject)
        found.claims[row] = NewClaim(
            id=row,
            head=row_id(*head_key_parts),
            kind=kind,
            valid_from=head_key_parts[3],
            standing=kind in KEEPS_ALL,
            logged=logged,
            key_id="" if key is None else key.id,
            body=body,
        )

    def _conflict(self, found: Prepared, logged: LoggedClaim) -> None:
        _, _, _, valid_from = head_key(logged)
        new = undesignated(logged, valid_from, lambda text: keyed_digest(self._digest_secret, CONFLICT, text))
        earlier = found.conflicts.get(thing(new))
        if earlier is None or supersedes(new, earlier):
            found.conflicts[thing(new)] = new


def _keep_aside(found: Prepared, message: Message) -> None:
    name = (message.topic, message.partition, message.offset)
    found.aside[name] = Aside(*name, subject=message.key)
