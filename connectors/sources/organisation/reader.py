"""The organisation source: `org-export.v1` files in, one source record a unit out, on three dated axes."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from connectors.sources.dated_rows import span, told_once
from connectors.sources.grouped import grouped
from connectors.sources.ids import ID, plain
from connectors.sources.jsonlines import Row, word, write
from connectors.sources.posts import Context, Header, Item, NativeRecord, Post, Reject
from streams.catalogue import SOURCE_ORGANISATION
from streams.contracts.claims import (
    Claim,
    DatedName,
    SourceRecord,
    UnitName,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
    unit_key,
)
from streams.contracts.errors import Rejected

SOURCE = "organisation"
FORMAT = "org-export.v1"


class OrganisationReader:
    """A unit has one row, or several where an axis (node, structure, name) has several periods."""

    name = SOURCE
    topic = SOURCE_ORGANISATION
    dataclass = "open"
    absence_kinds: tuple[str, ...] = ("unit-node",)
    own_versions = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        return read_units(stream, FORMAT, context)

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        return write(FORMAT, records, context.now, number, total)


def read_units(stream: BinaryIO, format_name: str, context: Context) -> Iterator[Item]:
    """The units of a file of this format, after its header. Raises `Rejected`."""
    found = yield from grouped(stream, format_name, context, lambda row, employer: _key(row, employer, context))
    found.check()
    for key, rows in found.opened():
        yield _unit(key, rows, found.header, context)


@dataclass(frozen=True, slots=True)
class UnitKey:
    """A unit and its employer."""

    employer: str
    unit: str

    @property
    def text(self) -> str:
        return unit_key(self.employer, self.unit)


def _key(row: Row, employer: str, context: Context) -> UnitKey:
    """Raises `Rejected`."""
    if row.twice & {"companyId", "orgId"}:
        raise Rejected("input.invalid", "a field twice")
    values = row.values
    company = word(values, "companyId") or employer
    if not ID.fullmatch(company):
        raise Rejected("input.invalid", "companyId")
    return UnitKey(plain(company, context), _unit_id(values, "orgId", context))


def _unit_id(values: Mapping[str, Any], field: str, context: Context) -> str:
    """Raises `Rejected`."""
    unit = word(values, field)
    if not unit:
        raise Rejected("input.missing", field)
    if not ID.fullmatch(unit):
        raise Rejected("input.invalid", field)
    return plain(unit, context)


def _unit(of: UnitKey, rows: Sequence[Row], header: Header, context: Context) -> Post | Reject:
    key = of.text
    try:
        claims = tuple(_claims(of, told_once(rows), context))
    except Rejected as error:
        return Reject(rows[0].line, error.code, error.detail, b"".join(row.raw for row in rows), key, rows=len(rows))
    return Post(rows[0].line, SourceRecord(SOURCE, key, header.stamp, key, claims, total=True), len(rows))


def _claims(of: UnitKey, rows: Sequence[Mapping[str, Any]], context: Context) -> Iterator[Claim]:
    last = max(rows, key=_newest)
    nodes = sorted({span(row, "node") for row in rows}, key=_start)
    yield Claim(
        UnitNode(
            tuple(UnitPeriod(*span) for span in nodes),
            unit_type=word(last, "unitType"),
            legal_authority=word(last, "legalAuthority"),
            responsibility_code=word(last, "responsibilityCode"),
        )
    )
    parents = {(_parent(row, of, context), span(row, "structure", "node")) for row in rows}
    ordered = sorted(parents, key=lambda one: (one[1][0], one[0]))
    yield Claim(UnitStructure(tuple(UnitParent(parent, *span) for parent, span in ordered)))
    names = {(word(row, "orgName"), word(row, "orgNameShort"), span(row, "name", "node")) for row in rows}
    if any(not name for name, _, _ in names):
        raise Rejected("input.missing", "orgName")
    dated = sorted(names, key=lambda one: (one[2][0], one[0]))
    yield Claim(UnitName(tuple(DatedName(name, *span, short=short) for name, short, span in dated)))


def _newest(row: Mapping[str, Any]) -> tuple[dt.date, str]:
    """The row that begins last says what has no dates of its own, wherever it stands in the file. Raises `Rejected`."""
    starts = (span(row, axis, "node")[0] for axis in ("node", "structure", "name"))
    return max(starts), repr(sorted(row.items()))


def _start(span: tuple[dt.date, dt.date | None]) -> dt.date:
    return span[0]


def _parent(row: Mapping[str, Any], of: UnitKey, context: Context) -> str:
    """The key of the unit above, of the same employer; empty: top. Raises `Rejected`."""
    if not word(row, "parentId"):
        return ""
    parent = _unit_id(row, "parentId", context)
    if parent == of.unit:
        raise Rejected("input.invalid", "parentId")
    return unit_key(of.employer, parent)
