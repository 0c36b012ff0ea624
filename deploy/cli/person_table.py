"""A person document as lines: what, value, from which source, known since. No number of a person is printed."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from rich.table import Table
from rich.text import Text

from deploy.report import source_time
from streams.contracts.claims import PostalAddress
from streams.contracts.documents import PersonDocument, Stamp
from streams.contracts.time import STOCKHOLM

NOT_PRINTED = "(not printed)"


class Line(NamedTuple):
    what: str
    value: str
    stamp: Stamp | None = None


def without_numbers(document: PersonDocument) -> dict[str, Any]:
    """The document as JSON would have it, every number of a person replaced."""
    numbers = tuple(msgspec.structs.replace(entry, value=NOT_PRINTED) for entry in document.numbers)
    answer: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(document, numbers=numbers))
    return answer


def lines(document: PersonDocument, on: dt.date) -> Iterator[Line]:
    """`on` is the date whose states of personas are told."""
    yield Line("person", document.id)
    yield from (Line("also known as", alias) for alias in document.aliases)
    if document.restricted:
        yield Line("handled with care", "yes")
    if document.marking is not None:
        yield Line("marking", document.marking.value, next(iter(document.marking_stamps), None))
    for number in document.numbers:
        yield Line(number.type.value, f"{NOT_PRINTED}, {'current' if number.current else 'superseded'}", number.stamp)
    if document.birth:
        yield Line("born", document.birth.value, document.birth.stamp)
    if document.status:
        yield Line(
            "status", " ".join(filter(None, (document.status.state, document.status.date))), document.status.stamp
        )
    for name in document.names:
        called = f" ({name.call_name})" if name.call_name else ""
        yield Line("name", " ".join(filter(None, (name.given + called, name.middle, name.family))), name.stamp)
    if document.agreed_name:
        yield Line("agreed name", document.agreed_name.value, document.agreed_name.stamp)
    if document.work_phone:
        yield Line("work telephone", document.work_phone.value, document.work_phone.stamp)
    for address in document.registered_addresses:
        yield Line("registered address", _address(address.address), address.stamp)
    if document.special_address:
        yield Line("special address", _address(document.special_address.address), document.special_address.stamp)
    yield from (Line("guardian", one.person, one.stamp) for one in document.guardians)
    yield from (Line("guardian of", one.person, one.stamp) for one in document.wards)
    if document.quarantined:
        yield Line("needs a decision", document.quarantined)
    yield from _personas(document, on)


def _personas(document: PersonDocument, on: dt.date) -> Iterator[Line]:
    for persona in document.personas:
        yield Line(persona.type.value, f"{persona.key}: {persona.state(on)}", persona.stamp)
        for segment in persona.segments:
            until = segment.valid_to or "further notice"
            told = ", ".join(filter(None, (segment.title, segment.unit)))
            yield Line("", f"{segment.valid_from} to {until}: {told}")
        for account in persona.accounts:
            yield Line("account", " ".join(filter(None, (account.uid, account.eppn, account.mail))), account.stamp)


def table_of(document: PersonDocument, on: dt.date) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "value", "from", "known since"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "known since")
    for line in lines(document, on):
        origin = since = ""
        if line.stamp:
            origin = f"{line.stamp.source} {source_time(line.stamp.source, line.stamp.version)}"
            since = f"{line.stamp.logged_at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"
        table.add_row(line.what, Text(line.value), Text(origin), since)
    return table


def _address(address: PostalAddress) -> str:
    place = f"{address.postal_code} {address.locality}".strip()
    parts = (address.care_of, address.street, address.street2, place, address.country)
    return ", ".join(part for part in parts if part)
