"""Records to Kafka messages and back: CloudEvents envelope, seal under the owner's data key, msgspec JSON inside.

The way in refuses whatever does not hold together: content sealed for another envelope, an envelope that names another
subject than its content, a key of a class that this process or this topic has no business with.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import msgspec

from streams.catalogue import CONTENTS, PUBLISHED_SCHEMA, RECORD_SCHEMA, SOURCE_ACCOUNT
from streams.contracts.claims import AccountFacts, Protection, SourceRecord, UnitName, UnitNode, UnitStructure, is_unit
from streams.contracts.documents import PARTS, Published, Redirect, UnitDocument, Version, Withheld
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import IdentifierType
from streams.envelope import VERSION, Envelope, Message
from streams.salvage import usable_part
from streams.sealing import Key, KeyClass, KeyRing, KeyState, seal, split_key_id, unseal
from streams.wire import LIMIT_BYTES, Json

T = TypeVar("T")

_SEAL_BYTES = 28  # nonce and tag
_KEY_MOST = 200  # characters; a longer one names no document


@dataclass(frozen=True, slots=True)
class Outgoing(Generic[T]):
    """A record to be sent. `time` (UTC) is when it was first logged; `dataclass` is its class of information."""

    topic: str
    record: T
    event_id: str
    time: dt.datetime
    dataclass: str = "personal"


@dataclass(frozen=True, slots=True)
class Incoming(Generic[T]):
    """A message that was opened and holds together. `refused`: why a part of the record was left out as unreadable."""

    message: Message
    envelope: Envelope
    record: T
    refused: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A message whose key is gone on purpose. RENEWED: ignore it, a newer one follows. ERASED: a tombstone. `version`: as
    the headers have it."""

    message: Message
    state: KeyState
    version: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that will never be accepted: a dead letter."""

    message: Message
    error: Rejected


Decoded: TypeAlias = Incoming[T] | Skipped | Failed


def tombstone(topic: str, document: str, version: Version) -> Message:
    """That the document is erased as of this version: whatever is newer is said of somebody who has returned."""
    return Message(topic, document, None, {VERSION: version.text})


def schema_uri(name: str) -> str:
    """The `dataschema` of an envelope for a schema of the catalogue."""
    return f"urn:kallan:schema:{name}"


class _Codec(ABC, Generic[T]):
    """What both codecs share. A subclass says what a record's subject, version and restrictions are."""

    schema: str
    kind: type[T]

    def __init__(self, keys: KeyRing, key_class: KeyClass, allowed: Iterable[KeyClass]) -> None:
        self._keys = keys
        self._key_class = key_class
        self._allowed = frozenset(allowed)
        self._json = Json(self.kind)

    @abstractmethod
    def _subject(self, record: T) -> str: ...

    @abstractmethod
    def _clear(self, record: T) -> bool:
        """Whether the record is about no person and goes without a seal."""

    @abstractmethod
    def _source(self, record: T) -> str: ...

    @abstractmethod
    def _version(self, record: T) -> str: ...

    @abstractmethod
    def _check(self, message: Message, key_class: KeyClass | None, record: T) -> None:
        """Raises `Rejected` for a record that may not come under this class of key (None: in clear)."""

    def encode(self, outgoing: Sequence[Outgoing[T]]) -> list[Message]:
        """The messages to send, in order. Those of erased owners are left out: there is no key for them.

        Raises `Rejected` (input.too-large, input.nul-byte, input.invalid) if one of them cannot be sent.
        """
        owners = {self._subject(one.record) for one in outgoing if not self._clear(one.record)}
        keys = self._keys.current(self._key_class, owners) if owners else {}
        made = (self._seal(one, keys) for one in outgoing)
        return [message for message in made if message is not None]

    def _seal(self, one: Outgoing[T], keys: Mapping[str, Key]) -> Message | None:
        subject = self._subject(one.record)
        clear = self._clear(one.record)
        key = None if clear else keys.get(subject)
        if key is None and not clear:
            return None
        envelope = Envelope(
            id=one.event_id,
            source=self._source(one.record),
            type=self._type,
            subject=subject,
            time=one.time,
            dataschema=schema_uri(self.schema),
            key_id=key.id if key else "",
            dataclass=one.dataclass,
            version=self._version(one.record),
        )
        plain = self._json.encode(one.record)
        value = seal(key, plain, envelope.associated_data()) if key else plain
        return Message(one.topic, subject, value, envelope.headers())

    def decode(self, messages: Sequence[Message]) -> list[Decoded[T]]:
        """What each message is, in order. Keys are fetched once for the whole batch."""
        opened: list[tuple[Envelope, KeyClass | None] | Skipped | Failed] = [self._envelope(one) for one in messages]
        wanted = {one[0].key_id for one in opened if isinstance(one, tuple) and one[0].key_id}
        keys = self._keys.find(wanted) if wanted else {}
        found: list[Decoded[T]] = []
        for message, one in zip(messages, opened, strict=True):
            if isinstance(one, tuple):
                found.append(self._open(message, *one, keys))
            else:
                found.append(one)
        return found

    def _envelope(self, message: Message) -> tuple[Envelope, KeyClass | None] | Failed | Skipped:
        """What can be told before any key is known."""
        try:
            if message.value is None:
                return self._tombstone(message)
            if len(message.value) > LIMIT_BYTES + _SEAL_BYTES:
                raise Rejected("input.too-large", f"{len(message.value)} bytes, at most {LIMIT_BYTES}")  # noqa: TRY301
            if "\0" in message.key or any("\0" in text for text in message.headers.values()):
                raise Rejected("input.nul-byte", "key or header")  # noqa: TRY301
            envelope = Envelope.read(message.headers)
            if envelope.dataschema != schema_uri(self.schema):
                raise Rejected("input.unknown-schema", "ce_dataschema")  # noqa: TRY301
            if envelope.subject != message.key:
                raise Rejected("envelope.forged", "key")  # noqa: TRY301
            return envelope, self._class_of(envelope)
        except Rejected as error:
            return Failed(message, error)

    @abstractmethod
    def _tombstone(self, message: Message) -> Skipped | Failed: ...

    def _class_of(self, envelope: Envelope) -> KeyClass | None:
        if not envelope.key_id:
            return None
        parts = split_key_id(envelope.key_id)
        if parts is None:
            raise Rejected("key.unknown", "form of the key id")
        key_class, owner, _ = parts
        if key_class not in self._allowed:
            raise Rejected("key.unknown", "key class")
        if owner != envelope.subject:
            raise Rejected("envelope.forged", "key owner")
        return key_class

    def _open(
        self, message: Message, envelope: Envelope, key_class: KeyClass | None, keys: Mapping[str, Key | KeyState]
    ) -> Decoded[T]:
        content = message.value or b""
        try:
            if envelope.key_id:
                key = keys.get(envelope.key_id, KeyState.UNKNOWN)
                if key is KeyState.UNKNOWN:
                    raise Rejected("key.unknown", "no such key")  # noqa: TRY301
                if isinstance(key, KeyState):
                    return Skipped(message, key, envelope.version)
                content = unseal(key, content, envelope.associated_data())
            record, refused = self._read(content)
            if self._subject(record) != envelope.subject:
                raise Rejected("envelope.forged", "subject")  # noqa: TRY301
            if otherwise := self._otherwise(envelope, record):
                refused = Rejected("envelope.forged", otherwise)
                record = self._protecting(record, refused)
            self._check(message, key_class, record)
        except Rejected as error:
            return Failed(message, error)
        return Incoming(message, envelope, record, refused)

    def _otherwise(self, envelope: Envelope, record: T) -> str:
        """The attribute of which the envelope says otherwise than the content; empty where they agree. Of a record in
        clear nothing else binds the two."""
        said = (envelope.source, envelope.type, envelope.version)
        meant = (self._source(record), self._type, self._version(record))
        names = ("ce_source", "ce_type", "ce_mmdsourceversion")
        return next((name for name, one, other in zip(names, said, meant, strict=True) if one != other), "")

    def _protecting(self, record: T, refused: Rejected) -> T:
        """What of a refused record counts all the same. Raises the refusal where nothing does."""
        raise refused

    @property
    def _type(self) -> str:
        return f"kallan.{self.schema}"

    def _read(self, content: bytes) -> tuple[T, Rejected | None]:
        """The record, and why it is not the whole of it."""
        return self._json.decode(content), None


