"""The master's documents: one shape all the way (stored, published on `mmd.*.v1`, sliced by the API, hashed)."""

import datetime as dt
import re
from enum import StrEnum

import msgspec

from streams.contracts.claims import Assurance, Leave, Marking, PostalAddress, Segment, UnitPeriod
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.time import IncompleteDate


class Stamp(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a value comes from: source, record there, its version, when it was first logged (UTC), that event's id."""

    source: str
    source_key: str
    version: str
    logged_at: dt.datetime
    event: str = ""


class NumberEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A national identifier of the person. Exactly one is current; superseded ones still resolve."""

    type: IdentifierType
    value: str
    current: bool
    stamp: Stamp | None = None


class NameEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    given: str
    middle: str
    family: str
    call_name: str
    stamp: Stamp
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class AddressEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """`since`: the day it holds from as the register wrote it, where that is incomplete."""

    address: PostalAddress
    stamp: Stamp
    municipality_code: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    since: IncompleteDate | None = None


class TextValue(msgspec.Struct, frozen=True, omit_defaults=True):
    value: str
    stamp: Stamp


class StatusEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """SM1: registered, deceased, emigrated, missing, superseded or quarantined (an unknown or technical code)."""

    state: str
    stamp: Stamp
    code: str = ""
    date: IncompleteDate | None = None


class AssuranceEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """How sure it is who holds the current number. `dormant` is a matter of quality, never an end of anything."""

    level: Assurance
    stamp: Stamp
    dormant: bool = False
    dormant_from: IncompleteDate | None = None


class RelationEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A guardian or ward, by person id; the other person's data come through their own disclosure. `starts` and `ends`: the
    dates as the register wrote them, where they are incomplete."""

    person: str
    stamp: Stamp
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    starts: IncompleteDate | None = None
    ends: IncompleteDate | None = None


class PersonaType(StrEnum):
    EMPLOYEE = "employee"
    GUARDIAN = "guardian"
    PUPIL = "pupil"
    PRESCHOOL_CHILD = "preschool-child"
    ADULT_STUDENT = "adult-student"
    CONSULTANT = "consultant"
    POLITICIAN = "politician"
    ROBOT = "robot"


class AccountEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account that serves the persona. The stamp is left out for a reader of some persona types only: the same word
    of iam names every persona that the account serves."""

    account: str
    stamp: Stamp | None = None
    uid: str = ""
    eppn: str = ""
    mail: str = ""


class Persona(msgspec.Struct, frozen=True, omit_defaults=True):
    """One role in which the person meets the municipality. `segments` and `leaves` are the dated facts (SM3, SM4);
    whether it is planned, active, on leave or closed follows from them and a date, see `state`.
    In `segments` the manager is a person id here, no longer a subject. `company` is a consultant's organisation number."""

    key: str
    type: PersonaType
    stamp: Stamp
    employer: str = ""
    source_id: str = ""
    segments: tuple[Segment, ...] = ()
    leaves: tuple[Leave, ...] = ()
    cancelled: bool = False
    accounts: tuple[AccountEntry, ...] = ()
    school_type: str = ""  # *skolform*, SS 12000
    company: str = ""

    def state(self, on: dt.date) -> str:
        """`planned`, `active`, `on-leave`, `closed` or `cancelled` on a date (inclusive ends)."""
        if self.cancelled or not self.segments:
            return "cancelled"
        if on < min(s.valid_from for s in self.segments):
            return "planned"
        if self.segment(on) is None:
            later = any(s.valid_from > on for s in self.segments)
            return "planned" if later else "closed"
        on_leave = any(x.valid_from <= on and (x.valid_to is None or on <= x.valid_to) for x in self.leaves)
        return "on-leave" if on_leave else "active"

    def segment(self, on: dt.date) -> Segment | None:
        """The segment that holds on a date; where two overlap, the one that started last."""
        holding = [s for s in self.segments if s.valid_from <= on and (s.valid_to is None or on <= s.valid_to)]
        return max(holding, key=lambda s: (s.valid_from, s.unit), default=None)


class PersonDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """One base person (*grundperson*) with personas. What a reader gets is this shape after `disclose`: withheld groups
    are left empty, and `restricted` tells that the person is to be handled with care, never why.

    `marking` is None where the reader's release does not hold protection levels.
    """

    id: str
    aliases: tuple[str, ...] = ()
    marking: Marking | None = None
    marking_stamps: tuple[Stamp, ...] = ()
    restricted: bool = False
    numbers: tuple[NumberEntry, ...] = ()
    birth: TextValue | None = None
    status: StatusEntry | None = None
    assurance: AssuranceEntry | None = None
    names: tuple[NameEntry, ...] = ()
    agreed_name: TextValue | None = None
    work_phone: TextValue | None = None
    registered_addresses: tuple[AddressEntry, ...] = ()
    special_address: AddressEntry | None = None
    guardians: tuple[RelationEntry, ...] = ()
    wards: tuple[RelationEntry, ...] = ()
    personas: tuple[Persona, ...] = ()
    main_persona: str = ""  # key; only in what a reader gets: the main one on the date asked for, of those it may see
    quarantined: str = ""  # an error code where the person needs a human (number cycle, unknown code)


class UnitNameEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stamp is left out where it would tell of members of a group who are not shown."""

    name: str
    stamp: Stamp | None = None
    short: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class UnitParentEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    parent: str
    stamp: Stamp
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class UnitDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """An organisation unit on three dated axes: node (exists), structure (parent), name."""

    id: str  # the unit key
    periods: tuple[UnitPeriod, ...] = ()
    node_stamp: Stamp | None = None
    unit_type: str = ""
    legal_authority: str = ""
    responsibility_code: str = ""
    names: tuple[UnitNameEntry, ...] = ()
    parents: tuple[UnitParentEntry, ...] = ()

    def exists(self, on: dt.date) -> bool:
        return any(p.valid_from <= on and (p.valid_to is None or on <= p.valid_to) for p in self.periods)


class PlaceUnitEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    unit: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class PlaceDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place where the municipality works. `restricted`: only a reader who is cleared for protected persons knows of it."""

    id: str
    stamp: Stamp | None = None
    periods: tuple[UnitPeriod, ...] = ()
    names: tuple[UnitNameEntry, ...] = ()
    place_type: str = ""
    address: PostalAddress | None = None
    municipality_code: str = ""
    property_designation: str = ""
    units: tuple[PlaceUnitEntry, ...] = ()
    restricted: bool = False


class MemberEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A member by person id and persona key; the person's data come through their own disclosure."""

    person: str
    persona_type: str
    persona: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class GroupDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A class, a teaching group, a preschool section. What a reader gets has the members that it may know of, and no sign of
    others."""

    id: str
    stamp: Stamp | None = None
    periods: tuple[UnitPeriod, ...] = ()
    names: tuple[UnitNameEntry, ...] = ()
    group_type: str = ""
    unit: str = ""
    members: tuple[MemberEntry, ...] = ()
    members_stamp: Stamp | None = None


class SeatEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    seat: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class LegalOrganisationDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A legal person or a sole trader. `owner`: the person id of the sole trader, whose number `number` then is."""

    id: str
    stamp: Stamp | None = None
    number: Identifier | None = None
    owner: str = ""
    periods: tuple[UnitPeriod, ...] = ()
    names: tuple[UnitNameEntry, ...] = ()
    seats: tuple[SeatEntry, ...] = ()
    form: str = ""


Thing = UnitDocument | PlaceDocument | GroupDocument | LegalOrganisationDocument
"""A document that is about no person."""

THINGS: dict[str, type[Thing]] = {
    "unit": UnitDocument,
    "place": PlaceDocument,
    "group": GroupDocument,
    "legal-organisation": LegalOrganisationDocument,
}
"""By what a document id names, see `streams.contracts.claims.thing_of`."""


class Redirect(msgspec.Struct, frozen=True):
    """Published under an old person id: the person lives on under `to`. Disables nothing."""

    id: str
    to: str


class Withheld(msgspec.Struct, frozen=True):
    """Published under a document id that this reader may not, or not any more, know about. Not an erasure: a later
    version may bring the document back. Carries nothing but the id."""

    id: str


class Version(msgspec.Struct, frozen=True, order=True):
    """Documents are compared by (epoch, number); a rebuilt store starts a new epoch."""

    epoch: int
    number: int

    @property
    def text(self) -> str:
        """As the header `ce_mmdsourceversion` has it."""
        return f"{self.epoch}.{self.number}"

    @classmethod
    def read(cls, text: str) -> "Version | None":
        """None for anything that `text` does not give."""
        found = _VERSION.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None


_VERSION = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})", re.ASCII)


