"""disclose: deny by default, nothing of a marked person, and no reader can tell what it may not see."""

import datetime as dt
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.domain.claims import LoggedClaim
from mmd.domain.disclosure import Known, disclose, disclose_unit, under_todays_marking
from mmd.domain.everyone import derive_everyone
from mmd.domain.person import derive_person
from mmd.domain.release import ATTRIBUTES, PERSON_ATTRIBUTES, Release
from streams.contracts.claims import (
    AccountFacts,
    AgreedName,
    Assurance,
    Custody,
    Employment,
    IdentityAssurance,
    Marking,
    Name,
    NumberReference,
    Protection,
    Relation,
    SpecialAddress,
    WorkContact,
    persona_key,
)
from streams.contracts.documents import PersonaType, PersonDocument, UnitDocument
from streams.hashing import id_subject
from tests.unit.mmd_domain.making import (
    FORWARDING,
    REGISTER,
    SUBJECTS,
    TODAY,
    A,
    B,
    C,
    D,
    everything,
    hired,
    histories,
    hr_claims,
    navet_claims,
    person_id_of,
    registered,
    release,
    said,
    unmarked,
)

PHONE = "08-46500423"
MAIL = "canarygiven.canaryfamily@example.org"


def full_claims(protection: Protection | None = None) -> list[LoggedClaim]:
    """A person with everything: post, custody, employment, agreed name, phone, account, former number."""
    key = persona_key("employment", "kommunen", "e1")
    account = AccountFacts("account-1", (key,), "ab12cd", "ab12cd@kommunen.se", MAIL)
    return [
        *registered(),
        said(Custody((Relation("VF", B), Relation("V", C)))),
        said(SpecialAddress(FORWARDING)),
        said(NumberReference(SUBJECTS[C], C)),
        said(IdentityAssurance(Assurance.CONFIRMED)),
        hired(),
        said(AgreedName("Agreed Label"), by="hr", key="e1"),
        said(WorkContact(PHONE), by="hr", key="e1"),
        said(account, by="iam", of=id_subject(person_id_of(A)), key="account-1"),
        *([said(protection, version="20260501")] if protection else []),
    ]


def full(protection: Protection | None = None) -> PersonDocument:
    return derive_person(full_claims(protection), REGISTER, person_id_of)


_maybe_day = st.none() | st.integers(0, 6).map(lambda years: dt.date(2015 + years, 1, 1))


def _unstamped(text: str) -> str:
    """Without event ids: they hash what was said whole, which differs here."""
    return re.sub(r'"event":"[^"]*"', "", text)


def shown(document: PersonDocument, rule: Release, **more: Any) -> PersonDocument:
    answer = disclose(document, rule, TODAY, **more)
    assert answer is not None
    return answer


CANARIES = ("Canary", SUBJECTS[A].value, SUBJECTS[C].value, "1981-03-05", PHONE, MAIL, person_id_of(B), "förmedling")
MARKED = (Protection(True), Protection(skyddad_folkbokforing=True), Protection(unknown_token=True))


# --- deny by default ---
def test_a_release_without_attributes_shows_id_and_carefulness_only() -> None:
    answer = shown(full(), release(attributes=[]))
    assert msgspec.to_builtins(answer) == {"id": answer.id, "aliases": (person_id_of(A),)}


@pytest.mark.parametrize("attribute", sorted(PERSON_ATTRIBUTES - {"aliases"}))
def test_each_attribute_is_shown_only_where_it_is_released(attribute: str) -> None:
    people = unmarked(person_id_of(B), person_id_of(C))
    without = msgspec.to_builtins(shown(full(), release(attributes=sorted(ATTRIBUTES - {attribute})), people=people))
    whole = msgspec.to_builtins(shown(full(), release(), people=people))
    assert without != whole


def test_ids_of_earlier_numbers_are_told_of_all_persona_types_or_where_a_release_names_them() -> None:
    assert shown(full(), release(attributes=[])).aliases
    named = shown(full(), release(persona_types=["employee"], attributes=["aliases"]))
    assert named.aliases == full().aliases
    assert shown(full(), release(persona_types=["employee"], attributes=sorted(ATTRIBUTES - {"aliases"}))).aliases == ()


