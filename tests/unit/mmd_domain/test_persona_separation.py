"""Legal separation (M22): of each persona type a reader knows what it may see, and nothing tells of any other."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.domain.claims import LoggedClaim
from mmd.domain.disclosure import disclose
from mmd.domain.everyone import derive_everyone
from mmd.domain.person import derive_person
from mmd.domain.personas import main_persona
from streams.contracts.claims import AccountFacts, AgreedName, Enrolment, Mandate, Segment, WorkContact
from streams.contracts.documents import PersonaType, PersonDocument
from streams.hashing import id_subject
from tests.unit.mmd_domain.making import (
    REGISTER,
    SUBJECTS,
    TODAY,
    A,
    everything,
    hired,
    hr_claims,
    person_id_of,
    registered,
    release,
    role_claims,
    said,
    unmarked,
)

TYPE_OF_KIND = {
    "employment": {PersonaType.EMPLOYEE},
    "agreed-name": {PersonaType.EMPLOYEE},
    "work-contact": {PersonaType.EMPLOYEE},
    "enrolment": {PersonaType.PUPIL, PersonaType.ADULT_STUDENT},
    "placement": {PersonaType.PRESCHOOL_CHILD},
    "mandate": {PersonaType.POLITICIAN},
    "consultancy": {PersonaType.CONSULTANT},
    "robot": {PersonaType.ROBOT},
}
E1, M1, EN1 = "employment:kommunen:e1", "mandate:kommunen:m1", "enrolment:kommunen:en1"
known = unmarked(*map(person_id_of, SUBJECTS))


def role_side() -> st.SearchStrategy[list[LoggedClaim]]:
    """What HR and the registers say of one person's roles; never a protection or a name."""
    of_hr = hr_claims().filter(lambda one: one.subject == A and one.claim.kind in TYPE_OF_KIND)
    return st.lists(st.one_of(of_hr, role_claims(of=A), role_claims(of=A)), max_size=12)


def served(document: PersonDocument, version: str) -> LoggedClaim:
    """One account that serves every role of the person: its facts name them all, in a version of its own."""
    facts = AccountFacts("account-1", tuple(p.key for p in document.personas), "ab12cd", "ab12cd@kommun.test")
    return said(facts, by="iam", of=id_subject(person_id_of(A)), key="account-1", version=version)


@settings(max_examples=300, deadline=None)
@given(role_side(), st.sets(st.sampled_from(PersonaType), min_size=1), st.booleans())
def test_a_reader_of_some_persona_types_gets_the_same_bytes_whatever_other_roles_there_are(
    roles: list[LoggedClaim], types: set[PersonaType], shared_account: bool
) -> None:
    """Two municipalities that differ in what the reader may not see, a shared account's facts included."""
    rule = release(persona_types=sorted(types))
    visible = [logged for logged in roles if TYPE_OF_KIND[logged.claim.kind] & types]
    answers = []
    for version, claims in (("1", visible), ("2", roles)):
        whole = [*registered(version="v0"), *claims]
        document = derive_person(whole, REGISTER, person_id_of)
        if shared_account:
            document = derive_person([*whole, served(document, version)], REGISTER, person_id_of)
        answers.append(disclose(document, rule, TODAY, people=known))
    assert everything(answers[0]) == everything(answers[1])


@settings(max_examples=150, deadline=None)
@given(role_side(), st.dates(dt.date(2025, 12, 1), dt.date(2027, 2, 1)))
def test_the_main_persona_is_one_that_is_shown_and_in_being_or_there_is_none(
    roles: list[LoggedClaim], day: dt.date
) -> None:
    document = derive_person([*registered(version="v0"), *roles], REGISTER, person_id_of)
    for kind in PersonaType:
        answer = disclose(document, release(persona_types=[kind]), TODAY, valid=day, people=known)
        living = [p for p in document.personas if p.type is kind and p.state(day) not in ("closed", "cancelled")]
        if answer is not None:
            assert answer.main_persona in ({p.key for p in living} or {""})
            assert answer.main_persona == main_persona(living, day)


def test_the_comparison_sees_a_role_that_is_shown() -> None:
    """The check itself can fail: a reader of the type sees the difference, and so does one of all types."""
    plain = derive_person([*registered(), hired()], REGISTER, person_id_of)
    mandate = said(Mandate("kommunen", "m1", (Segment(dt.date(2026, 1, 1)),)), by="politicians", key=M1)
    fuller = derive_person([*registered(), hired(), mandate], REGISTER, person_id_of)
    for rule in (release(persona_types=["politician", "employee"]), release()):
        assert everything(disclose(plain, rule, TODAY)) != everything(disclose(fuller, rule, TODAY))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sets(st.sampled_from([E1, M1, EN1, "mandate:kommunen:gone"])), min_size=1, max_size=3))
def test_facts_of_a_shared_account_are_on_each_persona_that_it_serves_and_only_there(serves: list[set[str]]) -> None:
    segment = (Segment(dt.date(2026, 1, 1)),)
    claims = [
        *registered(),
        hired(),
        said(Mandate("kommunen", "m1", segment), by="politicians", key=M1),
        said(Enrolment("kommunen", "en1", "GR", segment), by="school", key=EN1),
    ]
    for number, keys in enumerate(serves):
        facts = AccountFacts(f"account-{number}", tuple(sorted(keys)), f"uid{number}")
        claims.append(said(facts, by="iam", of=id_subject(person_id_of(A)), key=facts.account))
    document = derive_person(claims, REGISTER, person_id_of)
    for persona in document.personas:
        want = [f"uid{number}" for number, keys in enumerate(serves) if persona.key in keys]
        assert [account.uid for account in persona.accounts] == want


def test_the_stamp_of_an_account_is_kept_from_readers_of_some_types_or_units_since_it_tells_of_a_second_role() -> None:
    claims = [*registered(), hired()]
    document = derive_person(
        [*claims, served(derive_person(claims, REGISTER, person_id_of), "1")], REGISTER, person_id_of
    )
    for rule in (release(persona_types=["employee"]), release(units=["unit:kommunen:1"])):
        answer = disclose(document, rule, TODAY)
        assert answer is not None
        assert [(account.uid, account.stamp) for account in answer.personas[0].accounts] == [("ab12cd", None)]
    whole = disclose(document, release(), TODAY)
    assert whole is not None
    assert whole.personas[0].accounts[0].stamp is not None


def test_a_name_agreed_with_the_employer_and_a_work_telephone_are_not_shown_with_a_school_role() -> None:
    enrolled = said(Enrolment("kommunen", "en1", "VUX", (Segment(dt.date(2026, 1, 1)),)), by="school", key=EN1)
    of_hr = [said(AgreedName("Label"), by="hr", key="e1"), said(WorkContact("08-46500400"), by="hr", key="e1")]
    document = derive_everyone([*registered(), hired(), *of_hr, enrolled], REGISTER, person_id_of)[person_id_of(A)]
    answer = disclose(document, release(persona_types=["adult-student"]), TODAY)
    assert answer is not None
    assert (answer.agreed_name, answer.work_phone) == (None, None)
    assert [persona.key for persona in answer.personas] == [EN1]
    assert answer.main_persona == EN1
