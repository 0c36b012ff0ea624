"""Rows of our own export formats that belong together, wherever they stand in the file."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from connectors.sources.jsonlines import BadLine, HeldRow, Row, read_frame, read_rows
from connectors.sources.posts import Context, Header, Item, Reject
from streams.contracts.errors import Rejected

Key = TypeVar("Key")
_CLOCKS_DIFFER = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Groups(Generic[Key]):
    """What a file holds: the rows of each key, in the order of their first row.

    `broken`: why the file could not be read to its end. Any group may lack rows then, and the file that is sent again has
    the same version: half a group must never be published.
    """

    header: Header
    held: Mapping[Key, Sequence[HeldRow]]
    broken: Rejected | None

    def opened(self) -> Iterator[tuple[Key, list[Row]]]:
        """Each key with its rows. Only those of one key are objects at a time."""
        for key, rows in self.held.items():
            yield key, [row.opened() for row in rows]

    def check(self) -> None:
        """Raises what broke the file."""
        if self.broken is not None:
            raise self.broken


def grouped(
    stream: BinaryIO, format_name: str, context: Context, key_of: Callable[[Row, str], Key]
) -> Generator[Item, None, Groups[Key]]:
    """Gives the header, then what cannot be placed; returns the rest. `key_of` gets a row and the employer of rows that name
    none, and raises `Rejected`. The rows are held in memory, as the bytes that they are. Raises `Rejected` for a header
    that is none."""
    frame = read_frame(stream, format_name, context.now + _CLOCKS_DIFFER)
    yield frame.header
    found: dict[Key, list[HeldRow]] = defaultdict(list)
    broken = None
    try:
        for line in read_rows(stream, format_name):
            if isinstance(line, BadLine):
                yield Reject(line.line, line.code, line.detail, line.raw)
                continue
            try:
                found[key_of(line, frame.employer)].append(HeldRow.of(line))
            except Rejected as error:
                yield Reject(line.line, error.code, error.detail, line.raw)
    except Rejected as error:
        broken = error
    return Groups(frame.header, found, broken)
