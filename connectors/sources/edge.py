"""The edge: what every source connector shares. Reads nothing native, publishes source records, remembers what it sent.

file ── SourceReader ──▶ posts ── Edge.send ──▶ source.<set>.v1 and source.urgent.v1
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Sequence

from connectors.sources import state
from connectors.sources.lanes import Lanes, content_digest, protection_of, with_claims
from connectors.sources.posts import Context, Item, Post, Reject, SourceReader
from connectors.sources.report import LoadReport, Thresholds
from streams.bus import Producer
from streams.catalogue import SOURCE_URGENT
from streams.clock import Clock
from streams.codec import Outgoing, RecordCodec
from streams.contracts.claims import SourceRecord
from streams.contracts.errors import Rejected
from streams.contracts.time import local_date
from streams.hashing import keyed_digest, subject_of
from streams.sealing import Key, KeyClass, KeyRing, KeyState, seal, unseal
from streams.wire import Json

RAW_LIMIT = 100_000
REJECTED_DAYS = 30
_ERASED = "key.erased"


class Edge:
    """One per process. `keys` gives the system key that rejected records and unsettled loads are sealed with; `pool` must
    have room for two connections, because one is held as long as a file of the source is read."""

    def __init__(
        self,
        pool: state.Pool,
        codec: RecordCodec,
        producer: Producer,
        subject_secret: bytes,
        clock: Clock,
        *,
        keys: KeyRing,
        thresholds: Thresholds | None = None,
        batch: int = 500,
    ) -> None:
        self.pool = pool
        self.thresholds = thresholds or Thresholds()
        self.batch = batch
        self._codec = codec
        self._producer = producer
        self._secret = subject_secret
        self._clock = clock
        self._keys = keys
        self._json = Json(SourceRecord)

    def now(self) -> dt.datetime:
        return self._clock.now()

    def context(self) -> Context:
        now = self._clock.now()
        return Context(
            now=now,
            today=local_date(now),
            subject_of=lambda identifier: subject_of(self._secret, identifier),
            digest_of=lambda text: keyed_digest(self._secret, "source-id", text),
        )

    def lanes(self, reader: SourceReader) -> Lanes:
        now = self._clock.now()
        return Lanes(reader.topic, reader.dataclass, self._secret, now, local_date(now))

    def digest(self, record: SourceRecord) -> str:
        return content_digest(self._secret, record)

    def send(self, outgoing: Sequence[Outgoing[SourceRecord]], report: LoadReport) -> None:
        """Publish and wait for delivery, the urgent ones first.

        Raises `Unavailable` if delivery fails; nothing was remembered then, and the same ids are sent next time.
        """
        urgent = sorted(outgoing, key=lambda one: one.topic != SOURCE_URGENT)
        messages = self._codec.encode(urgent)
        for message in messages:
            self._producer.send(message)
        if messages:
            self._producer.flush()
        fast = sum(message.topic == SOURCE_URGENT for message in messages)
        report.urgent += fast
        report.published += len(messages) - fast
        self._keep_erased(outgoing, {message.key for message in messages}, report)

    def _keep_erased(
        self, outgoing: Sequence[Outgoing[SourceRecord]], sent: Collection[str], report: LoadReport
    ) -> None:
        """Of what is said about somebody who is erased (*gallrad*): that it came, and nothing of it."""
        unsent = {(one.record.source, *_name_of(one.record)) for one in outgoing if one.record.subject not in sent}
        for source, *name in sorted(unsent):
            digest = keyed_digest(self._secret, "rejected", "\n".join((_ERASED, *name)))
            key = self._system_key(source)
            body = seal(key, b"", _bound_to(source, digest))
            one = state.RejectedRecord(digest, _ERASED, "", 0, key.id, body)
            state.keep_rejected(self.pool, source, None, [one], self.now(), REJECTED_DAYS)
            report.alarms[_ERASED, ""] += 1

    def checked(self, item: Item) -> Item:
        """A post that can be sent as it stands, or else why not: NUL bytes, size, text that is not Unicode."""
        if not isinstance(item, Post):
            return item
        try:
            self._json.encode(item.record)
        except Rejected as error:
            record, claim = item.record, protection_of(item.record)
            spoken = None if claim is None else with_claims(record, (claim,))
            raw = repr(record.claims).encode(errors="backslashreplace")
            return Reject(item.position, error.code, error.detail, raw, record.source_key, spoken, item.rows)
        return item

    def seal_record(self, source: str, record: SourceRecord) -> tuple[str, bytes]:
        """A record of a load that is not settled, under the system key: key id and sealed bytes."""
        key = self._system_key(source)
        return key.id, seal(key, self._json.encode(record), _bound_to(source, record.source_key))

    def open_record(self, source: str, source_key: str, key_id: str, body: bytes) -> SourceRecord:
        """Raises `Rejected("key.unknown")` where the system key is gone, `envelope.forged` for a moved value."""
        key = self._keys.find({key_id}).get(key_id, KeyState.UNKNOWN)
        if isinstance(key, KeyState):
            raise Rejected("key.unknown", "system key")
        return self._json.decode(unseal(key, body, _bound_to(source, source_key)))

    def keep_rejected(self, source: str, number: int | None, rejects: Sequence[Reject]) -> None:
        """Sealed, with code and field name, for thirty days."""
        if not rejects:
            return
        key = self._system_key(source)
        found = []
        for one in rejects:
            raw = one.raw[:RAW_LIMIT]
            digest = keyed_digest(self._secret, "rejected", hashlib.sha256(raw).hexdigest())
            body = seal(key, raw, _bound_to(source, digest))
            found.append(state.RejectedRecord(digest, one.code, one.detail, one.position, key.id, body))
        state.keep_rejected(self.pool, source, number, found, self.now(), REJECTED_DAYS)

    def _system_key(self, source: str) -> Key:
        owner = f"edge-{source}"
        return self._keys.current(KeyClass.SYSTEM, {owner})[owner]


def _name_of(record: SourceRecord) -> tuple[str, str, str]:
    return record.subject, record.source_key, record.version


def _bound_to(source: str, name: str) -> bytes:
    return f"edge\n{source}\n{name}".encode()
