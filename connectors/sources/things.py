"""The reader that the registers of things share (places, groups, legal organisations): one source record a thing out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from connectors.sources.dated_rows import Values, told_once
from connectors.sources.grouped import grouped
from connectors.sources.jsonlines import Row, write
from connectors.sources.posts import Context, Header, Item, NativeRecord, Post, Reject
from streams.contracts.claims import Claim, SourceRecord
from streams.contracts.errors import Rejected

Key = TypeVar("Key")


@dataclass(slots=True)
class ThingReader(Generic[Key]):
    """`key_of`: whose row it is, of the row and the employer of rows that name none; `subject_of`: the document key of
    that; `claims_of`: everything that the rows of one thing say. The first and the last raise `Rejected`.

    All of a thing is published or nothing of it: what is left out would be what has ended.
    """

    name: str
    format: str
    topic: str
    absence_kinds: tuple[str, ...]
    key_of: Callable[[Row, str, Context], Key]
    subject_of: Callable[[Key, Context], str]
    claims_of: Callable[[Key, Sequence[Values], Context], tuple[Claim, ...]]
    dataclass: str = "personal"
    own_versions: bool = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        found = yield from grouped(
            stream, self.format, context, lambda row, employer: self.key_of(row, employer, context)
        )
        found.check()
        for key, rows in found.opened():
            yield self._post(key, rows, found.header, context)

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        return write(self.format, records, context.now, number, total)

    def _post(self, key: Key, rows: Sequence[Row], header: Header, context: Context) -> Post | Reject:
        subject, line = self.subject_of(key, context), rows[0].line
        try:
            claims = self.claims_of(key, told_once(rows), context)
        except Rejected as error:
            raw = b"".join(row.raw for row in rows)
            return Reject(line, error.code, error.detail, raw, subject, rows=len(rows))
        return Post(line, SourceRecord(self.name, subject, header.stamp, subject, claims, total=True), len(rows))
