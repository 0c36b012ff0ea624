"""The master's documents: one shape all the way (stored, published on `mmd.*.v1`, sliced by the API, hashed)."""

import datetime as dt
from enum import StrEnum

import msgspec

from streams.contracts.claims import Assurance, Leave, Marking, PostalAddress, Segment, UnitPeriod
from streams.contracts.identifiers import IdentifierType
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
    address: PostalAddress
    stamp: Stamp
    municipality_code: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


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
    """A guardian or ward, by person id; the other person's data come through their own disclosure."""

    person: str
    stamp: Stamp
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


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
    account: str
    stamp: Stamp
    uid: str = ""
    eppn: str = ""
    mail: str = ""


class Persona(msgspec.Struct, frozen=True, omit_defaults=True):
    """One role in which the person meets the municipality. `segments` and `leaves` are the dated facts (SM3, SM4);
    whether it is planned, active, on leave or closed follows from them and a date, see `state`.
    In `segments` the manager is a person id here, no longer a subject."""

    key: str
    type: PersonaType
    stamp: Stamp
    employer: str = ""
    source_id: str = ""
    segments: tuple[Segment, ...] = ()
    leaves: tuple[Leave, ...] = ()
    cancelled: bool = False
    accounts: tuple[AccountEntry, ...] = ()

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
    quarantined: str = ""  # an error code where the person needs a human (number cycle, unknown code)


class UnitNameEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    stamp: Stamp
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


class Published(msgspec.Struct, frozen=True, omit_defaults=True):
    """The record on `mmd.person.v1`, `mmd.organisation.v1` and `mmd.urgent.v1`: exactly one of the four is set.
    A Kafka tombstone in place of a record is an erasure, and final.

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
