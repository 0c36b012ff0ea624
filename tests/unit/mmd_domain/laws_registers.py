"""What other registers than the population's and the HR system's send in generated histories: the other roles of a person,
and the things that tell of some: places, groups, legal organisations."""

from collections.abc import Callable

from hypothesis import strategies as st

from streams.contracts.claims import (
    Absent,
    Body,
    Consultancy,
    DatedName,
    Enrolment,
    Group,
    GroupMembers,
    LegalOrganisation,
    Mandate,
    Membership,
    Place,
    Placement,
    PlaceUnit,
    Protection,
    RobotDuty,
    Seat,
    Segment,
    SourceRecord,
    UnitPeriod,
    persona_key,
)
from streams.contracts.identifiers import Identifier, IdentifierType
from tests.unit.mmd_domain.laws_records import (
    CAST,
    COMPANY,
    FIRM,
    GROUPS,
    PLACE,
    ROLES,
    UNITS,
    day,
    identifier_of,
    record,
    stamp,
    subject,
)

_who = st.sampled_from(CAST)
_days = st.integers(0, 6).map(day)
_ends = st.none() | st.just(day(7))
_words = st.sampled_from(["Eken", "Linden"])
_periods = st.builds(UnitPeriod, _days, _ends).map(lambda one: (one,))
_names = st.lists(st.builds(DatedName, _words, _days, _ends), max_size=2).map(tuple)

_MAKERS: dict[str, Callable[[str, tuple[Segment, ...], bool], Body]] = {
    "enrolment": lambda key, segments, gone: Enrolment(
        "kommun", key, "GR" if key == ROLES[0] else "VUX", segments, gone
    ),
    "placement": lambda key, segments, gone: Placement("kommun", key, "FS", segments, gone),
    "mandate": lambda key, segments, gone: Mandate("kommun", key, segments, gone),
    "consultancy": lambda key, segments, gone: Consultancy("kommun", key, "5599999991", segments, gone),
    "robot": lambda key, segments, gone: RobotDuty("kommun", key, segments, gone),
}
_SOURCES = {"mandate": "politicians", "consultancy": "consultants", "robot": "robots"}


@st.composite
def _stamped(draw: st.DrawFn) -> list[str]:
    """Versions of one key, in order or not, some of them equal."""
    return [stamp(number) for number in draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))]


@st.composite
def roles(draw: st.DrawFn) -> list[SourceRecord]:
    """One role beside employment through its versions: moved to another person, ended, withdrawn, absent, said twice with
    one stamp; its register may raise a marking too."""
    kind, own = draw(st.sampled_from(sorted(_MAKERS))), draw(st.sampled_from(ROLES))
    told = []
    for version in draw(_stamped()):
        start = draw(st.integers(0, 5))
        last = draw(st.none() | st.integers(start, 7))
        end = None if last is None else day(last)
        segment = Segment(day(start), end, draw(st.sampled_from(UNITS)), manager=draw(st.just("") | _who.map(subject)))
        made = _MAKERS[kind](own, (segment,), draw(st.integers(0, 4)) == 0)
        what = Absent(kind) if draw(st.integers(0, 5)) == 0 else made
        raised = (Protection(True),) if draw(st.integers(0, 7)) == 0 else ()
        source, key = _SOURCES.get(kind, "school"), persona_key(kind, "kommun", own)
        told.append(record(source, draw(_who), version, *raised, what, key=key))
    return told


@st.composite
def places(draw: st.DrawFn) -> list[SourceRecord]:
    """One place, housed units and all; that it is restricted is said, or not any more."""
    return [
        record(
            "places",
            PLACE,
            version,
            Absent("place")
            if draw(st.integers(0, 5)) == 0
            else Place(
                draw(_periods),
                draw(_names),
                units=(PlaceUnit(draw(st.sampled_from(UNITS)), draw(_days)),),
                restricted=draw(st.booleans()),
            ),
        )
        for version in draw(_stamped())
    ]


@st.composite
def groups(draw: st.DrawFn) -> list[SourceRecord]:
    """A class and who is in it, together or apart, by numbers that may be superseded since."""
    key, told = draw(st.sampled_from(GROUPS)), []
    membership = st.builds(Membership, _who.map(subject), st.sampled_from(["pupil", "employee"]), _days, _ends)
    for version in draw(_stamped()):
        said: list[Body] = []
        if draw(st.booleans()):
            said.append(Group(draw(_periods), draw(_names), "Klass", draw(st.sampled_from(UNITS))))
        if not said or draw(st.booleans()):
            listed = tuple(draw(st.lists(membership, max_size=3)))
            said.append(Absent("group-members") if draw(st.integers(0, 5)) == 0 else GroupMembers(listed))
        told.append(record("groups", key, version, *said))
    return told


@st.composite
def companies(draw: st.DrawFn) -> list[SourceRecord]:
    """A company, or the firm of a sole trader, whose number is a person's."""
    key, owner = draw(st.sampled_from([(COMPANY, None), (FIRM, 0)]))
    number = Identifier(IdentifierType.ORGANISATIONSNUMMER, "5599999991") if owner is None else identifier_of(owner)
    return [
        record(
            "companies",
            key,
            version,
            Absent("legal-organisation")
            if draw(st.integers(0, 5)) == 0
            else LegalOrganisation(
                number,
                "" if owner is None else subject(owner),
                draw(_periods),
                draw(_names),
                (Seat(draw(st.sampled_from(["1480", "0114"])), draw(_days)),),
            ),
        )
        for version in draw(_stamped())
    ]
