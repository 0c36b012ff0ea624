"""The reader that the registers of roles share: JSON Lines in our own frame, one source record a role out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from connectors.sources.grouped import grouped
from connectors.sources.jsonlines import Row, word, write
from connectors.sources.posts import Context, Item, NativeRecord
from connectors.sources.roles import RoleKey, RoleRows, items_of, role_key
from streams.contracts.errors import Rejected


@dataclass(slots=True)
class RegisterReader:
    """`roles`: by the field that holds a role's id, the claim kind and what its rows are read as. A row has one of the
    fields. Of a file that breaks off nothing is published but the markings in it, see `Groups.broken`."""

    name: str
    format: str
    topic: str
    roles: Mapping[str, tuple[str, type[RoleRows]]]
    absence_kinds: tuple[str, ...]
    dataclass: str = "personal"
    own_versions: bool = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        found = yield from grouped(
            stream, self.format, context, lambda row, employer: self._key(row, employer, context)
        )
        rows_of = dict(self.roles.values())
        for key, rows in found.opened():
            yield from items_of(rows_of[key.kind](key, key.text, rows, context), found, self.name)
        found.check()

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        return write(self.format, records, context.now, number, total)

    def _key(self, row: Row, employer: str, context: Context) -> RoleKey:
        """Raises `Rejected`."""
        if row.twice & self.roles.keys():
            raise Rejected("input.invalid", "a field twice")
        present = [field for field in self.roles if word(row.values, field)]
        if not present:
            raise Rejected("input.missing", " or ".join(self.roles))
        if len(present) > 1:
            raise Rejected("input.invalid", " and ".join(present))
        return role_key(row, employer, context, self.roles[present[0]][0], present[0])
