"""The place source: `place-export.v1` files in, one source record a place out."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from connectors.sources.dated_rows import Values, company_of, id_in, id_of, names, periods, same, span, told_once
from connectors.sources.grouped import grouped
from connectors.sources.jsonlines import Row, word, write
from connectors.sources.posts import Context, Header, Item, NativeRecord, Post, Reject
from streams.catalogue import SOURCE_PLACE
from streams.contracts.claims import Claim, Place, PlaceUnit, PostalAddress, SourceRecord, place_key, unit_key
from streams.contracts.errors import Rejected

SOURCE = "places"
FORMAT = "place-export.v1"
_OPEN = frozenset({"", "N"})


class PlaceReader:
    """A place has one row, or several where it has had several names or houses several units."""

    name = SOURCE
    topic = SOURCE_PLACE
    dataclass = "personal"
    absence_kinds: tuple[str, ...] = ("place",)
    own_versions = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        found = yield from grouped(stream, FORMAT, context, lambda row, employer: _key(row, employer, context))
        found.check()
        for key, rows in found.opened():
            yield _place(key, rows, found.header, context)

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        head = {"extractedAt": context.now, "total": total, "sequence": number, "employer": "kommun"}
        return write(FORMAT, records, head)


def _key(row: Row, employer: str, context: Context) -> tuple[str, str]:
    """Raises `Rejected`."""
    return company_of(row.values, employer, context), id_of(row, "placeId", context)


def _place(of: tuple[str, str], rows: Sequence[Row], header: Header, context: Context) -> Post | Reject:
    key = place_key(*of)
    try:
        claim = Claim(_body(of[0], told_once(rows), context))
    except Rejected as error:
        return Reject(rows[0].line, error.code, error.detail, b"".join(row.raw for row in rows), key, rows=len(rows))
    return Post(rows[0].line, SourceRecord(SOURCE, key, header.stamp, key, (claim,), total=True), len(rows))


def _body(company: str, rows: Sequence[Values], context: Context) -> Place:
    housed = {(id_in(row, "orgId", context), span(row, "unit", "place")) for row in rows if word(row, "orgId")}
    address = PostalAddress(
        street=same(rows, "street"), postal_code=same(rows, "postalCode"), locality=same(rows, "locality")
    )
    return Place(
        periods=periods(rows, "place"),
        names=names(rows, "placeName", "name", "place"),
        place_type=same(rows, "placeType"),
        address=address if address != PostalAddress() else None,
        municipality_code=same(rows, "municipalityCode"),
        property_designation=same(rows, "propertyDesignation"),
        units=tuple(
            PlaceUnit(unit_key(company, unit), *days)
            for unit, days in sorted(housed, key=lambda one: (one[1][0], one[0]))
        ),
        restricted=any(word(row, "restricted") not in _OPEN for row in rows),  # an unknown word is no open one
    )