class RecordCodec(_Codec[SourceRecord]):
    """Source records. Sealed with a key of `key_class` that the record's subject owns; opened with keys of `allowed`
    (default: the same class). Records of organisation units go in clear. Of a record with unreadable claims the others
    are given (docs/decisions/0150)."""

    schema = RECORD_SCHEMA
    kind = SourceRecord

    def __init__(
        self, keys: KeyRing, key_class: KeyClass = KeyClass.INNER, allowed: Iterable[KeyClass] | None = None
    ) -> None:
        super().__init__(keys, key_class, (key_class,) if allowed is None else allowed)

    def encode(self, outgoing: Sequence[Outgoing[SourceRecord]]) -> list[Message]:
        for one in outgoing:
            if self._clear(one.record):
                _only_units(one.record)
        return super().encode(outgoing)

    def _subject(self, record: SourceRecord) -> str:
        return record.subject

    def _clear(self, record: SourceRecord) -> bool:
        return is_unit(record.subject)

    def _source(self, record: SourceRecord) -> str:
        return f"urn:kallan:source:{record.source}"

    def _version(self, record: SourceRecord) -> str:
        return record.version

    def _tombstone(self, message: Message) -> Failed:
        return Failed(message, Rejected("input.empty", "value"))

    def _protecting(self, record: SourceRecord, refused: Rejected) -> SourceRecord:
        """Its raises: whoever sealed it held the subject's key, and a marking too many is put right by a ruling."""
        raises = tuple(one for one in record.claims if isinstance(one.body, Protection) and one.body != Protection())
        if not raises:
            raise refused
        return msgspec.structs.replace(record, claims=raises)

    def _read(self, content: bytes) -> tuple[SourceRecord, Rejected | None]:
        try:
            return super()._read(content)
        except Rejected as error:
            left = usable_part(content)
            if left is None:
                raise
            return left, error

    def _check(self, message: Message, key_class: KeyClass | None, record: SourceRecord) -> None:
        if key_class is None:
            if not self._clear(record):
                raise Rejected("key.unknown", "a record in clear that is to be sealed")
            _only_units(record)
        elif (key_class is KeyClass.ACCOUNT) != (message.topic == SOURCE_ACCOUNT):
            raise Rejected("envelope.forged", "key class of the topic")
        if key_class is KeyClass.ACCOUNT and not all(
            isinstance(one.body, AccountFacts) or one.kind == "account" for one in record.claims
        ):
            raise Rejected("envelope.forged", "claims under an account key")


