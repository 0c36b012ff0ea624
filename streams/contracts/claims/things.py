"""What is about no person: units on three dated axes, places, groups, legal organisations (designated: a register each)."""

import datetime as dt

import msgspec

from streams.contracts.claims.body import ClaimBody
from streams.contracts.claims.persons import PostalAddress
from streams.contracts.identifiers import Identifier


class UnitPeriod(msgspec.Struct, frozen=True, omit_defaults=True):
    valid_from: dt.date
    valid_to: dt.date | None = None


class UnitNode(ClaimBody, frozen=True, tag="unit-node"):
    """When the unit exists; `legal_authority` is the nämnd or company that answers for it."""

    periods: tuple[UnitPeriod, ...] = ()
    unit_type: str = ""
    legal_authority: str = ""
    responsibility_code: str = ""  # ansvarskod for attest


class UnitParent(msgspec.Struct, frozen=True, omit_defaults=True):
    parent: str  # unit key; empty: top
    valid_from: dt.date
    valid_to: dt.date | None = None


class UnitStructure(ClaimBody, frozen=True, tag="unit-structure"):
    parents: tuple[UnitParent, ...] = ()


class DatedName(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    short: str = ""


class UnitName(ClaimBody, frozen=True, tag="unit-name"):
    names: tuple[DatedName, ...] = ()


class PlaceUnit(msgspec.Struct, frozen=True, omit_defaults=True):
    """An organisation unit that is housed at the place. Inclusive dates."""

    unit: str
    valid_from: dt.date
    valid_to: dt.date | None = None


class Place(ClaimBody, frozen=True, tag="place"):
    """A place (*plats*): a building, or a part of one, where the municipality works. `restricted`: its address must not be
    known (sheltered housing, *skyddat boende*)."""

    periods: tuple[UnitPeriod, ...] = ()
    names: tuple[DatedName, ...] = ()
    place_type: str = ""
    address: PostalAddress | None = None
    municipality_code: str = ""
    property_designation: str = ""
    units: tuple[PlaceUnit, ...] = ()
    restricted: bool = False


class Group(ClaimBody, frozen=True, tag="group"):
    """A class, a teaching group, a preschool section (SS 12000 *Group*). `unit`: the key of the unit that has it."""

    periods: tuple[UnitPeriod, ...] = ()
    names: tuple[DatedName, ...] = ()
    group_type: str = ""
    unit: str = ""


class Membership(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person in a group, in one role: the subject, the type of persona, and the key of the enrolment or employment
    that the membership rests on (see `persona_key`; empty: the source does not say). Inclusive dates."""

    subject: str
    persona_type: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    persona: str = ""


class GroupMembers(ClaimBody, frozen=True, tag="group-members"):
    """All members that the source has of the group, former and coming ones too."""

    members: tuple[Membership, ...] = ()


class Seat(msgspec.Struct, frozen=True, omit_defaults=True):
    """The municipality where a legal organisation has its seat (*säte*), by name or four-digit code."""

    seat: str
    valid_from: dt.date
    valid_to: dt.date | None = None


class LegalOrganisation(ClaimBody, frozen=True, tag="legal-organisation"):
    """A legal person, or a sole trader (*enskild firma*) whose organisation number is the owner's personnummer. `owner` is
    the subject of that person; empty for all others. `form`: *juridisk form*."""

    number: Identifier
    owner: str = ""
    periods: tuple[UnitPeriod, ...] = ()
    names: tuple[DatedName, ...] = ()
    seats: tuple[Seat, ...] = ()
    form: str = ""
