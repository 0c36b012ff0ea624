"""What a source reader gives to the edge: a header, posts, rejects and alarms, in the order of the file.

A reader is pure but for the stream it reads: native bytes in, claims on the wire out. It decides what a record says;
the edge (`connectors.sources.edge`) decides what is published.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeAlias

from streams.contracts.claims import SourceRecord
from streams.contracts.identifiers import Identifier


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader needs to know of the world. `now` is UTC; `subject_of` is the keyed hash of an identifier;
    `digest_of` a keyed hash of any other text that must not be shown."""

    now: dt.datetime
    today: dt.date
    subject_of: Callable[[Identifier], str]
    digest_of: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself. `stamp` sorts as text (extraction time); empty: each post has its own.

    `declared` posts in this file and `declared_total` in the delivery of `files` files; None: the file does not say.
    `number` counts files without gaps (Navet LopNr, an export's sequence); `series` names the delivery.
    """

    total: bool = False
    stamp: str = ""
    declared: int | None = None
    declared_total: int | None = None
    file: int = 1
    files: int = 1
    number: int | None = None
    series: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A source record that was read. `position` counts posts in the file from 1; `rows` is how many of the file's
    records it is made of (an employment has several)."""

    position: int
    record: SourceRecord
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be accepted. `raw` is kept sealed; `spoken` is sent all the same, as far as it could be read: the
    protection claim, and that the person has died.

    `source_key` is empty where the record does not even tell which one it is.
    """

    position: int
    code: str
    detail: str
    raw: bytes
    source_key: str = ""
    spoken: SourceRecord | None = None
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should look at and that stops nothing. Never a value of a person."""

    code: str
    detail: str


Item: TypeAlias = Header | Post | Reject | Alarm

NativeRecord: TypeAlias = Mapping[str, Any]
"""One record as a scenario writes it: the source's own field names."""


class SourceReader(Protocol):
    """One source system's format.

    `absence_kinds` are the claim kinds that end when a record is missing from a committed total load. `own_versions`:
    each post carries its source's stamp (else the extraction time is the version of every record in the file).
    """

    name: str
    topic: str
    dataclass: str
    absence_kinds: tuple[str, ...]
    own_versions: bool

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        """The header first, then the rest. Raises `Rejected` where the file as a whole cannot be read (further)."""
        ...

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        """A native file of these records: what inline records of a scenario become before they are read."""
        ...