def test_a_release_that_has_ended_or_not_begun_shows_nothing_of_anybody_whatever_date_is_asked() -> None:
    ended = release(valid_until="2026-05-31")
    assert disclose(full(), ended, TODAY) is None
    assert disclose(full(), ended, TODAY, valid=dt.date(2026, 5, 1)) is None
    assert disclose(full(), release(valid_from="2026-06-02"), TODAY) is None
    assert disclose_unit(UnitDocument("unit:k:1"), ended, TODAY) is None


def test_units_are_shown_within_the_release() -> None:
    unit = UnitDocument("unit:k:1")
    assert disclose_unit(unit, release(), TODAY) == unit
    assert disclose_unit(unit, release(units=["unit:k:2"]), TODAY) is None


def test_a_former_name_and_a_former_number_are_not_shown_without_need() -> None:
    document = derive_person(
        [*full_claims(), said(Name("Newname"), since=dt.date(2026, 5, 1), version="20260501")], REGISTER, person_id_of
    )
    numbers_only = release(attributes=sorted(ATTRIBUTES - {"number-history"}))
    answer = shown(document, numbers_only)
    assert [name.given for name in answer.names] == ["Newname"]
    assert [number.value for number in answer.numbers] == [SUBJECTS[A].value]
    earlier = shown(document, release(), valid=dt.date(2026, 4, 30))
    assert [name.given for name in earlier.names] == ["Canarygiven"]
    assert [number.current for number in earlier.numbers] == [False, True]


# --- marked ---
@pytest.mark.parametrize("protection", MARKED)
def test_no_canary_of_a_marked_person_is_in_the_answer_of_a_reader_that_is_not_cleared(protection: Protection) -> None:
    for day in (None, dt.date(2026, 1, 15), dt.date(2015, 1, 1)):
        answer = shown(full(protection), release(), valid=day, people=unmarked(person_id_of(B), person_id_of(C)))
        found = [canary for canary in CANARIES if canary in everything(answer)]
        assert found == []
        assert answer.restricted
        assert answer.agreed_name is not None
        assert answer.personas[0].segments[0].unit == "unit:kommunen:1"
        assert answer.personas[0].accounts[0].uid == "ab12cd"


def test_the_canaries_are_there_when_the_person_is_not_marked_so_the_search_can_fail() -> None:
    answer = shown(full(), release(), people=unmarked(person_id_of(B), person_id_of(C)))
    assert not answer.restricted
    assert [canary for canary in CANARIES if canary not in everything(answer)] == []


def test_an_unverified_person_is_disclosed_like_a_marked_one() -> None:
    document = derive_person(
        [c for c in full_claims() if not isinstance(c.claim.body, Protection)], REGISTER, person_id_of
    )
    assert document.marking is Marking.UNVERIFIED
    answer = shown(document, release())
    assert answer.restricted
    assert answer.names == ()


def test_a_document_whose_marking_is_unknown_is_disclosed_like_a_marked_one() -> None:
    assert shown(msgspec.structs.replace(full(), marking=None), release()).names == ()


def test_the_marking_itself_is_shown_only_where_it_is_released() -> None:
    blind = release(attributes=sorted(ATTRIBUTES - {"marking"}))
    answers = [everything(shown(full(protection), blind)) for protection in MARKED]
    assert len(set(answers)) == 1
    assert "marking" not in answers[0]
    assert shown(full(MARKED[1]), release()).marking is Marking.SKYDDAD_FOLKBOKFORING


def test_a_cleared_reader_sees_what_its_release_says_and_a_closed_one_nothing() -> None:
    cleared = shown(full(Protection(True)), release(marked="cleared"))
    assert cleared.restricted
    assert cleared.names[0].given == "Canarygiven"
    assert [ward.person for ward in cleared.wards] == [person_id_of(B)]
    assert disclose(full(Protection(True)), release(marked="nothing"), TODAY) is None
    assert disclose(full(), release(marked="nothing"), TODAY) is not None


