"""Roles beside employment: enrolments, placements, mandates, consultancies and robots' duties become personas (SM3)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.person import derive_person
from mmd.domain.personas import type_of
from streams.contracts.claims import (
    ADULT_SCHOOL_TYPES,
    ENROLMENT_TYPES,
    PLACEMENT_TYPES,
    PUPIL_SCHOOL_TYPES,
    ROLE_KINDS,
    Claim,
    Consultancy,
    Employment,
    Enrolment,
    Mandate,
    Placement,
    RobotDuty,
    Role,
    Segment,
)
from streams.contracts.documents import Persona, PersonaType
from streams.contracts.time import months_after
from tests.unit.mmd_domain.making import REGISTER, REGISTERS, B, hired, person_id_of, registered, said

START, END = dt.date(2026, 1, 1), dt.date(2026, 6, 30)
ONE = (Segment(START, END, "unit:kommun:1", title="t", manager=B),)
ROLES: dict[PersonaType, Role] = {
    PersonaType.EMPLOYEE: Employment("kommun", "R1", ONE),
    PersonaType.PUPIL: Enrolment("kommun", "R1", "GR", ONE),
    PersonaType.ADULT_STUDENT: Enrolment("kommun", "R1", "VUX", ONE),
    PersonaType.PRESCHOOL_CHILD: Placement("kommun", "R1", "FS", ONE),
    PersonaType.POLITICIAN: Mandate("kommun", "R1", ONE),
    PersonaType.CONSULTANT: Consultancy("kommun", "R1", "5599999991", ONE),
    PersonaType.ROBOT: RobotDuty("kommun", "R1", ONE),
}


def source_of(role: Role) -> str:
    kind = Claim(role).kind
    return next((source for source, kinds in REGISTERS.items() if kind in kinds), "hr")


def persona_of(role: Role, *, by: str = "") -> Persona:
    claim = said(role, by=by or source_of(role), key="any")
    (persona,) = derive_person([*registered(), claim], REGISTER, person_id_of).personas
    return persona


@pytest.mark.parametrize("kind", ROLES)
def test_a_role_is_one_persona_whose_key_does_not_name_the_delivering_system(kind: PersonaType) -> None:
    role = ROLES[kind]
    persona = persona_of(role)
    assert persona.type is kind is type_of(role)
    assert persona.key == f"{Claim(role).kind}:kommun:R1"
    assert (persona.employer, persona.source_id) == ("kommun", "R1")
    assert persona.segments[0].manager == person_id_of(B)
    assert source_of(role) not in persona.key


@pytest.mark.parametrize("kind", ROLES)
def test_planned_active_and_closed_follow_from_the_dates_and_a_withdrawn_role_is_cancelled(kind: PersonaType) -> None:
    persona = persona_of(ROLES[kind])
    states = [persona.state(day) for day in (START - dt.timedelta(1), START, END, END + dt.timedelta(1))]
    assert states == ["planned", "active", "active", "closed"]
    withdrawn = type(ROLES[kind])(
        **{f: getattr(ROLES[kind], f) for f in ROLES[kind].__struct_fields__} | {"cancelled": True}
    )
    assert persona_of(withdrawn).state(START) == "cancelled"


@pytest.mark.parametrize("kind", [kind for kind in ROLES if kind is not PersonaType.EMPLOYEE])
def test_a_role_that_its_source_is_not_designated_for_is_nobodys(kind: PersonaType) -> None:
    claim = said(ROLES[kind], by="hr", key="any")
    assert derive_person([*registered(), claim], REGISTER, person_id_of).personas == ()


def test_r_02_one_person_may_have_every_role_and_the_end_of_one_closes_no_other() -> None:
    claims = [said(role, by=source_of(role), key=f"{kind}") for kind, role in ROLES.items()]
    ended = said(Mandate("kommun", "R1", (Segment(START, START),)), by="politicians", key="politician", version="2027")
    before = derive_person([*registered(), *claims], REGISTER, person_id_of)
    after = derive_person([*registered(), *claims, ended], REGISTER, person_id_of)
    keys = {persona.key for persona in before.personas}
    assert len(keys) == len(ROLES) - 1  # GR and VUX here are two words on one enrolment: the newest counts
    assert {p for p in before.personas if p.type is not PersonaType.POLITICIAN} <= set(after.personas)


def test_the_school_types_are_of_pupils_or_of_adults_and_never_of_both() -> None:
    assert PUPIL_SCHOOL_TYPES.isdisjoint(ADULT_SCHOOL_TYPES)
    assert ENROLMENT_TYPES.isdisjoint(PLACEMENT_TYPES)
    assert type_of(Enrolment("kommun", "1", "never heard of")) is PersonaType.PUPIL


def test_a_consultant_holds_for_twelve_months_in_a_row_at_most_whatever_the_record_says() -> None:
    endless = persona_of(Consultancy("kommun", "1", "5599999991", (Segment(START),)))
    assert endless.segments[0].valid_to == dt.date(2026, 12, 31)
    long = persona_of(Consultancy("kommun", "1", "5599999991", (Segment(START, dt.date(2030, 1, 1)),)))
    assert long.segments[0].valid_to == dt.date(2026, 12, 31)
    parts = (Segment(START, dt.date(2026, 12, 31)), Segment(dt.date(2027, 1, 1), dt.date(2027, 3, 31)))
    prolonged = persona_of(Consultancy("kommun", "1", "5599999991", parts))
    assert prolonged.state(dt.date(2027, 3, 31)) == "active"
    assert prolonged.state(dt.date(2027, 4, 1)) == "closed"


def test_what_a_robot_is_set_to_do_without_an_end_never_holds() -> None:
    assert persona_of(RobotDuty("kommun", "1", (Segment(START),))).state(START) == "cancelled"


def test_a_new_school_year_is_a_new_segment_and_the_same_persona() -> None:
    six = Segment(START, END, "unit:kommun:1", school_year=6)
    seven = Segment(END + dt.timedelta(1), None, "unit:kommun:1", school_year=7)
    persona = persona_of(Enrolment("kommun", "1", "GR", (six, seven)))
    assert [segment.school_year for segment in persona.segments] == [6, 7]


def test_no_role_takes_the_place_of_an_employment_of_the_same_id() -> None:
    mandate = said(Mandate("kommunen", "e1", ONE), by="politicians", key="e1")
    document = derive_person([*registered(), hired("e1"), mandate], REGISTER, person_id_of)
    assert {persona.key for persona in document.personas} == {"employment:kommunen:e1", "mandate:kommunen:e1"}


def test_every_kind_of_role_is_tried() -> None:
    assert {Claim(role).kind for role in ROLES.values()} == ROLE_KINDS


@given(st.dates(dt.date(1990, 1, 1), dt.date(2100, 12, 31)), st.integers(1, 36), st.integers(1, 36))
def test_months_follow_each_other_without_gap_or_overlap_but_where_a_month_lacks_the_day(
    start: dt.date, first: int, second: int
) -> None:
    whole = months_after(start, first + second)
    in_parts = months_after(months_after(start, first) + dt.timedelta(days=1), second)
    assert start < whole
    assert whole == in_parts or (start.day > 28 and abs((whole - in_parts).days) <= 3)


def test_twelve_months_from_a_leap_day_end_on_the_last_of_february() -> None:
    assert months_after(dt.date(2024, 2, 29), 12) == dt.date(2025, 2, 28)
    assert months_after(dt.date(2026, 3, 1), 12) == dt.date(2027, 2, 28)
    assert months_after(dt.date(2026, 1, 31), 1) == dt.date(2026, 2, 28)
    assert months_after(dt.date(9999, 5, 5), 12) == dt.date.max
