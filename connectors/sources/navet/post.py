"""One *folkbokföringspost* to claims. Protection is read first and on its own; what is not mapped is never read.

Civil status, citizenship, places of birth, history and the names of other persons are dropped here, at the edge.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.sources.dates import as_written, earliest, incomplete, latest, local_stamp
from connectors.sources.lanes import DECEASED
from connectors.sources.navet.names import call_name
from connectors.sources.navet.xml import attribute, child, children, is_nil, text
from connectors.sources.posts import Context
from streams.contracts.claims import (
    Absent,
    Birth,
    Claim,
    Custody,
    Name,
    NumberReference,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Registration,
    Relation,
    SpecialAddress,
)
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier, parse_identifier

_YES = frozenset({"J", "JA", "TRUE", "1"})
_SUPERSEDED = frozenset({"GN", "GS"})
_CURRENT_RELATION = frozenset({"", "NY", "PB", "RD"})
_ENDED_RELATION = frozenset({"AV", "AS", "IV", "AN"})
_TOTAL_ABSENCES = ("special-address", "custody")


@dataclass(slots=True)
class PostReader:
    """Reads one post element. `alarms` collects what should be looked at (code, detail); values never appear there."""

    element: Any
    context: Context
    alarms: list[tuple[str, str]] = field(default_factory=list)

    @property
    def total(self) -> bool:
        """Whether the post is marked complete: only then does an absent element say anything."""
        return attribute(child(self.element, "Arendeuppgift"), "totalpost").upper() in _YES

    def stamp(self) -> str:
        """`andringstidpunkt`, fourteen digits of Swedish time; empty where it is absent, no time, or in the future."""
        found = attribute(child(self.element, "Arendeuppgift"), "andringstidpunkt")
        instant = local_stamp(found)
        return found if instant is not None and instant <= self.context.now + dt.timedelta(days=1) else ""

    def protection(self) -> Protection | None:
        """Both markings; None where a delta does not speak of them. Never raises."""
        marks = [_mark(self.element, "Sekretessmarkering"), _mark(self.element, "SkyddadFolkbokforing")]
        if marks == [None, None] and not self.total:
            return None
        unknown = "?" in marks
        if unknown:
            self.alarms.append(("code.unknown", "Sekretessmarkering/SkyddadFolkbokforing"))
        return Protection(
            sekretessmarkering=marks[0] == "J", skyddad_folkbokforing=marks[1] == "J", unknown_token=unknown
        )

    def identifier(self) -> Identifier:
        """Raises `Rejected`: input.missing, identifier.invalid, identifier.ambiguous."""
        found = child(self._person(), "PersonId")
        number = text(found, "PersonNr") or text(found, "TilldelatPersonNrSamordningsNr")
        if not number:
            raise Rejected("input.missing", "PersonId")
        return parse_identifier(number, self.context.today)

    def death(self) -> tuple[Claim, ...]:
        """That the person has died (*avliden*), read on its own: a slip elsewhere in the post, or in the date, never keeps
        the access of the dead. Raises `Rejected` as `identifier` does."""
        found = child(self._person(), "Avregistrering")
        if not self.stamp() or text(found, "AvregistreringsorsakKod").upper() != DECEASED:
            return ()
        try:
            date = self._date(found, "Avregistreringsdatum")
        except Rejected as error:
            self.alarms.append((error.code, error.detail))
            date = None
        return (Claim(Registration(code=DECEASED, date=date)),)

    def claims(self) -> Iterator[Claim]:
        """Every claim but protection. Raises `Rejected` naming the element."""
        stamp = local_stamp(self.stamp())
        if stamp is None:
            raise Rejected("stamp.missing", "andringstidpunkt")
        changed, person = stamp.date(), self._person()
        found = [
            *self._birth(person),
            *self._registration(person),
            *self._reference(person),
            *self._name(person, changed),
            *self._addresses(person, changed),
            *self._custody(person, changed),
        ]
        if self.total:
            present = {claim.kind for claim in found}
            found += [Claim(Absent(of=kind)) for kind in _TOTAL_ABSENCES if kind not in present]
        yield from found

    def _person(self) -> Any:
        person = child(self.element, "Personpost")
        if person is None:
            raise Rejected("input.missing", "Personpost")
        return person

    def _missing(self, name: str) -> None:
        """A mapped element that a complete post should have."""
        if self.total:
            self.alarms.append(("input.missing", name))

    def _date(self, element: Any | None, name: str) -> str | None:
        found = text(element, name)
        return incomplete(found, name) if found else None

    def _birth(self, person: Any) -> Iterator[Claim]:
        date = self._date(person, "Fodelsedatum")
        if date is None:
            self._missing("Fodelsedatum")
        else:
            yield Claim(Birth(date=date))

    def _registration(self, person: Any) -> Iterator[Claim]:
        found = child(person, "Avregistrering")
        if found is None:
            if self.total:
                yield Claim(Registration())
            return
        code = text(found, "AvregistreringsorsakKod").upper()
        date = self._date(found, "Avregistreringsdatum")
        if code:
            yield Claim(Registration(code=code, date=date))
        elif date is not None:
            yield Claim(
                Registration(code="?", date=date)
            )  # deregistered, reason not told: an unknown code to the master
            self.alarms.append(("code.unknown", "AvregistreringsorsakKod"))

    def _reference(self, person: Any) -> Iterator[Claim]:
        number = text(person, "HanvisningsPersonNr")
        if number:
            other = parse_identifier(number, self.context.today)
            code = text(child(person, "Avregistrering"), "AvregistreringsorsakKod").upper()
            yield Claim(NumberReference(other, self.context.subject_of(other), superseded=code in _SUPERSEDED))

    def _name(self, person: Any, changed: dt.date) -> Iterator[Claim]:
        found = child(person, "Namn")
        given, family = text(found, "Fornamn"), text(found, "Efternamn")
        if not given and not family:
            self._missing("Namn")
            return
        mark = text(found, "Tilltalsnamnsmarkering")
        called = call_name(given, mark)
        if mark and not called:
            self.alarms.append(("input.invalid", "Tilltalsnamnsmarkering"))
        yield Claim(Name(given, text(found, "Mellannamn"), family, called), valid_from=changed)

    def _addresses(self, person: Any, changed: dt.date) -> Iterator[Claim]:
        registered, addresses = child(person, "Folkbokforing"), child(person, "Adresser")
        home = None if addresses is None else child(addresses, "Folkbokforingsadress")
        if registered is not None or home is not None:
            since = self._date(registered, "Folkbokforingsdatum")
            yield Claim(
                RegisteredAddress(
                    _address(home) or PostalAddress(),
                    municipality_code=text(registered, "LanKod") + text(registered, "KommunKod"),
                    property_designation=text(registered, "Fastighetsbeteckning"),
                    since=as_written(since),
                ),
                valid_from=earliest(since) if since else changed,
            )
        elif child(person, "Avregistrering") is None and _mark(self.element, "SkyddadFolkbokforing") != "J":
            self._missing("Folkbokforing")
        special = None if addresses is None else child(addresses, "SarskildPostadress")
        address = _address(special)
        if address is not None:
            yield Claim(SpecialAddress(address))

    def _custody(self, person: Any, changed: dt.date) -> Iterator[Claim]:
        found = child(person, "Relationer")
        if found is not None:
            relations = (self._relation(one, changed) for one in children(found, "Relation"))
            yield Claim(Custody(tuple(relation for relation in relations if relation is not None)))

    def _relation(self, element: Any, changed: dt.date) -> Relation | None:
        kind = text(element, "Relationstyp").upper()
        if kind not in ("V", "VF"):
            return None
        number = text(child(element, "RelationId"), "PersonNr")
        if not number:
            self.alarms.append(("input.missing", "RelationId/PersonNr"))
            return None
        starts, ends = self._date(element, "RelationFromdatum"), self._date(element, "RelationTomdatum")
        valid_from, valid_to = latest(starts) if starts else None, earliest(ends) if ends else None
        status = attribute(element, "status").upper()
        if status not in _CURRENT_RELATION:
            if status not in _ENDED_RELATION:
                self.alarms.append(("code.unknown", "Relation/status"))
            valid_to = min(valid_to or changed, changed - dt.timedelta(days=1))
        if valid_from is not None and valid_to is not None and valid_to < valid_from:
            return None
        other = parse_identifier(number, self.context.today)
        return Relation(
            kind, self.context.subject_of(other), valid_from, valid_to, as_written(starts), as_written(ends)
        )


def _mark(post: Any, name: str) -> str | None:
    """`J`, `N`, `?` for a token that is not known, None for absent or nil. Present but empty is N, by the XSD's default
    (which never fills in an absent element). If it occurs twice, the stricter one."""
    found = set()
    for element in children(post, name):
        if is_nil(element):
            continue
        token = "".join(element.itertext()).strip()
        found.add(token if token in ("J", "N") else "?" if token else "N")
    return next((token for token in ("J", "?", "N") if token in found), None)


def _address(element: Any | None) -> PostalAddress | None:
    if element is None:
        return None
    postal_code = text(element, "PostNr")
    if postal_code.isascii() and postal_code.isdigit():
        postal_code = postal_code.zfill(5)  # an integer in the XSD: a leading zero may be lost
    address = PostalAddress(
        care_of=text(element, "CareOf"),
        street=text(element, "Utdelningsadress2") or text(element, "Utdelningsadress1"),
        street2=text(element, "Utdelningsadress1") if text(element, "Utdelningsadress2") else "",
        postal_code=postal_code,
        locality=text(element, "Postort"),
    )
    return address if address != PostalAddress() else None
