"""Laws of derive over whole histories: number chains, moved employments, loads, markings and custody that meet.

`KALLAN_LAWS=20 make laws` tries so many times as many.
"""

from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.domain.claims import ClaimKey, LoggedClaim, claim_key
from mmd.domain.everyone import derive_everyone
from mmd.domain.protection import LEVEL
from mmd.domain.things import derive_thing
from streams.contracts.claims import Lift, Marking, NumberReference, Protection, is_thing
from streams.contracts.documents import PersonaType, PersonDocument, Thing
from tests.laws import times
from tests.unit.mmd_domain.laws_histories import histories, told_anyhow
from tests.unit.mmd_domain.laws_records import (
    CAST,
    REGISTER,
    Told,
    claims_of,
    instants,
    known_by,
    person_id_of,
    record,
    subject,
)

Everyone = Mapping[str, PersonDocument]


def everyone(claims: list[LoggedClaim]) -> Everyone:
    return derive_everyone(claims, REGISTER, person_id_of)


def things(claims: list[LoggedClaim]) -> Mapping[str, Thing]:
    """Every unit, place, group and legal organisation that somebody spoke of."""
    keys = {claim.subject for claim in claims if is_thing(claim.subject)}
    return {key: derive_thing(key, claims, REGISTER, person_id_of) for key in keys}


def by_any_id(documents: Everyone) -> dict[str, PersonDocument]:
    return {one: document for document in documents.values() for one in (document.id, *document.aliases)}


@settings(max_examples=times(1000))
@given(histories(), st.data())
def test_any_order_and_repetition_of_a_history_ends_in_the_same_master_and_was_known_as_the_same_before(
    history: list[Told], data: st.DataObject
) -> None:
    claims, shuffled = claims_of(history), claims_of(data.draw(told_anyhow(history)))
    assert everyone(shuffled) == everyone(claims)
    assert things(shuffled) == things(claims)
    known = data.draw(st.sampled_from(instants(history)))
    assert everyone(known_by(shuffled, known)) == everyone(known_by(claims, known))


@settings(max_examples=times(150))
@given(histories())
def test_every_number_ever_told_leads_to_exactly_one_person(history: list[Told]) -> None:
    documents = everyone(claims_of(history))
    told = {one.record.subject for one in history if not is_thing(one.record.subject)}
    told |= {
        claim.body.other_subject
        for one in history
        for claim in one.record.claims
        if isinstance(claim.body, NumberReference) and one.record.source == "navet"
    }
    ids = [one for document in documents.values() for one in (document.id, *document.aliases)]
    assert len(ids) == len(set(ids))
    assert {one.removeprefix("id:") if one.startswith("id:") else person_id_of(one) for one in told} <= set(ids)
    for document in documents.values():
        assert [entry.current for entry in document.numbers].count(True) <= 1
        if document.numbers and not document.quarantined:
            assert document.numbers[-1].current or all(not entry.current for entry in document.numbers)


@settings(max_examples=times(150))
@given(histories(ruled=False))
def test_what_becomes_known_later_never_lowers_a_marking_and_never_parts_a_person(history: list[Told]) -> None:
    claims = claims_of(history)
    steps = [by_any_id(everyone(known_by(claims, known))) for known in instants(history)]
    for before, after in pairwise(steps):
        for one, document in before.items():
            was, now = document.marking, after[one].marking
            assert was is not None
            assert now is not None
            assert LEVEL[now] >= LEVEL[was] or (was, now) == (Marking.UNVERIFIED, Marking.NONE)
            assert {document.id, *document.aliases} <= {after[one].id, *after[one].aliases}


@settings(max_examples=times(150))
@given(histories())
def test_a_raise_of_any_source_that_no_lift_names_marks_whoever_the_number_belongs_to_now(history: list[Told]) -> None:
    """Whenever it comes: before the lift, beside it, or after it."""
    claims = claims_of(history)
    documents, named = by_any_id(everyone(claims)), approved_lifts(claims)
    for one in claims:
        if isinstance(one.claim.body, Protection) and one.claim.body.marking is not Marking.NONE:
            if claim_key(one) in named:
                continue
            marking = documents[person_id_of(one.subject)].marking
            assert marking is not None
            assert LEVEL[marking] >= LEVEL[one.claim.body.marking]


def approved_lifts(claims: list[LoggedClaim]) -> set[ClaimKey]:
    return {
        (one.subject, name)
        for one in claims
        if isinstance(one.claim.body, Lift) and one.claim.body.approved_by
        for name in one.claim.body.raises
    }


@settings(max_examples=times(150))
@given(histories())
def test_an_employment_or_another_role_is_with_at_most_one_person(history: list[Told]) -> None:
    holders: dict[str, str] = {}
    for document in everyone(claims_of(history)).values():
        for persona in document.personas:
            if persona.type is not PersonaType.GUARDIAN:
                assert holders.setdefault(persona.key, document.id) == document.id


@settings(max_examples=times(150))
@given(histories(), st.sampled_from(CAST))
def test_a_raise_of_one_person_changes_nobody_elses_document(history: list[Told], who: int) -> None:
    """Who refers to a marked person holds an id, never content; who is joined with them is them."""
    raised = Told(record("gossip", who, "x", Protection(skyddad_folkbokforing=True)), "raise", history[-1].at)
    before, after = everyone(claims_of(history)), everyone(claims_of([*history, raised]))
    mine = by_any_id(after)[person_id_of(subject(who))]
    assert mine.marking is Marking.SKYDDAD_FOLKBOKFORING
    others = {one: document for one, document in after.items() if one != mine.id}
    assert others == {one: document for one, document in before.items() if one != mine.id}