def test_a_document_as_it_was_known_holds_no_address_from_before_skyddad_folkbokforing() -> None:
    then, current = full(), full(Protection(skyddad_folkbokforing=True))
    past = under_todays_marking(then, current)
    assert (past.marking, past.restricted) == (Marking.SKYDDAD_FOLKBOKFORING, True)
    assert (past.registered_addresses, past.special_address) == ((), None)
    assert past.names == then.names
    assert under_todays_marking(then, full(Protection(True))).registered_addresses == then.registered_addresses


def test_what_a_marked_person_went_by_before_is_not_told_by_asking_for_what_was_known_then() -> None:
    then = derive_person(full_claims(), REGISTER, person_id_of)
    account = AccountFacts("account-1", (persona_key("employment", "kommunen", "e1"),), "opaque")
    renamed = [
        said(AgreedName("Another Label"), by="hr", key="e1", version="20260501"),
        said(account, by="iam", of=id_subject(person_id_of(A)), key="account-1", version="20260501"),
    ]
    marked = derive_person([*full_claims(Protection(True)), *renamed], REGISTER, person_id_of)
    told = shown(under_todays_marking(then, marked), release())
    assert told.agreed_name == marked.agreed_name
    assert [one.uid for one in told.personas[0].accounts] == ["opaque"]
    not_marked = derive_person([*full_claims(), *renamed], REGISTER, person_id_of)
    assert shown(under_todays_marking(then, not_marked), release()).agreed_name == then.agreed_name


def test_a_number_that_is_superseded_today_is_not_told_by_asking_for_what_was_known_before_the_change() -> None:
    """It was current then; today it needs the attribute of former numbers, for the link tells of the change."""
    then = derive_person([*registered(C), hired(of=C)], REGISTER, person_id_of)
    assert (then.id, [one.current for one in then.numbers]) == (full().id, [True])
    told = under_todays_marking(then, full())
    for rule, count in ((release(attributes=["numbers"]), 0), (release(attributes=["numbers", "number-history"]), 1)):
        assert [one.value for one in shown(told, rule).numbers] == [SUBJECTS[C].value] * count
    assert [one.current for one in under_todays_marking(full(), full()).numbers] == [False, True]


def test_under_skyddad_folkbokforing_not_even_a_cleared_reader_gets_a_registered_address() -> None:
    careless = msgspec.structs.replace(full(), marking=Marking.SKYDDAD_FOLKBOKFORING)
    answer = shown(careless, release(marked="cleared"))
    assert answer.names
    assert "Canarystreet" not in everything(answer)


@settings(max_examples=150, deadline=None)
@given(histories(), st.dates(dt.date(2025, 1, 1), dt.date(2027, 12, 31)))
def test_whatever_the_history_a_marked_person_has_no_register_value_in_the_answer(
    history: list[LoggedClaim], day: dt.date
) -> None:
    for document in derive_everyone(history, REGISTER, person_id_of).values():
        answer = disclose(document, release(), TODAY, valid=day)
        if document.marking is not Marking.NONE:
            assert answer is not None
            assert answer.restricted
            withheld = (answer.names, answer.registered_addresses, answer.special_address, answer.numbers)
            assert not any((*withheld, answer.birth, answer.work_phone, answer.guardians, answer.wards))


# --- other persons ---
def test_s_30_a_relation_to_a_person_who_is_marked_or_not_known_to_be_unmarked_is_masked() -> None:
    assert shown(full(), release()).wards == ()
    assert shown(full(), release(), people=unmarked(person_id_of(C))).wards == ()
    answer = shown(full(), release(), people=unmarked(person_id_of(B)))
    assert [ward.person for ward in answer.wards] == [person_id_of(B)]
    assert answer.guardians == ()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([B, C, D]), _maybe_day, _maybe_day), min_size=1, max_size=4),
    st.sampled_from(["guardian", "all"]),
    st.sampled_from(["restricted", "nothing"]),
)
def test_s_30_of_a_guardian_of_somebody_who_is_masked_no_date_tells(
    wards: list[tuple[str, dt.date | None, dt.date | None]], types: str, marked: str
) -> None:
    """The days of the guardian's persona are the days of the wards: those of a child who is not told of say that there is
    one, and since when."""
    rule = release(persona_types=types if types == "all" else [types], marked=marked)
    people = unmarked(person_id_of(B))

    def seen(told: list[tuple[str, dt.date | None, dt.date | None]]) -> str:
        relations = tuple(Relation("VF", *one) for one in told if not (one[1] and one[2] and one[2] < one[1]))
        document = derive_person([*registered(), said(Custody(relations))], REGISTER, person_id_of)
        return everything(disclose(document, rule, TODAY, people=people))

    assert _unstamped(seen(wards)) == _unstamped(seen([one for one in wards if one[0] == B]))


