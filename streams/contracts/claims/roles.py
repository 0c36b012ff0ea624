"""The roles that a person has (designated: the HR system, the registers of pupils, politicians, consultants, robots), and
what iam decided about their accounts."""

import datetime as dt

import msgspec

from streams.contracts.claims.body import ClaimBody


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


class Employment(ClaimBody, frozen=True, tag="employment"):
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


class AgreedName(ClaimBody, frozen=True, tag="agreed-name"):
    """The name that person and employer agreed to show; the only name ever shown of a protected person."""

    display: str


class WorkContact(ClaimBody, frozen=True, tag="work-contact"):
    phone: str = ""


class Enrolment(ClaimBody, frozen=True, tag="enrolment"):
    """A pupil or adult student in a school (SS 12000 Enrolment). `employer` is the *huvudman*; the unit of a segment is
    where they are enrolled; `school_type` is one of `ENROLMENT_TYPES` and the same for the whole enrolment."""

    employer: str
    source_id: str
    school_type: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class Placement(ClaimBody, frozen=True, tag="placement"):
    """A child's place in preschool or leisure-time centre (SS 12000 Placement); `school_type` of `PLACEMENT_TYPES`."""

    employer: str
    source_id: str
    school_type: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class Mandate(ClaimBody, frozen=True, tag="mandate"):
    """An elected representative (*förtroendevald*): the unit of a segment is the *nämnd*, its title the office."""

    employer: str
    source_id: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class Consultancy(ClaimBody, frozen=True, tag="consultancy"):
    """A consultant from a company. `company` is its organisation number (ten digits), the manager of a segment is the
    sponsor (*uppdragsgivare*). A segment holds for `CONSULTANCY_MONTHS` at most, whatever end it has or
    lacks."""

    employer: str
    source_id: str
    company: str
    segments: tuple[Segment, ...] = ()
    cancelled: bool = False


class RobotDuty(ClaimBody, frozen=True, tag="robot"):
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


class AccountFacts(ClaimBody, frozen=True, tag="account"):
    """What iam decided about an account's names; flows back as a claim on every persona the account serves. `employer` and
    `account_class` are the rest of the account's key: a rebuilt iam makes its ledger of these facts alone."""

    account: str
    personas: tuple[str, ...] = ()
    uid: str = ""
    eppn: str = ""
    mail: str = ""
    employer: str = ""
    account_class: str = ""
