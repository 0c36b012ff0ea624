"""CloudEvents 1.0 in Kafka binary mode: attributes in `ce_` headers, the (encrypted) content as the value.

Nothing in key or headers identifies a person outside the hub: subjects are keyed hashes, ids are opaque.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from streams.contracts.errors import Rejected

CONTENT_TYPE = "application/vnd.kallan.sealed+json"
CLEAR_CONTENT_TYPE = "application/json"
VERSION = "ce_mmdsourceversion"
"""The header of the source's or the document's version; the only one of a tombstone."""
_sorted = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Message:
    """One Kafka record, or what a producer is asked to send (`partition` and `offset` are then -1)."""

    topic: str
    key: str
    value: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)
    partition: int = -1
    offset: int = -1

    @property
    def pointer(self) -> str:
        """Where to read it again: topic, partition and offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The context attributes. `time` (UTC) is the time of first logging and survives every replay.

    `key_id` names the data key that the value is sealed with, `dataclass` the class of information (design.md: it
    travels with the data), `version` the source's or document's version.
    """

    id: str
    source: str
    type: str
    subject: str
    time: dt.datetime
    dataschema: str
    key_id: str = ""
    dataclass: str = ""
    version: str = ""

    def headers(self) -> dict[str, str]:
        """As Kafka headers (CloudEvents Kafka binding 1.0.2, section 3.2)."""
        found = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_source": self.source,
            "ce_type": self.type,
            "ce_subject": self.subject,
            "ce_time": self.time.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "ce_dataschema": self.dataschema,
            "content-type": CONTENT_TYPE if self.key_id else CLEAR_CONTENT_TYPE,
        }
        extensions = {"ce_kallankeyid": self.key_id, "ce_mmdclass": self.dataclass, VERSION: self.version}
        found.update({name: value for name, value in extensions.items() if value})
        return found

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "Envelope":
        """Raises `Rejected("envelope.invalid")` naming the attribute, never its value."""
        if headers.get("ce_specversion") != "1.0":
            raise Rejected("envelope.invalid", "ce_specversion")
        for name in ("ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_dataschema"):
            if not headers.get(name):
                raise Rejected("envelope.invalid", name)
        try:
            time = dt.datetime.fromisoformat(headers["ce_time"])
            if time.tzinfo is None:
                raise Rejected("envelope.invalid", "ce_time")
            time = time.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise Rejected("envelope.invalid", "ce_time") from None
        return cls(
            id=headers["ce_id"],
            source=headers["ce_source"],
            type=headers["ce_type"],
            subject=headers["ce_subject"],
            time=time,
            dataschema=headers["ce_dataschema"],
            key_id=headers.get("ce_kallankeyid", ""),
            dataclass=headers.get("ce_mmdclass", ""),
            version=headers.get(VERSION, ""),
        )

    def associated_data(self) -> bytes:
        """What the seal binds the content to: a value moved under another envelope does not open, nor one whose envelope
        was changed (the time of first logging and the class of information too)."""
        return _sorted.encode(self.headers())


def new_event_id() -> str:
    return str(uuid.uuid4())