def _only_units(record: SourceRecord) -> None:
    """A record in clear may say nothing about a person."""
    kinds = {str(one.__struct_config__.tag) for one in (UnitNode, UnitStructure, UnitName)}
    claims = (*record.claims, *(claim for part in record.together for claim in part.claims))
    if any(claim.kind not in kinds for claim in claims):
        raise Rejected("input.invalid", "a unit's record with claims about a person")
    if record.identifier is not None and record.identifier.type is not IdentifierType.ORGANISATIONSNUMMER:
        raise Rejected("input.invalid", "a unit's record with a person's identifier")


class PublishedCodec(_Codec[Published]):
    """The master's documents, sealed with the OUTER key of the document id; units, redirects and what is withheld go in
    clear."""

    schema = PUBLISHED_SCHEMA
    kind = Published

    def __init__(self, keys: KeyRing) -> None:
        super().__init__(keys, KeyClass.OUTER, (KeyClass.OUTER,))

    def _subject(self, record: Published) -> str:
        part = record.said
        if part is None:
            raise Rejected("input.empty", "document")
        return part.id

    def _clear(self, record: Published) -> bool:
        return isinstance(record.said, UnitDocument | Redirect | Withheld)

    def _source(self, record: Published) -> str:
        return "urn:kallan:mmd"

    def _version(self, record: Published) -> str:
        return record.version.text

    def _tombstone(self, message: Message) -> Skipped | Failed:
        """Persons are erased; of anything else an empty record is a mistake."""
        if "\0" in message.key or not 0 < len(message.key) <= _KEY_MOST or is_unit(message.key):
            return Failed(message, Rejected("input.empty", "value"))
        return Skipped(message, KeyState.ERASED, message.headers.get(VERSION, ""))

    def _check(self, message: Message, key_class: KeyClass | None, record: Published) -> None:
        parts = [part for part in PARTS if getattr(record, part) is not None]
        if len(parts) != 1:
            raise Rejected("input.invalid", f"exactly one of {', '.join(PARTS)}")
        if parts[0] not in CONTENTS.get(message.topic, ()):
            raise Rejected("envelope.forged", f"{parts[0]}: topic")
        if key_class is None and not self._clear(record):
            raise Rejected("key.unknown", "a document in clear that is to be sealed")
