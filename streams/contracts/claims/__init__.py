"""What a source said: the record on the wire of `source.*.v1` and the claims inside it.

A claim is what one source said about one attribute group of one subject. Only groups that are *present* in the source
record become claims; `Absent` is said only by a record that its source marks as total, or by a settled total load.

The package is the only way in: its parts are imported by nobody else (`pyproject.toml`, import contracts).
"""

import datetime as dt
from enum import StrEnum

import msgspec

from streams.contracts.claims.body import ClaimBody
from streams.contracts.claims.keys import (
    ABOUT,
    GROUP_PREFIX,
    ID_SUBJECT_PREFIX,
    KINDS_OF_THING,
    LEGAL_PREFIX,
    PERSON,
    PLACE_PREFIX,
    UNIT_PREFIX,
    group_key,
    is_thing,
    is_unit,
    legal_organisation_key,
    persona_key,
    place_key,
    thing_of,
    unit_key,
)
from streams.contracts.claims.persons import (
    Assurance,
    Birth,
    Custody,
    IdentityAssurance,
    Marking,
    Name,
    NumberReference,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Registration,
    Relation,
    SpecialAddress,
)
from streams.contracts.claims.roles import (
    ADULT_SCHOOL_TYPES,
    CONSULTANCY_MONTHS,
    ENROLMENT_TYPES,
    PLACEMENT_TYPES,
    PUPIL_SCHOOL_TYPES,
    ROLE_KINDS,
    AccountFacts,
    AgreedName,
    Consultancy,
    Employment,
    Enrolment,
    Leave,
    Mandate,
    Placement,
    RobotDuty,
    Role,
    Segment,
    WorkContact,
)
from streams.contracts.claims.rulings import (
    ClaimName,
    DeathReversal,
    Lift,
    Merge,
    Return,
    Split,
)
from streams.contracts.claims.things import (
    DatedName,
    Group,
    GroupMembers,
    LegalOrganisation,
    Membership,
    Place,
    PlaceUnit,
    Seat,
    UnitName,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
)
from streams.contracts.identifiers import Identifier

__all__ = [
    "ABOUT",
    "ADULT_SCHOOL_TYPES",
    "Absent",
    "AccountFacts",
    "AgreedName",
    "Assurance",
    "Birth",
    "Body",
    "CONSULTANCY_MONTHS",
    "Claim",
    "Consultancy",
    "Custody",
    "DatedName",
    "ENROLMENT_TYPES",
    "Employment",
    "Enrolment",
    "GROUP_PREFIX",
    "Group",
    "GroupMembers",
    "ID_SUBJECT_PREFIX",
    "IdentityAssurance",
    "KINDS_OF_THING",
    "LEGAL_PREFIX",
    "Leave",
    "LegalOrganisation",
    "DeathReversal",
    "Lift",
    "Mandate",
    "Marking",
    "Membership",
    "Merge",
    "Name",
    "NumberReference",
    "PERSON",
    "PLACEMENT_TYPES",
    "PLACE_PREFIX",
    "PUPIL_SCHOOL_TYPES",
    "Place",
    "PlaceUnit",
    "Placement",
    "PostalAddress",
    "Protection",
    "REPLACES",
    "ROLE_KINDS",
    "ClaimName",
    "RegisteredAddress",
    "Registration",
    "Relation",
    "Replaces",
    "Return",
    "RobotDuty",
    "Role",
    "Seat",
    "Segment",
    "SourceRecord",
    "SpecialAddress",
    "Split",
    "UNIT_PREFIX",
    "UnitName",
    "UnitNode",
    "UnitParent",
    "UnitPart",
    "UnitPeriod",
    "UnitStructure",
    "WorkContact",
    "group_key",
    "is_thing",
    "is_unit",
    "legal_organisation_key",
    "persona_key",
    "place_key",
    "thing_of",
    "unit_key",
]


class Absent(ClaimBody, frozen=True, tag="absent"):
    """The source no longer has this (`of` is a claim kind). Only from total records and settled total loads."""

    of: str


Body = (
    Protection
    | Name
    | Birth
    | Registration
    | RegisteredAddress
    | SpecialAddress
    | NumberReference
    | IdentityAssurance
    | Custody
    | Employment
    | AgreedName
    | WorkContact
    | Enrolment
    | Placement
    | Mandate
    | Consultancy
    | RobotDuty
    | UnitNode
    | UnitStructure
    | UnitName
    | Place
    | Group
    | GroupMembers
    | LegalOrganisation
    | AccountFacts
    | Merge
    | Split
    | Lift
    | Return
    | DeathReversal
    | Absent
)


class Replaces(StrEnum):
    """What a newer version of a claim replaces."""

    RECORD = "record"  # the whole of (source, source key, kind)
    FROM = "from"  # only the one with the same valid-from; older ones stay as history
    NOTHING = "nothing"  # every version counts for ever (protection, references, rulings; status: death is absorbing)


REPLACES: dict[str, Replaces] = {
    "protection": Replaces.NOTHING,
    "number-reference": Replaces.NOTHING,
    "registration": Replaces.NOTHING,
    "merge": Replaces.NOTHING,
    "split": Replaces.NOTHING,
    "protection-lift": Replaces.NOTHING,
    "return": Replaces.NOTHING,
    "death-reversal": Replaces.NOTHING,
    "name": Replaces.FROM,
    "registered-address": Replaces.FROM,
}
"""By claim kind; every kind that is not listed replaces by RECORD."""


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attribute group. `valid_from`/`valid_to` are inclusive dates of the group as a whole, where it has such."""

    body: Body
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @property
    def kind(self) -> str:
        """The kind that heads are kept by: an absence counts as the kind it ends."""
        return self.body.of if isinstance(self.body, Absent) else str(self.body.__struct_config__.tag)


class UnitPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a source said of one more unit in the same breath. `subject` is the unit key, and the source key too."""

    subject: str
    claims: tuple[Claim, ...]


class SourceRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record of a source, as published on `source.<set>.v1` (encrypted with the subject's inner key).

    `subject` is the keyed hash of `identifier`, or a unit key for organisation. `source_key` names the record in its
    source (employment id, post subject) and never holds a personnummer. `version` sorts as text within one source key;
    empty: the record had no stamp, and only its protection claim may be used.

    `together`: other units that a reorganisation changes with this one. All of the record counts, in one transaction, or
    nothing: nobody sees half of it. Of anything but units it is refused.
    """

    source: str
    source_key: str
    version: str
    subject: str
    claims: tuple[Claim, ...]
    identifier: Identifier | None = None
    total: bool = False
    together: tuple[UnitPart, ...] = ()
