"""Rows of our own export formats that state dated values: the fields that they have in common."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.sources.dates import iso_date
from connectors.sources.ids import ID, plain
from connectors.sources.jsonlines import Row, word
from connectors.sources.posts import Context
from streams.contracts.claims import DatedName, UnitPeriod
from streams.contracts.errors import Rejected

Dates = tuple[dt.date, dt.date | None]
Values = Mapping[str, Any]


def span(row: Values, axis: str, fallback: str = "") -> Dates:
    """The inclusive dates `<axis>From` and `<axis>To`; those of `fallback` where there are none. Raises `Rejected`."""
    start, end = f"{axis}From", f"{axis}To"
    valid_from, valid_to = iso_date(row.get(start), start), iso_date(row.get(end), end)
    if valid_from is None and fallback:
        return span(row, fallback)
    if valid_from is None:
        raise Rejected("input.missing", start)
    if valid_to is not None and valid_to < valid_from:
        raise Rejected("input.end-before-start", end)
    return valid_from, valid_to


def periods(rows: Iterable[Values], axis: str) -> tuple[UnitPeriod, ...]:
    """The days of an axis. Raises `Rejected`."""
    found = {span(row, axis) for row in rows}
    return tuple(UnitPeriod(*one) for one in sorted(found, key=lambda one: (one[0], one[1] or dt.date.max)))


def names(rows: Iterable[Values], field: str, axis: str, fallback: str) -> tuple[DatedName, ...]:
    """The names with their days; every row has one. Raises `Rejected`."""
    found = {(word(row, field), span(row, axis, fallback)) for row in rows}
    if any(not name for name, _ in found):
        raise Rejected("input.missing", field)
    return tuple(DatedName(name, *days) for name, days in sorted(found, key=lambda one: (one[1][0], one[0])))


def id_of(row: Row, field: str, context: Context) -> str:
    """An id that the source gives, hashed where it holds a number of a person. Raises `Rejected`."""
    if row.twice & {"companyId", field}:
        raise Rejected("input.invalid", "a field twice")
    return id_in(row.values, field, context)


def told_once(rows: Iterable[Row]) -> list[Values]:
    """What the rows of one thing say: all of them or none, for what is left out would be over. Raises `Rejected` where a
    field stands twice in one: which of the two counts is for nobody to guess."""
    found = []
    for row in rows:
        if row.twice:
            raise Rejected("input.invalid", "a field twice")
        found.append(row.values)
    return found


def id_in(values: Values, field: str, context: Context) -> str:
    """As `id_of`, of any field. Raises `Rejected`."""
    found = word(values, field)
    if not found:
        raise Rejected("input.missing", field)
    if not ID.fullmatch(found):
        raise Rejected("input.invalid", field)
    return plain(found, context)


def company_of(values: Values, employer: str, context: Context) -> str:
    """The employer of the row: `companyId`, or else the header's. Raises `Rejected`."""
    company = word(values, "companyId") or employer
    if not ID.fullmatch(company):
        raise Rejected("input.invalid", "companyId")
    return plain(company, context)


def same(rows: Sequence[Values], field: str) -> str:
    """A text that every row must say alike, for it has no dates. Raises `Rejected`."""
    said = {word(row, field) for row in rows}
    if len(said) > 1:
        raise Rejected("input.invalid", f"{field}: the rows differ")
    return next(iter(said), "")
