"""Personas (SM3, SM4): one per employment, one for custody; segments that never overlap and never change their meaning."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.person import derive_person
from mmd.domain.personas import main_persona, normal_segments
from streams.contracts.claims import AccountFacts, Custody, Employment, Relation, Segment, persona_key
from streams.contracts.documents import Persona, PersonaType, PersonDocument, Stamp
from streams.hashing import id_subject
from tests.unit.mmd_domain.making import NOW, REGISTER, TODAY, A, B, C, hired, person_id_of, registered, said

days = st.integers(0, 30).map(lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=n))
segments = st.lists(
    st.builds(
        Segment,
        valid_from=days,
        valid_to=st.none() | days | st.just(dt.date.max),
        unit=st.sampled_from("xyz"),
        title=st.sampled_from(["", "t"]),
    ),
    max_size=6,
)


def persona_of(parts: tuple[Segment, ...]) -> Persona:
    return Persona("k", PersonaType.EMPLOYEE, Stamp("hr", "k", "1", NOW), segments=parts)


def derived(*claims: object) -> PersonDocument:
    return derive_person(claims, REGISTER, person_id_of)  # type: ignore[arg-type]


@given(segments, st.randoms(use_true_random=False))
def test_normal_segments_are_sorted_apart_and_say_on_every_day_what_was_said(parts: list[Segment], random) -> None:  # type: ignore[no-untyped-def]
    normal = normal_segments(parts)
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert normal_segments(shuffled) == normal
    assert normal_segments(normal) == normal
    for segment, following in zip(normal, normal[1:], strict=False):
        assert segment.valid_to is not None
        assert segment.valid_to < following.valid_from
    said_before, says_now = persona_of(tuple(parts)), persona_of(normal)
    for n in range(-2, 34):
        day = dt.date(2026, 1, 1) + dt.timedelta(days=n)
        before, now = said_before.segment(day), says_now.segment(day)
        assert (before is None) == (now is None)
        if before is not None and now is not None:
            assert before.unit == now.unit


def test_s_03_a_mover_has_two_segments_without_gap_or_overlap() -> None:
    body = Employment(
        "kommunen",
        "e1",
        (
            Segment(dt.date(2020, 1, 1), None, "unit:k:1", aid="207008"),
            Segment(dt.date(2026, 6, 1), None, "unit:k:2", aid="151012"),
        ),
    )
    (persona,) = derived(said(body, by="hr", key="e1")).personas
    assert [(s.unit, s.valid_from, s.valid_to) for s in persona.segments] == [
        ("unit:k:1", dt.date(2020, 1, 1), dt.date(2026, 5, 31)),
        ("unit:k:2", dt.date(2026, 6, 1), None),
    ]


def test_a_moved_start_leaves_no_ghost() -> None:
    document = derived(
        hired(start=dt.date(2026, 6, 20), version="1"),
        hired(start=dt.date(2026, 6, 5), version="2"),
    )
    (persona,) = document.personas
    assert [s.valid_from for s in persona.segments] == [dt.date(2026, 6, 5)]


def test_a_cancelled_hire_is_a_cancelled_persona() -> None:
    (persona,) = derived(hired(version="1"), hired(cancelled=True, version="2")).personas
    assert persona.state(TODAY) == "cancelled"


def test_r_01_employee_and_guardian_are_two_personas_of_one_person() -> None:
    custody = said(Custody((Relation("VF", B, dt.date(2021, 2, 3), dt.date(2039, 2, 2)),)))
    document = derived(*registered(), hired(), custody)
    assert [persona.type for persona in document.personas] == [PersonaType.EMPLOYEE, PersonaType.GUARDIAN]
    guardian = document.personas[1]
    assert guardian.key == persona_key("custody", "", document.id)
    assert guardian.segments == (Segment(dt.date(2021, 2, 3), dt.date(2039, 2, 2)),)


def test_the_guardian_persona_holds_on_the_days_with_any_ward() -> None:
    custody = Custody(
        (
            Relation("VF", B, dt.date(2010, 1, 1), dt.date(2020, 12, 31)),
            Relation("VF", C, dt.date(2015, 1, 1), dt.date(2025, 12, 31)),
        )
    )
    (guardian,) = derived(said(custody)).personas
    assert guardian.segments == (Segment(dt.date(2010, 1, 1), dt.date(2025, 12, 31)),)
    assert guardian.state(dt.date(2026, 1, 1)) == "closed"


def test_custody_that_passes_from_one_ward_to_the_next_without_a_gap_is_one_segment() -> None:
    first = Relation("VF", B, dt.date(2010, 1, 1), dt.date(2020, 12, 31))
    following = Relation("VF", C, dt.date(2021, 1, 1))
    after_a_gap = Relation("VF", C, dt.date(2021, 1, 2))
    assert len(derived(said(Custody((first, following)))).personas[0].segments) == 1
    assert len(derived(said(Custody((first, after_a_gap)))).personas[0].segments) == 2


def test_managers_become_person_ids() -> None:
    (persona,) = derived(hired(manager=B)).personas
    assert persona.segments[0].manager == person_id_of(B)


def test_account_facts_are_shown_on_each_persona_they_serve_and_on_no_other() -> None:
    key1, key2 = (persona_key("employment", "kommunen", e) for e in ("e1", "e2"))
    facts = AccountFacts("account-1", (key1,), uid="ab12cd")
    document = derived(hired("e1"), hired("e2"), said(facts, by="iam", of=id_subject(person_id_of(A)), key="account-1"))
    assert {p.key: [a.uid for a in p.accounts] for p in document.personas} == {key1: ["ab12cd"], key2: []}
    assert document.id == person_id_of(A)
    assert document.aliases == ()


def test_a_person_known_by_an_account_fact_alone_has_that_id() -> None:
    facts = AccountFacts("account-1", ("x",), uid="ab12cd")
    document = derived(said(facts, by="iam", of=id_subject(person_id_of(A)), key="account-1"))
    assert (document.id, document.numbers) == (person_id_of(A), ())


def test_the_main_persona_is_of_greatest_extent_then_earliest_then_by_id() -> None:
    document = derived(
        hired("e3", extent=50, start=dt.date(2021, 1, 1)),
        hired("e2", extent=50, start=dt.date(2020, 1, 1)),
        hired("e1", extent=50, start=dt.date(2020, 1, 1)),
        hired("e9", extent=75, start=dt.date(2025, 1, 1)),
    )
    assert [p.source_id for p in document.personas] == ["e9", "e1", "e2", "e3"]


def test_s_11_when_the_greater_employment_has_ended_the_other_is_the_main_one() -> None:
    document = derived(hired("e1", extent=60, end=dt.date(2026, 5, 31)), hired("e2", extent=40))
    assert main_persona(document.personas, dt.date(2026, 5, 31)) == "employment:kommunen:e1"
    assert main_persona(document.personas, dt.date(2026, 6, 1)) == "employment:kommunen:e2"
    assert main_persona((), TODAY) == ""
