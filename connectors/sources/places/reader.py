"""The place source: `place-export.v1` files in, one source record a place out."""

from collections.abc import Sequence

from connectors.sources.dated_rows import Values, company_of, id_in, id_of, names, periods, same, span
from connectors.sources.jsonlines import Row, word
from connectors.sources.posts import Context
from connectors.sources.things import ThingReader
from streams.catalogue import SOURCE_PLACE
from streams.contracts.claims import Claim, Place, PlaceUnit, PostalAddress, place_key, unit_key

_OPEN = frozenset({"", "N"})


def _key(row: Row, employer: str, context: Context) -> tuple[str, str]:
    """Raises `Rejected`."""
    return company_of(row.values, employer, context), id_of(row, "placeId", context)


def _claims(of: tuple[str, str], rows: Sequence[Values], context: Context) -> tuple[Claim, ...]:
    return (Claim(_body(of[0], rows, context)),)


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


PLACES = ThingReader(
    name="places",
    format="place-export.v1",
    topic=SOURCE_PLACE,
    absence_kinds=("place",),
    key_of=_key,
    subject_of=lambda of, _: place_key(*of),
    claims_of=_claims,
)
"""A place has one row, or several where it has had several names or houses several units."""
