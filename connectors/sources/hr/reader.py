"""The HR source: `hr-export.v1` files in, one source record an employment out."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from connectors.sources.grouped import grouped
from connectors.sources.hr.employment import EmploymentRows
from connectors.sources.jsonlines import Row, write
from connectors.sources.posts import Context, Item, NativeRecord
from connectors.sources.roles import RoleKey, items_of, role_key
from streams.catalogue import SOURCE_EMPLOYMENT

SOURCE = "hr"
FORMAT = "hr-export.v1"


class HrReader:
    """Of a file that breaks off nothing is published but the markings in it, see `Groups.broken`."""

    name = SOURCE
    topic = SOURCE_EMPLOYMENT
    dataclass = "personal"
    absence_kinds: tuple[str, ...] = ("employment", "agreed-name", "work-contact")
    own_versions = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        found = yield from grouped(stream, FORMAT, context, lambda row, employer: _key(row, employer, context))
        for key, rows in found.opened():
            source_key = f"{key.employer}:{key.source_id}"
            yield from items_of(EmploymentRows(key, source_key, rows, context), found, SOURCE)
        found.check()

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        return write(FORMAT, records, context.now, number, total)


def _key(row: Row, employer: str, context: Context) -> RoleKey:
    return role_key(row, employer, context, "employment", "employmentId")
