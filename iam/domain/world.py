"""What `desired` may look at beside the person: organisation units, managers' accounts, and what was desired before."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from iam.domain.account import Existence, Reason
from streams.contracts.documents import PersonDocument, UnitDocument
from streams.contracts.time import day_after, holds


@dataclass(frozen=True, slots=True)
class AccountKey:
    """One login: a person, an employer, a class of account."""

    person: str
    employer: str
    account_class: str


@dataclass(frozen=True, slots=True)
class Given:
    """An account that has its permanent key and its names.

    `served`: keys of the personas that it serves or ever served, each with the number of the decision by which it first
    did. `joined_at` (UTC): when a redirect brought it here, None where it is with the person whom it was made for.
    """

    id: str
    uid: str
    eppn: str
    salt: str
    served: Mapping[str, int] = field(default_factory=dict)
    joined_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Previous:
    """What was desired of an account in a target before now. `reasons` is None and `attributes` empty where they can no
    longer be read."""

    existence: Existence
    groups: frozenset[str] = frozenset()
    reasons: tuple[Reason, ...] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def given_by(self, persona: str) -> frozenset[str]:
        """The groups that rested on a persona; where the reasons cannot be read any of them may have."""
        if self.reasons is None:
            return self.groups
        return frozenset(group for reason in self.reasons if reason.persona == persona for group in reason.groups)


class UnitState(StrEnum):
    KNOWN = "known"
    UNKNOWN = "unit-unknown"  # not heard of yet, itself or something above it
    CLOSED = "unit-closed"  # known, and does not exist on that day


@dataclass(frozen=True, slots=True)
class World:
    """`managers`: account ids by (person id, employer). `previous`: by (account id, target). What is not here is not
    known yet, which is not the same as none."""

    units: Mapping[str, UnitDocument] = field(default_factory=dict)
    managers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    previous: Mapping[tuple[str, str], Previous] = field(default_factory=dict)

    def line(self, unit: str, on: dt.date) -> Iterator[str]:
        """The unit and those above it on a day, nearest first. A unit that was met before ends the line."""
        met: set[str] = set()
        current = unit
        while current and current not in met:
            met.add(current)
            yield current
            document = self.units.get(current)
            current = parent_of(document, on) if document else ""

    def state(self, unit: str, on: dt.date) -> UnitState:
        """No unit at all ("") is known: there is nothing to wait for."""
        if not unit:
            return UnitState.KNOWN
        if any(key not in self.units for key in self.line(unit, on)):
            return UnitState.UNKNOWN
        return UnitState.KNOWN if self.units[unit].exists(on) else UnitState.CLOSED

    def name(self, unit: str, on: dt.date) -> str:
        document = self.units.get(unit)
        if document is None:
            return ""
        return next((entry.name for entry in document.names if holds(entry.valid_from, entry.valid_to, on)), "")

    def authority(self, unit: str, on: dt.date) -> str:
        """The legal authority (*nämnd*) of the unit: its own, or of the nearest above it that names one; empty: none."""
        documents = (self.units.get(key) for key in self.line(unit, on))
        return next((one.legal_authority for one in documents if one and one.legal_authority.strip()), "")

    def responsibility(self, unit: str) -> str:
        document = self.units.get(unit)
        return document.responsibility_code if document else ""


def parent_of(unit: UnitDocument, on: dt.date) -> str:
    """The unit key of the parent on a day; empty: top."""
    return next((entry.parent for entry in unit.parents if holds(entry.valid_from, entry.valid_to, on)), "")


def parents_of(unit: UnitDocument) -> frozenset[str]:
    """Every parent it has or had or will have."""
    return frozenset(entry.parent for entry in unit.parents if entry.parent)


def unit_boundaries(unit: UnitDocument) -> Iterator[dt.date]:
    """The days on which something about a unit begins or no longer holds."""
    spans: list[tuple[dt.date | None, dt.date | None]] = []
    spans += [(entry.valid_from, entry.valid_to) for entry in unit.periods]
    spans += [(entry.valid_from, entry.valid_to) for entry in unit.parents]
    spans += [(entry.valid_from, entry.valid_to) for entry in unit.names]
    for valid_from, valid_to in spans:
        if valid_from:
            yield valid_from
        if valid_to:
            yield day_after(valid_to)


def units_read(person: PersonDocument) -> frozenset[str]:
    """The unit keys that the person's personas name, at any time; those above them are read too."""
    return frozenset(s.unit for persona in person.personas for s in persona.segments if s.unit)


def managers_read(person: PersonDocument) -> frozenset[str]:
    """Person ids of the managers, at any time."""
    return frozenset(s.manager for persona in person.personas for s in persona.segments if s.manager)


def person_thing(person_id: str) -> str:
    """How a person is named among `reads`; a unit is named by its key."""
    return f"person:{person_id}"