def test_s_30_the_cleared_are_told_of_every_day_of_custody() -> None:
    custody = Custody(
        (Relation("VF", B, dt.date(2020, 1, 1)), Relation("VF", C, dt.date(2015, 1, 1), dt.date(2019, 1, 1)))
    )
    document = derive_person([*registered(), said(custody)], REGISTER, person_id_of)

    def days(rule: Release) -> list[dt.date]:
        return [one.valid_from for one in shown(document, rule, people=unmarked(person_id_of(B))).personas[0].segments]

    assert days(release(marked="cleared")) == [dt.date(2015, 1, 1), dt.date(2020, 1, 1)]
    assert days(release()) == [dt.date(2020, 1, 1)]


# --- non-interference (invariant 8) ---
def test_a_reader_that_may_not_know_of_the_marked_is_not_told_of_a_manager_who_is_marked_or_not_known() -> None:
    document = derive_person([*registered(A), hired(of=A, manager=B)], REGISTER, person_id_of)
    boss = person_id_of(B)

    def managers(rule: Release, *ids: str) -> list[str]:
        return [one.manager for one in shown(document, rule, people=unmarked(*ids)).personas[0].segments]

    assert managers(release(marked="nothing")) == [""]
    assert managers(release(marked="nothing"), boss) == [boss]
    assert managers(release()) == managers(release(marked="cleared")) == [boss]


@pytest.mark.parametrize("marked", ["restricted", "nothing", "cleared"])
def test_whom_a_person_refers_to_is_named_by_the_id_of_today_never_by_an_earlier_one(marked: str) -> None:
    document = derive_person(
        [*registered(A), hired(of=A, manager=B), said(Custody((Relation("VF", B), Relation("V", C))))],
        REGISTER,
        person_id_of,
    )
    people = {person_id_of(one): Known(f"today's {one}", True) for one in (B, C)}
    told = shown(document, release(marked=marked), people=people)
    assert [one.person for one in (*told.wards, *told.guardians)] == [f"today's {B}", f"today's {C}"]
    assert told.personas[0].segments[0].manager == f"today's {B}"
    assert not [one for one in people if one in everything(told)]


def employment_side() -> st.SearchStrategy[list[LoggedClaim]]:
    """What only an employment brings: employments, agreed name, phone, account facts of it; never a protection."""
    key = persona_key("employment", "kommunen", "e1")
    account = AccountFacts("account-1", (key,), "ab12cd", "x@kommunen.se", MAIL)
    bodies = st.one_of(
        hr_claims().filter(
            lambda c: c.subject == A and isinstance(c.claim.body, Employment | AgreedName | WorkContact)
        ),
        st.just(hired()),
        st.just(said(AgreedName("Agreed Label"), by="hr", key="e1")),
        st.just(said(account, by="iam", of=id_subject(person_id_of(A)), key="account-1")),
    )
    return st.lists(bodies, min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.lists(navet_claims(), max_size=12), employment_side(), st.booleans())
def test_a_reader_cleared_for_guardians_cannot_tell_whether_there_is_an_employment(
    posts: list[LoggedClaim], employment: list[LoggedClaim], cleared: bool
) -> None:
    custody = said(
        Custody((Relation("VF", B),)),
        version="v9",
        logged=posts[0].logged_at if posts else said(Protection()).logged_at,
    )
    without = [*registered(version="v0"), *posts, custody]
    rule = release(persona_types=["guardian"], marked="cleared" if cleared else "restricted")
    one = derive_everyone(without, REGISTER, person_id_of)
    two = derive_everyone([*employment, *without], REGISTER, person_id_of)
    known = unmarked(*map(person_id_of, SUBJECTS))
    for key, document in one.items():
        answers = [disclose(d, rule, TODAY, people=known) for d in (document, two[key])]
        assert everything(answers[0]) == everything(answers[1])
    for key in two.keys() - one.keys():
        assert disclose(two[key], rule, TODAY) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([Relation("VF", B), Relation("VF", C, None, TODAY)]), min_size=1, max_size=3))
