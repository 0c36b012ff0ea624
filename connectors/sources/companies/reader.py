"""The source of legal organisations: `company-export.v1` files in, one source record an organisation out.

A sole trader's (*enskild firma*) organisation number is the owner's personnummer: the file must give it with its century,
and the key is a keyed hash for every organisation, so that a key tells nobody whose is whose.
"""

import re
from collections.abc import Sequence

from connectors.sources.dated_rows import Values, names, periods, same, span
from connectors.sources.jsonlines import Row, word
from connectors.sources.posts import Context
from connectors.sources.things import ThingReader
from streams.catalogue import SOURCE_ORGANISATION
from streams.contracts.claims import Claim, LegalOrganisation, Seat, legal_organisation_key
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier, IdentifierType, parse_identifier, parse_organisation_number

_LEGAL_PERSON = re.compile(r"(16)?[0-9]{2}[2-9][0-9]{3}-?[0-9]{4}")
_OF_A_PERSON = frozenset({IdentifierType.PERSONNUMMER, IdentifierType.SAMORDNINGSNUMMER})


def key_of(number: Identifier, context: Context) -> str:
    """The key of the organisation with this number (an organisation number, or the personnummer of a sole trader)."""
    hashed = Identifier(IdentifierType.ORGANISATIONSNUMMER, number.value)
    return legal_organisation_key(context.subject_of(hashed))


def _number(row: Row, employer: str, context: Context) -> Identifier:
    """Raises `Rejected`; of ten digits that are a personnummer nobody knows the century: `identifier.ambiguous`."""
    if "organisationNumber" in row.twice:
        raise Rejected("input.invalid", "a field twice")
    text = word(row.values, "organisationNumber")
    if not text:
        raise Rejected("input.missing", "organisationNumber")
    if _LEGAL_PERSON.fullmatch(text):
        return parse_organisation_number(text)
    number = parse_identifier(text, context.today, issuer=employer)
    if number.type not in _OF_A_PERSON:
        raise Rejected("identifier.invalid", "organisation number")
    return number


def _claims(number: Identifier, rows: Sequence[Values], context: Context) -> tuple[Claim, ...]:
    return (Claim(_body(number, rows, context)),)


def _body(number: Identifier, rows: Sequence[Values], context: Context) -> LegalOrganisation:
    seats = {(word(row, "seat"), span(row, "seat", "registered")) for row in rows if word(row, "seat")}
    return LegalOrganisation(
        number=number,
        owner=context.subject_of(number) if number.type in _OF_A_PERSON else "",
        periods=periods(rows, "registered"),
        names=names(rows, "companyName", "name", "registered"),
        seats=tuple(Seat(seat, *days) for seat, days in sorted(seats, key=lambda one: (one[1][0], one[0]))),
        form=same(rows, "legalForm"),
    )


COMPANIES = ThingReader(
    name="companies",
    format="company-export.v1",
    topic=SOURCE_ORGANISATION,
    absence_kinds=("legal-organisation",),
    key_of=_number,
    subject_of=key_of,
    claims_of=_claims,
)
"""An organisation has one row, or several where it has had several names or seats."""
