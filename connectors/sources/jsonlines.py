"""Our own export formats share one frame: JSON Lines with a header line, one row a line, and an end line that counts.

`{"format": "hr-export.v1", "extractedAt": "...", "total": true, "sequence": 17, "count": 812, ...}`
`{"employmentId": ...}`
`{"end": true, "count": 812}`
"""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from connectors.sources.dates import as_stamp
from connectors.sources.ids import ID, holds_number
from connectors.sources.posts import Header, NativeRecord
from connectors.sources.texts import checked
from streams.contracts.errors import Rejected

LINE_LIMIT = 100_000
_NAMES = re.compile(rb'"[ \t\r]*:')
"""Every name of a field ends so, and texts may: never fewer than there are names."""
FILE_LIMIT = 500_000_000
"""Bytes of rows: they are held until the last one has come."""


class _HeaderLine(msgspec.Struct, rename="camel", forbid_unknown_fields=False):
    format: str
    extracted_at: dt.datetime
    total: bool
    count: int | None = None
    sequence: int | None = None
    employer: str = "kommun"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is a JSON object. `line` counts lines from 1; `twice`: names that stand twice in it."""

    line: int
    values: Mapping[str, Any]
    raw: bytes
    twice: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row that waits for others. Only its bytes: an object is many times as large as what it is written as."""

    line: int
    raw: bytes
    twice: frozenset[str]

    @classmethod
    def of(cls, row: Row) -> "HeldRow":
        return cls(row.line, row.raw, row.twice)

    def opened(self) -> Row:
        return Row(self.line, msgspec.json.decode(self.raw), self.raw, self.twice)


@dataclass(frozen=True, slots=True)
class BadLine:
    line: int
    code: str
    detail: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """The header line. `employer` is that of rows without one."""

    header: Header
    employer: str


def read_frame(stream: BinaryIO, format_name: str, latest_instant: dt.datetime) -> Frame:
    """The first line. Raises `Rejected` for what is no header of this format, or is stamped later than `latest_instant`."""
    first = stream.readline(LINE_LIMIT + 1)
    if not first.strip():
        raise Rejected("input.empty", format_name)
    return _frame(first, format_name, latest_instant)


def read_rows(stream: BinaryIO, format_name: str) -> Iterator[Row | BadLine]:
    """The lines after the header. Raises `Rejected("load.incomplete")` where the end line is missing, counts otherwise than
    what was read, or is not the last, and `input.too-large`."""
    found, number, size = 0, 1, 0
    while content := stream.readline(LINE_LIMIT + 1):
        number += 1
        if len(content) > LINE_LIMIT:
            _skip_line(stream, content)
            yield BadLine(number, "input.too-large", "line", content[:1000])
            found += 1
            continue
        if not content.strip():
            continue
        row = _row(content, number)
        if isinstance(row, Row) and row.values.get("end") is True:
            _check_end(stream, row.values, found, format_name)
            return
        found += 1
        size += len(content)
        if size > FILE_LIMIT:
            raise Rejected("input.too-large", f"more than {FILE_LIMIT} bytes")
        yield row
    raise Rejected("load.incomplete", "no end line")


def _frame(content: bytes, format_name: str, latest_instant: dt.datetime) -> Frame:
    try:
        head = msgspec.json.decode(content, type=_HeaderLine)
    except msgspec.ValidationError as error:
        raise Rejected("input.invalid", f"header: {str(error).rpartition(' - at ')[2][:60]}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Rejected("input.not-decodable", "header") from None
    if head.format != format_name:
        raise Rejected("input.unknown-schema", "format")
    if head.extracted_at.tzinfo is None:
        raise Rejected("input.invalid", "extractedAt: time zone")
    if not dt.datetime(1900, 1, 1, tzinfo=dt.UTC) < head.extracted_at <= latest_instant:
        raise Rejected("input.invalid", "extractedAt")
    if not ID.fullmatch(head.employer) or holds_number(head.employer):
        raise Rejected("input.invalid", "employer")
    if any(number is not None and not 0 <= number < 10**8 for number in (head.count, head.sequence)):
        raise Rejected("input.invalid", "count or sequence")
    stamp = f"{as_stamp(head.extracted_at)}|{head.sequence or 0:08d}"
    series = f"{head.employer}/{stamp}"
    return Frame(Header(head.total, stamp, head.count, head.count, 1, 1, head.sequence, series), head.employer)


def _row(content: bytes, line: int) -> Row | BadLine:
    try:
        values = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BadLine(line, "input.not-decodable", "JSON", content)
    if not isinstance(values, dict):
        return BadLine(line, "input.invalid", "not an object", content)
    # As many fields as there are colons behind quotation marks: none can stand twice. Else it is looked at closely.
    return Row(line, values, content, frozenset() if len(_NAMES.findall(content)) == len(values) else _twice(content))


class _Repeating(dict[str, Any]):
    """An object in which a name stands twice: whether the first or the last counts is for nobody to guess."""

    twice: frozenset[str] = frozenset()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(name for name, _ in pairs)
    if len(counts) == len(pairs):
        return dict(pairs)
    found = _Repeating(pairs)
    found.twice = frozenset(name for name, count in counts.items() if count > 1)
    return found


def _twice(content: bytes) -> frozenset[str]:
    """The names of the row that stand twice, or in whose value one does."""
    values = json.loads(content, object_pairs_hook=_pairs)
    own = values.twice if isinstance(values, _Repeating) else frozenset()
    return own | {name for name, value in values.items() if _repeats(value)}


def _repeats(value: object) -> bool:
    if isinstance(value, list):
        return any(_repeats(one) for one in value)
    if isinstance(value, dict):
        return isinstance(value, _Repeating) or any(_repeats(one) for one in value.values())
    return False


def _check_end(stream: BinaryIO, values: Mapping[str, Any], found: int, format_name: str) -> None:
    while content := stream.readline(LINE_LIMIT):
        if content.strip():
            raise Rejected("load.incomplete", f"{format_name}: content after the end line")
    if values.get("count") != found:
        raise Rejected("load.incomplete", f"{format_name}: the end line counts otherwise than the {found} rows")


def _skip_line(stream: BinaryIO, content: bytes) -> None:
    while content and not content.endswith(b"\n"):
        content = stream.readline(LINE_LIMIT)


def write(format_name: str, rows: Sequence[NativeRecord], extracted: dt.datetime, number: int, total: bool) -> bytes:
    """A whole file; rows that name no employer are of `kommun`."""
    header = {
        "format": format_name,
        "extractedAt": extracted.astimezone(dt.UTC).isoformat(),
        "total": total,
        "sequence": number,
        "employer": "kommun",
        "count": len(rows),
    }
    every = [header, *rows, {"end": True, "count": len(rows)}]
    return b"".join(json.dumps(one, ensure_ascii=False, default=_plain).encode() + b"\n" for one in every)


def _plain(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise Rejected("scenario.invalid", type(value).__name__)


def word(values: Mapping[str, Any], field: str) -> str:
    """A text field; absent, null and white space give "". Whole numbers are read as text (ids lose no zero here: an
    export that writes them as numbers has lost it already). Raises `Rejected`."""
    value = values.get(field)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Rejected("input.invalid", field)
    return checked(value, field)


def number(values: Mapping[str, Any], field: str) -> float | None:
    """A number field. Text in it is `Rejected("input.invalid")`, never guessed."""
    value = values.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 10**9:
        raise Rejected("input.invalid", field)
    return float(value)