def test_a_reader_cleared_for_employees_cannot_tell_whether_there_is_a_child(wards: list[Relation]) -> None:
    rule = release(persona_types=["employee"])
    claims = [*registered(), hired(), said(AgreedName("Agreed Label"), by="hr", key="e1")]
    childless = derive_person(claims, REGISTER, person_id_of)
    parent = derive_person([*claims, said(Custody(tuple(wards)))], REGISTER, person_id_of)
    known = unmarked(*map(person_id_of, SUBJECTS))
    answers = [everything(shown(d, rule, people=known)) for d in (childless, parent)]
    assert answers[0] == answers[1]


def test_what_may_name_the_source_of_another_role_is_kept_from_readers_of_some_persona_types() -> None:
    of_guardians = release(persona_types=["guardian"], attributes=sorted(ATTRIBUTES - {"aliases"}))
    answer = shown(full(), of_guardians, people=unmarked(person_id_of(B)))
    assert answer.aliases == ()
    assert answer.marking_stamps == ()
    assert [number.stamp for number in answer.numbers] == [None, None]
    whole = shown(full(), release())
    assert whole.aliases
    assert whole.marking_stamps
    assert all(number.stamp is not None for number in whole.numbers)


def test_a_reader_of_one_persona_type_does_not_know_persons_without_it() -> None:
    assert (
        disclose(derive_person(registered(), REGISTER, person_id_of), release(persona_types=["employee"]), TODAY)
        is None
    )
    assert disclose(full(), release(persona_types=["pupil"]), TODAY) is None
    answer = shown(full(), release(persona_types=["employee"]))
    assert [persona.type for persona in answer.personas] == [PersonaType.EMPLOYEE]


def test_s_11_a_reader_of_one_unit_sees_only_the_segments_there_and_no_other_persons() -> None:
    document = derive_person(
        [*registered(), hired("e1"), hired("e2", unit="unit:kommunen:2", extent=100)], REGISTER, person_id_of
    )
    answer = shown(document, release(units=["unit:kommunen:1"]))
    assert [persona.source_id for persona in answer.personas] == ["e1"]
    assert "unit:kommunen:2" not in everything(answer)
    assert "e2" not in [persona.key for persona in answer.personas]
    assert disclose(document, release(units=["unit:kommunen:9"]), TODAY) is None


def test_s_11_what_stems_from_an_employment_in_another_unit_is_not_told_beside_the_one_here() -> None:
    """What HR says of the person beside the other employment, and where else it named or marked the person, tells of it."""
    here = [*registered(protection=Protection(True)), hired("e1"), said(NumberReference(SUBJECTS[C], C))]
    there = [
        hired("e2", unit="unit:kommunen:2"),
        said(AgreedName("Librarian"), by="hr", key="e2"),
        said(WorkContact(PHONE), by="hr", key="e2"),
        said(Protection(True), by="hr", key="e2"),
        hired("e3", of=C, unit="unit:kommunen:2"),
        said(Custody((Relation("VF", B),))),
    ]
    rule = release(units=["unit:kommunen:1"], marked="cleared")
    people = unmarked(person_id_of(B))
    fuller, plain = (derive_everyone(claims, REGISTER, person_id_of) for claims in ([*here, *there], here))
    for one, other in zip(fuller.values(), plain.values(), strict=True):
        assert everything(shown(one, rule, people=people)) == everything(shown(other, rule, people=people))
    whole = shown(next(iter(fuller.values())), release(marked="cleared"), people=people)
    assert (whole.agreed_name is not None, whole.work_phone is not None, len(whole.wards)) == (True, True, 1)


def test_accounts_are_shown_only_where_they_are_released() -> None:
    answer = shown(full(), release(attributes=["personas"]))
    assert answer.personas
    assert "ab12cd" not in everything(answer)