class Published(msgspec.Struct, frozen=True, omit_defaults=True):
    """The record on the topics `mmd.*.v1`: exactly one of the documents, `redirect` and `withheld` is set.
    A Kafka tombstone in place of a record is an erasure as of the version in its header `ce_mmdsourceversion`: whatever was
    known is to be deleted, and nothing older counts any more. A newer document tells of somebody who was taken in again.

    `cause` is the event that made this version and `caused_at` (UTC) when it was first logged, so that a reader can
    tell how long a change took; they are not part of the document.
    """

    version: Version
    person: PersonDocument | None = None
    unit: UnitDocument | None = None
    redirect: Redirect | None = None
    withheld: Withheld | None = None
    cause: str = ""
    caused_at: dt.datetime | None = None
    place: PlaceDocument | None = None
    group: GroupDocument | None = None
    legal_organisation: LegalOrganisationDocument | None = None

    @property
    def said(self) -> "PersonDocument | Thing | Redirect | Withheld | None":
        """The one part that is set."""
        parts = (self.person, self.unit, self.place, self.group, self.legal_organisation, self.redirect, self.withheld)
        return next((part for part in parts if part is not None), None)


PARTS = ("person", "unit", "place", "group", "legal_organisation", "redirect", "withheld")
"""The fields of `Published` of which exactly one is set."""


def publish(
    version: Version,
    part: PersonDocument | Thing | Redirect | Withheld,
    *,
    cause: str = "",
    caused_at: dt.datetime | None = None,
) -> Published:
    """A record that says this."""
    return msgspec.structs.replace(Published(version, cause=cause, caused_at=caused_at), **{_PART_OF[type(part)]: part})


_PART_OF: dict[type, str] = {
    PersonDocument: "person",
    UnitDocument: "unit",
    PlaceDocument: "place",
    GroupDocument: "group",
    LegalOrganisationDocument: "legal_organisation",
    Redirect: "redirect",
    Withheld: "withheld",
}
