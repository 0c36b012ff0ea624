"""What a source said: the record on the wire of `source.*.v1` and the claims inside it.

A claim is what one source said about one attribute group of one subject. Only groups that are *present* in the source
record become claims; `Absent` is said only by a record that its source marks as total, or by a settled total load.
"""

import datetime as dt
from enum import StrEnum

import msgspec

from streams.contracts.identifiers import Identifier
from streams.contracts.time import IncompleteDate


class Marking(StrEnum):
    """Protected identity, lowest first (SM2). UNVERIFIED: no source designated for protection has spoken yet."""

    UNVERIFIED = "unverified"
    NONE = "none"
    SEKRETESSMARKERING = "sekretessmarkering"
    SKYDDAD_FOLKBOKFORING = "skyddad-folkbokforing"

    @classmethod
    def _missing_(cls, value: object) -> "Marking | None":
        """A level that this version does not know is read as the highest that it knows: never as an open one."""
        return cls.SKYDDAD_FOLKBOKFORING if isinstance(value, str) else None

    @property
    def discloses_like_marked(self) -> bool:
        """Everything but an explicit NONE is handled as protected: fail closed."""
        return self is not Marking.NONE


class _Body(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True, forbid_unknown_fields=False):
    """Base of every claim body; the tag is the claim kind."""


# --- person (designated: the population register) ---
class Protection(_Body, frozen=True, tag="protection"):
    """Both markings as this post states them; a token that is not known counts as raised (`unknown_token`)."""

    sekretessmarkering: bool = False
    skyddad_folkbokforing: bool = False
    unknown_token: bool = False

    @property
    def marking(self) -> Marking:
        if self.skyddad_folkbokforing:
            return Marking.SKYDDAD_FOLKBOKFORING
        if self.sekretessmarkering or self.unknown_token:
            return Marking.SEKRETESSMARKERING
        return Marking.NONE


class Name(_Body, frozen=True, tag="name"):
    """Registered name (*folkbokfört namn*). `call_name` is the *tilltalsnamn* as text, taken from the given names."""

    given: str = ""
    middle: str = ""
    family: str = ""
    call_name: str = ""


class Birth(_Body, frozen=True, tag="birth"):
    date: IncompleteDate


class Registration(_Body, frozen=True, tag="registration"):
    """Population-register status (SM1). `code` is the Avregistrering code; empty: registered. May be unknown to us."""

    code: str = ""
    date: IncompleteDate | None = None


class PostalAddress(msgspec.Struct, frozen=True, omit_defaults=True):
    care_of: str = ""
    street: str = ""
    street2: str = ""
    postal_code: str = ""  # text: a leading zero or a foreign code must survive
    locality: str = ""
    country: str = ""


class RegisteredAddress(_Body, frozen=True, tag="registered-address"):
    """*Folkbokföringsadress* with municipality code (county + municipality, four digits)."""

    address: PostalAddress
    municipality_code: str = ""
    property_designation: str = ""


class SpecialAddress(_Body, frozen=True, tag="special-address"):
    """*Särskild postadress*; under skyddad folkbokföring this is Skatteverket's forwarding address."""

    address: PostalAddress


class NumberReference(_Body, frozen=True, tag="number-reference"):
    """*HanvisningsPersonNr*. `superseded`: this post carries GN or GS, so this post's number is the old one."""

    other: Identifier
    other_subject: str
    superseded: bool = False


class Assurance(StrEnum):
    """How sure it is who holds a number (*identitetsnivå* of a samordningsnummer, lag 2022:1697)."""

    CONFIRMED = "confirmed"  # styrkt
    PROBABLE = "probable"  # sannolik
    UNCERTAIN = "uncertain"  # osäker

    @classmethod
    def _missing_(cls, value: object) -> "Assurance | None":
        """A level that this version does not know is no proof of anything."""
        return cls.UNCERTAIN if isinstance(value, str) else None


class IdentityAssurance(_Body, frozen=True, tag="identity-assurance"):
    """What is known of the holder of this post's samordningsnummer. `dormant`: declared so (*vilandeförklarat*), because
    nobody renewed it in five years; it says nothing about where the person is or works."""

    level: Assurance
    dormant: bool = False
    dormant_from: IncompleteDate | None = None


class Relation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A custody relation. `type` is `V` (the other is guardian of this person) or `VF` (this person is guardian of
    the other); the codes are Navet's *Relationstyp*."""

    type: str
    subject: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class Custody(_Body, frozen=True, tag="custody"):
    relations: tuple[Relation, ...] = ()


