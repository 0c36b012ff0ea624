"""What a source that is not designated says, in a form that is compared with what the document holds: is it a conflict?

The value itself is never stored, only a keyed digest of `comparable`. Whoever shows conflicts takes the digests of
`agreeing` for the document as it is then, and leaves out what equals one of them. So neither the order of arrival
nor a later change of the designated value decides, and HR, which always sends its copy of the register name, makes
no noise where the copy is right.
"""

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import TypeVar

import msgspec

from mmd.domain.claims import LoggedClaim, digest_of, kind_of
from streams.contracts.claims import (
    Absent,
    AgreedName,
    Birth,
    Body,
    Claim,
    Name,
    PostalAddress,
    RegisteredAddress,
    Registration,
    SpecialAddress,
    WorkContact,
)
from streams.contracts.documents import AddressEntry, NameEntry, PersonDocument
from streams.contracts.time import holds

CONFLICT = "conflict"
"""The purpose that digests of comparable forms are keyed with."""

Entry = TypeVar("Entry", NameEntry, AddressEntry)


class Undesignated(msgspec.Struct, frozen=True):
    """The newest that an undesignated source said of one thing. `digest` is empty where it withdrew what it had said.

    `valid_from` is the day that the value is said to hold from, where its kind keeps older values; None: it holds now.
    """

    source: str
    source_key: str
    kind: str
    valid_from: dt.date | None
    version: str
    digest: str
    subject: str
    event: str
    logged_at: dt.datetime


Thing = tuple[str, str, str, dt.date | None]


def thing(one: Undesignated) -> Thing:
    """What only the newest is kept of: as heads are for claims that count."""
    return one.source, one.source_key, one.kind, one.valid_from


def supersedes(one: Undesignated, other: Undesignated) -> bool:
    """Whether `one` is kept rather than `other` of the same thing: by version, then content, so that arrival never
    decides; of the same said twice the first logging."""
    mine, theirs = _rank(one), _rank(other)
    return mine > theirs or (mine == theirs and (one.logged_at, one.event) < (other.logged_at, other.event))


def _rank(one: Undesignated) -> tuple[str, str, str]:
    return one.version, one.digest, one.subject


def undesignated(logged: LoggedClaim, valid_from: dt.date | None, keyed: Callable[[str], str]) -> Undesignated:
    """`valid_from` as in `head_key`; `keyed` makes the digest."""
    withdrawn = isinstance(logged.claim.body, Absent)
    return Undesignated(
        source=logged.source,
        source_key=logged.source_key,
        kind=kind_of(logged.claim),
        valid_from=valid_from,
        version=logged.version,
        digest="" if withdrawn else keyed(comparable(logged.claim)),
        subject=logged.subject,
        event=logged.event,
        logged_at=logged.logged_at,
    )


def comparable(claim: Claim) -> str:
    """The claim without what is no difference: case, spaces, composed letters.

    Kinds that are no single value of a person (employments, custody, units) have no such form: a second source of them
    is always shown.
    """
    body = claim.body
    fields = _said(body)
    return digest_of(claim) if fields is None else _text(kind_of(claim), fields)


def agreeing(document: PersonDocument, kind: str, on: dt.date) -> frozenset[str]:
    """Every comparable form that says nothing else than what the document holds on a day; empty where it holds nothing
    of that kind, for then any value is one that the designated source does not have."""
    held = _HELD.get(kind)
    return frozenset() if held is None else frozenset(_text(kind, fields) for fields in held(document, on))


def _said(body: Body) -> tuple[str, ...] | None:
    match body:
        case Name():
            return body.given, body.middle, body.family, body.call_name
        case Birth():
            return (body.date,)
        case Registration():
            return body.code, body.date or ""
        case RegisteredAddress():
            return *_address(body.address), body.municipality_code
        case SpecialAddress():
            return _address(body.address)
        case AgreedName():
            return (body.display,)
        case WorkContact():
            return (_digits(body.phone),)
    return None


def _names(document: PersonDocument, on: dt.date) -> Iterator[tuple[str, ...]]:
    """A field that is left out says nothing. The given name may be said as the call name alone (any of the given names
    where none is marked), the middle name as part of the family name."""
    for entry in _holding(document.names, on):
        calls = {entry.call_name} if entry.call_name else {entry.given, *entry.given.split()}
        families = {entry.family, f"{entry.middle} {entry.family}", ""}
        yield from product({entry.given, "", *calls}, {entry.middle, ""}, families, {"", *calls})


def _registered(document: PersonDocument, on: dt.date) -> Iterator[tuple[str, ...]]:
    for entry in _holding(document.registered_addresses, on):
        yield *_address(entry.address), entry.municipality_code
        yield *_address(entry.address), ""


def _special(document: PersonDocument, on: dt.date) -> Iterator[tuple[str, ...]]:
    entry = document.special_address
    if entry is not None and holds(entry.valid_from, entry.valid_to, on):
        yield _address(entry.address)


def _status(document: PersonDocument, on: dt.date) -> Iterator[tuple[str, ...]]:
    if document.status is not None:
        yield document.status.code, document.status.date or ""
        yield document.status.code, ""


_HELD: Mapping[str, Callable[[PersonDocument, dt.date], Iterable[tuple[str, ...]]]] = {
    "name": _names,
    "birth": lambda document, on: [(document.birth.value,)] if document.birth else [],
    "registration": _status,
    "registered-address": _registered,
    "special-address": _special,
    "agreed-name": lambda document, on: [(document.agreed_name.value,)] if document.agreed_name else [],
    "work-contact": lambda document, on: [(_digits(document.work_phone.value),)] if document.work_phone else [],
}


def _holding(entries: tuple[Entry, ...], on: dt.date) -> Iterator[Entry]:
    return (entry for entry in entries if holds(entry.valid_from, entry.valid_to, on))


def _address(address: PostalAddress) -> tuple[str, ...]:
    code = address.postal_code.replace(" ", "")
    return address.care_of, address.street, address.street2, code, address.locality, address.country


def _digits(phone: str) -> str:
    return "".join(sign for sign in phone if sign.isdigit() or sign == "+")


def _text(kind: str, fields: Iterable[str]) -> str:
    return msgspec.json.encode([kind, *map(_folded, fields)]).decode()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
