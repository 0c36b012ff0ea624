"""The source of legal organisations: `company-export.v1` files in, one source record an organisation out.

A sole trader's (*enskild firma*) organisation number is the owner's personnummer: the file must give it with its century,
and the key is a keyed hash for every organisation, so that a key tells nobody whose is whose.
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from connectors.sources.dated_rows import Values, names, periods, same, span, told_once
from connectors.sources.grouped import grouped
from connectors.sources.jsonlines import Row, word, write
from connectors.sources.posts import Context, Header, Item, NativeRecord, Post, Reject
from streams.catalogue import SOURCE_ORGANISATION
from streams.contracts.claims import Claim, LegalOrganisation, Seat, SourceRecord, legal_organisation_key
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier, IdentifierType, parse_identifier, parse_organisation_number

SOURCE = "companies"
FORMAT = "company-export.v1"
_LEGAL_PERSON = re.compile(r"(16)?[0-9]{2}[2-9][0-9]{3}-?[0-9]{4}")
_OF_A_PERSON = frozenset({IdentifierType.PERSONNUMMER, IdentifierType.SAMORDNINGSNUMMER})


class CompanyReader:
    """An organisation has one row, or several where it has had several names or seats."""

    name = SOURCE
    topic = SOURCE_ORGANISATION
    dataclass = "personal"
    absence_kinds: tuple[str, ...] = ("legal-organisation",)
    own_versions = False

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        found = yield from grouped(stream, FORMAT, context, lambda row, _: _number(row, context))
        found.check()
        for number, rows in found.opened():
            yield _organisation(number, rows, found.header, context)

    def write(self, records: Sequence[NativeRecord], context: Context, number: int, total: bool) -> bytes:
        head = {"extractedAt": context.now, "total": total, "sequence": number, "employer": "kommun"}
        return write(FORMAT, records, head)


def key_of(number: Identifier, context: Context) -> str:
    """The key of the organisation with this number (an organisation number, or the personnummer of a sole trader)."""
    hashed = Identifier(IdentifierType.ORGANISATIONSNUMMER, number.value)
    return legal_organisation_key(context.subject_of(hashed))


def _number(row: Row, context: Context) -> Identifier:
    """Raises `Rejected`; of ten digits that are a personnummer nobody knows the century: `identifier.ambiguous`."""
    if "organisationNumber" in row.twice:
        raise Rejected("input.invalid", "a field twice")
    text = word(row.values, "organisationNumber")
    if not text:
        raise Rejected("input.missing", "organisationNumber")
    if _LEGAL_PERSON.fullmatch(text):
        return parse_organisation_number(text)
    number = parse_identifier(text, context.today)
    if number.type not in _OF_A_PERSON:
        raise Rejected("identifier.invalid", "organisation number")
    return number


def _organisation(number: Identifier, rows: Sequence[Row], header: Header, context: Context) -> Post | Reject:
    key = key_of(number, context)
    try:
        claim = Claim(_body(number, told_once(rows), context))
    except Rejected as error:
        return Reject(rows[0].line, error.code, error.detail, b"".join(row.raw for row in rows), key, rows=len(rows))
    return Post(rows[0].line, SourceRecord(SOURCE, key, header.stamp, key, (claim,), total=True), len(rows))


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