# --- employment (designated: the HR system) ---
class Segment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One dated part of an employment. Dates inclusive; `valid_to` None: until further notice (*tillsvidare*)."""

    valid_from: dt.date
    valid_to: dt.date | None = None
    unit: str = ""  # unit key, see `unit_key`
    title: str = ""  # befattning as text
    aid: str = ""  # AID etikett, six digits
    aid_responsibility: str = ""  # AID ansvarskod, one letter
    extent_percent: float | None = None
    form: str = ""  # anställningsform
    manager: str = ""  # subject of who answers for the person here: manager, sponsor of a consultant, owner of a robot
    school_year: int | None = None  # *årskurs*, SS 12000 schoolYear, 0 to 10


class Leave(msgspec.Struct, frozen=True, omit_defaults=True):
    """Leave of absence (*tjänstledighet*, *föräldraledighet*); inclusive dates."""

    valid_from: dt.date
    valid_to: dt.date | None = None
    code: str = ""


class Employment(_Body, frozen=True, tag="employment"):
    """All segments of one employment: a newer version replaces the whole, so a moved start leaves no ghost."""

    employer: str
    employment_id: str
    segments: tuple[Segment, ...] = ()
    leaves: tuple[Leave, ...] = ()
    cancelled: bool = False

    @property
    def source_id(self) -> str:
        """The id of the role in its source, as the other roles name it."""
        return self.employment_id


class AgreedName(_Body, frozen=True, tag="agreed-name"):
    """The name that person and employer agreed to show; the only name ever shown of a protected person."""

    display: str


class WorkContact(_Body, frozen=True, tag="work-contact"):
    phone: str = ""


# --- roles beside employment (designated: the pupil register, the consultants', politicians' and robots' registers) ---
class Enrolment(_Body, frozen=True, tag="enrolment"):
    """A pupil or adult student in a school (SS 12000 Enrolment). `employer` is the *huvudman*; the unit of a segment is
    where they are enrolled; `school_type` is one of `ENROLMENT_TYPES` and the same for the whole enrolment."""

    employer: str
    source_id: str
    school_type: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class Placement(_Body, frozen=True, tag="placement"):
    """A child's place in preschool or leisure-time centre (SS 12000 Placement); `school_type` of `PLACEMENT_TYPES`."""

    employer: str
    source_id: str
    school_type: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class Mandate(_Body, frozen=True, tag="mandate"):
    """An elected representative (*förtroendevald*): the unit of a segment is the *nämnd*, its title the office."""

    employer: str
    source_id: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class Consultancy(_Body, frozen=True, tag="consultancy"):
    """A consultant from a company. `company` is its organisation number (ten digits), the manager of a segment is the
    sponsor (*uppdragsgivare*). A segment holds for `CONSULTANCY_MONTHS` at most, whatever end it has or
    lacks."""

    employer: str
    source_id: str
    company: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class RobotDuty(_Body, frozen=True, tag="robot"):
    """What a software robot is set to do: the manager of a segment is its owner. A segment without an end never holds."""

    employer: str
    source_id: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


Role = Employment | Enrolment | Placement | Mandate | Consultancy | RobotDuty
"""What one persona rests on. The claim kind is the information set of the persona's key."""

ROLE_KINDS = frozenset({"employment", "enrolment", "placement", "mandate", "consultancy", "robot"})

PUPIL_SCHOOL_TYPES = frozenset(["FKLASS", "GR", "GRS", "TR", "SP", "SAM", "GY", "GYS", "KU"])
ADULT_SCHOOL_TYPES = frozenset(
    ["VUX", "VUXSFI", "VUXGR", "VUXGY", "VUXSARGR", "VUXSARTR", "VUXSARGY", "SFI", "SARVUX", "SARVUXGR", "SARVUXGY"]
    + ["YH", "FHS", "STF", "KKU", "HS", "ABU", "AU"]
)
ENROLMENT_TYPES = PUPIL_SCHOOL_TYPES | ADULT_SCHOOL_TYPES
"""School types (*skolform*, SchoolTypesEnum of SS 12000:2020): for children and young people, and for adults."""
PLACEMENT_TYPES = frozenset({"FS", "FTH", "OPPFTH"})
CONSULTANCY_MONTHS = 12


# --- organisation (designated: the organisation tree): three dated axes ---
class UnitPeriod(msgspec.Struct, frozen=True, omit_defaults=True):
    valid_from: dt.date
    valid_to: dt.date | None = None


class UnitNode(_Body, frozen=True, tag="unit-node"):
    """When the unit exists; `legal_authority` is the nämnd or company that answers for it."""

    periods: tuple[UnitPeriod, ...] = ()
    unit_type: str = ""
    legal_authority: str = ""
    responsibility_code: str = ""  # ansvarskod for attest


class UnitParent(msgspec.Struct, frozen=True, omit_defaults=True):
    parent: str  # unit key; empty: top
    valid_from: dt.date
    valid_to: dt.date | None = None


class UnitStructure(_Body, frozen=True, tag="unit-structure"):
    parents: tuple[UnitParent, ...] = ()


class DatedName(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    short: str = ""


class UnitName(_Body, frozen=True, tag="unit-name"):
    names: tuple[DatedName, ...] = ()


# --- place (designated: the place register) ---
class PlaceUnit(msgspec.Struct, frozen=True, omit_defaults=True):
    """An organisation unit that is housed at the place. Inclusive dates."""

    unit: str
    valid_from: dt.date
    valid_to: dt.date | None = None


class Place(_Body, frozen=True, tag="place"):
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


# --- group (designated: the pupil register) ---
class Group(_Body, frozen=True, tag="group"):
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


class GroupMembers(_Body, frozen=True, tag="group-members"):
    """All members that the source has of the group, former and coming ones too."""

    members: tuple[Membership, ...] = ()


# --- legal organisation (designated: base data of companies, SSBTGO) ---
class Seat(msgspec.Struct, frozen=True, omit_defaults=True):
    """The municipality where a legal organisation has its seat (*säte*), by name or four-digit code."""

    seat: str
    valid_from: dt.date
    valid_to: dt.date | None = None


class LegalOrganisation(_Body, frozen=True, tag="legal-organisation"):
    """A legal person, or a sole trader (*enskild firma*) whose organisation number is the owner's personnummer. `owner` is
    the subject of that person; empty for all others. `form`: *juridisk form*."""

    number: Identifier
    owner: str = ""
    periods: tuple[UnitPeriod, ...] = ()
    names: tuple[DatedName, ...] = ()
    seats: tuple[Seat, ...] = ()
    form: str = ""


# --- accounts (from iam) ---
class AccountFacts(_Body, frozen=True, tag="account"):
    """What iam decided about an account's names; flows back as a claim on every persona the account serves. `employer` and
    `account_class` are the rest of the account's key: a rebuilt iam makes its ledger of these facts alone."""

    account: str
    personas: tuple[str, ...] = ()
    uid: str = ""
    eppn: str = ""
    mail: str = ""
    employer: str = ""
    account_class: str = ""


# --- an operator's rulings (source `ruling`); asked for by one person and approved by another ---
class Merge(_Body, frozen=True, tag="merge"):
    """The person of this subject and that of `other_subject` are one, under the id of the latter. The record's source key
    names the ruling."""

    other_subject: str
    evidence: str
    asked_by: str
    approved_by: str


class Split(_Body, frozen=True, tag="split"):
    """The merges of these names that were said of the same subject are undone. A later merge has another name."""

    merges: tuple[str, ...]
    evidence: str
    asked_by: str
    approved_by: str


class RaiseName(msgspec.Struct, frozen=True, order=True):
    """The natural key of one protection claim that raised, on the subject of the claim that names it."""

    source: str
    source_key: str
    version: str
    digest: str


class Lift(_Body, frozen=True, tag="protection-lift"):
    """A protection officer lifts exactly these raises (SM2). While `approved_by` is empty it is a proposal, which lifts
    nothing."""

    raises: tuple[RaiseName, ...]
    evidence: str
    asked_by: str
    approved_by: str = ""


class Absent(_Body, frozen=True, tag="absent"):
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


UNIT_PREFIX = "unit:"
ID_SUBJECT_PREFIX = "id:"
"""Subjects that name a person by id instead of by number: what iam claims about (see `streams.hashing.id_subject`)."""


def unit_key(employer: str, unit_id: str) -> str:
    """The document key of an organisation unit: information set + employer + unit id."""
    return f"{UNIT_PREFIX}{employer}:{unit_id}"


def is_unit(key: str) -> bool:
    """Whether a subject or document id is an organisation unit's."""
    return key.startswith(UNIT_PREFIX)


PLACE_PREFIX = "place:"
GROUP_PREFIX = "group:"
LEGAL_PREFIX = "legal:"

PERSON = "person"
_PREFIXES = {UNIT_PREFIX: "unit", PLACE_PREFIX: "place", GROUP_PREFIX: "group", LEGAL_PREFIX: "legal-organisation"}
KINDS_OF_THING: frozenset[str] = frozenset(_PREFIXES.values())
"""What a document can be about that is no person. Their subjects are their document ids."""

ABOUT: dict[str, str] = {
    "unit-node": "unit",
    "unit-structure": "unit",
    "unit-name": "unit",
    "place": "place",
    "group": "group",
    "group-members": "group",
    "legal-organisation": "legal-organisation",
}
"""By claim kind, what it is about; a kind that is not listed is about a person."""


def thing_of(key: str) -> str:
    """What a subject or document id names: one of `KINDS_OF_THING`, or `PERSON`."""
    prefix, colon, _ = key.partition(":")
    return _PREFIXES.get(prefix + colon, PERSON)


def is_thing(key: str) -> bool:
    """Whether a subject or document id is a unit's, place's, group's or legal organisation's; all others are persons'."""
    return thing_of(key) != PERSON


def place_key(issuer: str, place_id: str) -> str:
    """The document key of a place: who numbers it, and its number there."""
    return f"{PLACE_PREFIX}{issuer}:{place_id}"


def group_key(employer: str, group_id: str) -> str:
    """The document key of a group: the employer that runs the school, and the group's id."""
    return f"{GROUP_PREFIX}{employer}:{group_id}"


def legal_organisation_key(digest: str) -> str:
    """The document key of a legal organisation, of a keyed hash of its number (32 hex characters): every one's alike, for
    a sole trader's number is a personnummer, and a key of another form would tell who is one."""
    return f"{LEGAL_PREFIX}{digest}"


def persona_key(information_set: str, employer: str, source_id: str) -> str:
    """A persona's key: information set + employer + employment (enrolment, mandate) id; never the delivering system."""
    return f"{information_set}:{employer}:{source_id}"
