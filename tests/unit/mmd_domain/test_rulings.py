"""An operator's rulings: merge and split (S-19), lift of protection (SM2, S-10). They count as a set, in any order."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.domain.canonical import canonical_bytes
from mmd.domain.claims import LoggedClaim, claim_key
from mmd.domain.everyone import derive_everyone
from mmd.domain.protection import LEVEL, effective, standing_raises
from streams.contracts.claims import Body, ClaimName, Lift, Marking, Merge, NumberReference, Protection, Split
from streams.contracts.decisions import two_persons
from streams.contracts.documents import PersonDocument
from tests.unit.mmd_domain.making import (
    ALL,
    NOW,
    REGISTER,
    SUBJECTS,
    A,
    B,
    C,
    D,
    hired,
    histories,
    person_id_of,
    registered,
    said,
)

EVIDENCE = ("a decision", "anna", "bertil")


def ruled(body: Body, of: str, name: str, version: str = "20260301", by: str = "ruling") -> LoggedClaim:
    return said(body, by=by, of=of, key=name, version=version)


def merge(gone: str, stays: str, name: str = "m1", version: str = "20260301", by: str = "ruling") -> LoggedClaim:
    return ruled(Merge(stays, *EVIDENCE), gone, name, version, by)


def split(gone: str, *names: str, version: str = "20260302") -> LoggedClaim:
    return ruled(Split(names or ("m1",), *EVIDENCE), gone, "s1", version)


def lift(*raised: LoggedClaim, of: str = A, approved_by: str = "bertil", by: str = "ruling") -> LoggedClaim:
    names = tuple(claim_key(one)[1] for one in raised)
    return ruled(Lift(names, "a decision", "anna", approved_by), of, "l1", by=by)


def documents(*claims: LoggedClaim) -> dict[str, PersonDocument]:
    return derive_everyone(claims, REGISTER, person_id_of)


def hashed(claims: list[LoggedClaim]) -> dict[str, bytes]:
    return {key: canonical_bytes(one) for key, one in derive_everyone(claims, REGISTER, person_id_of).items()}


def marking_of(subject: str, *claims: LoggedClaim) -> Marking | None:
    by_id = {one: d for d in documents(*claims).values() for one in (d.id, *d.aliases)}
    return by_id[person_id_of(subject)].marking


# --- merge and split ---
@pytest.mark.parametrize(("gone", "stays"), [(A, B), (B, A)])
def test_a_merged_person_has_the_id_and_the_number_of_the_one_that_the_ruling_names(gone: str, stays: str) -> None:
    (document,) = documents(*registered(A), *registered(B), hired("e1", of=gone), merge(gone, stays)).values()
    assert (document.id, document.aliases) == (person_id_of(stays), (person_id_of(gone),))
    assert [entry.value for entry in document.numbers if entry.current] == [SUBJECTS[stays].value]
    assert {persona.source_id for persona in document.personas} == {"e1"}


def test_a_split_gives_back_exactly_what_was_joined() -> None:
    before = [*registered(A), *registered(B), hired("e1", of=A), hired("e2", of=B)]
    after = [*before, merge(A, B), split(A)]
    assert documents(*after) == documents(*before)


def test_the_same_persons_can_be_merged_again_after_a_split_under_another_name() -> None:
    claims = [*registered(A), *registered(B), merge(A, B), split(A), merge(A, B, "m2", "20260401")]
    assert list(documents(*claims)) == [person_id_of(B)]


def test_a_split_parts_what_it_names_and_nothing_else() -> None:
    claims = [*registered(A), *registered(B), *registered(C), merge(A, B), merge(B, C, "m2", "20260302")]
    assert set(documents(*claims)) == {person_id_of(C)}
    assert set(documents(*claims, split(A, "m1"))) == {person_id_of(A), person_id_of(C)}
    assert set(documents(*claims, split(B, "m2"))) == {person_id_of(B), person_id_of(C)}
    assert set(documents(*claims, split(B, "m1"))) == {person_id_of(C)}  # said of another subject than the merge


def test_numbers_that_the_register_joins_later_stay_joined_when_the_merge_is_undone() -> None:
    claims = [*registered(A), *registered(B), merge(A, B), split(A)]
    reference = said(NumberReference(SUBJECTS[B], B, superseded=True), of=A)
    assert list(documents(*claims, reference)) == [person_id_of(A)]  # the oldest number's, as ever


def test_a_merge_takes_whole_chains_with_it() -> None:
    reference = said(NumberReference(SUBJECTS[B], B, superseded=True), of=A)
    (document,) = documents(*registered(A), *registered(B), *registered(C), reference, merge(A, C)).values()
    assert (document.id, set(document.aliases)) == (person_id_of(C), {person_id_of(A), person_id_of(B)})


@pytest.mark.parametrize("by", ["hr", "navet"])
def test_a_merge_that_is_no_operators_ruling_joins_nobody(by: str) -> None:
    assert set(documents(*registered(A), *registered(B), merge(A, B, by=by))) == {person_id_of(A), person_id_of(B)}


def test_a_raise_about_either_protects_the_merged_person_and_stays_with_whose_it_was_after_the_split() -> None:
    claims = [*registered(A), *registered(B), merge(A, B), said(Protection(True), of=A, version="20260401")]
    assert marking_of(B, *claims) is Marking.SEKRETESSMARKERING
    assert marking_of(B, *claims, split(A)) is Marking.NONE
    assert marking_of(A, *claims, split(A)) is Marking.SEKRETESSMARKERING


# --- lift ---
def test_a_lift_that_lists_every_raise_lowers_the_marking() -> None:
    raised = [said(Protection(True), version="20260201"), said(Protection(False, True), version="20260202")]
    claims = [*registered(A), *raised]
    assert marking_of(A, *claims) is Marking.SKYDDAD_FOLKBOKFORING
    assert marking_of(A, *claims, lift(raised[1])) is Marking.SEKRETESSMARKERING
    assert marking_of(A, *claims, lift(*raised)) is Marking.NONE


def test_address_and_names_are_back_after_a_lift() -> None:
    raised = said(Protection(False, True), version="20260201")
    (document,) = documents(*registered(A), raised, lift(raised)).values()
    assert (document.restricted, bool(document.registered_addresses), bool(document.names)) == (False, True, True)


def test_a_raise_that_comes_after_the_lift_stands() -> None:
    raised = said(Protection(True), version="20260201")
    again = said(Protection(True), version="20260501")
    assert marking_of(A, *registered(A), raised, lift(raised), again) is Marking.SEKRETESSMARKERING


@pytest.mark.parametrize("approved_by", ["", "anna", " Anna "])
def test_a_lift_that_no_second_person_approved_lifts_nothing(approved_by: str) -> None:
    raised = said(Protection(True), version="20260201")
    claims = [*registered(A), raised, lift(raised, approved_by=approved_by)]
    assert marking_of(A, *claims) is Marking.SEKRETESSMARKERING


@pytest.mark.parametrize("by", ["hr", "navet"])
def test_a_lift_that_is_no_officers_ruling_lifts_nothing(by: str) -> None:
    raised = said(Protection(True), version="20260201")
    assert marking_of(A, *registered(A), raised, lift(raised, by=by)) is Marking.SEKRETESSMARKERING


def test_a_lift_said_of_somebody_else_lifts_nothing() -> None:
    raised = said(Protection(True), version="20260201")
    claims = [*registered(A), *registered(B), raised, lift(raised, of=B)]
    assert marking_of(A, *claims) is Marking.SEKRETESSMARKERING


def test_what_no_designated_source_has_spoken_of_is_unverified_after_a_lift_not_open() -> None:
    raised = said(Protection(True), by="hr", key="e1")
    assert marking_of(A, hired(of=A), raised, lift(raised)) is Marking.UNVERIFIED


def test_the_marking_after_a_lift_tells_of_the_ruling() -> None:
    raised = said(Protection(True), version="20260201")
    _, stamps = effective([said(Protection()), raised, lift(raised)], REGISTER)
    assert {stamp.source for stamp in stamps} == {"navet", "ruling"}


def test_only_a_newer_word_of_the_same_record_makes_a_raise_a_candidate_for_a_lift() -> None:
    raised = said(Protection(True), version="20260201")
    for other in (said(Protection(), version="20260101"), said(Protection(), by="hr", key="e1", version="20260301")):
        (one,) = standing_raises([raised, other], REGISTER)
        assert one.taken_back is None
    (one,) = standing_raises([raised, said(Protection(), version="20260301")], REGISTER)
    assert one.taken_back is not None
    assert one.taken_back.version == "20260301"


def test_a_raise_of_which_only_the_lower_marking_is_left_is_a_candidate_and_the_lower_one_is_not() -> None:
    both = said(Protection(True, True), version="20260201")
    left = said(Protection(True), version="20260301", logged=NOW + dt.timedelta(days=1))
    higher, lower = standing_raises([both, left], REGISTER)
    assert (higher.marking, lower.marking) == (Marking.SKYDDAD_FOLKBOKFORING, Marking.SEKRETESSMARKERING)
    assert higher.taken_back is not None
    assert higher.taken_back.version == "20260301"
    assert lower.taken_back is None
    assert marking_of(A, *registered(A), both, left, lift(both)) is Marking.SEKRETESSMARKERING


def test_two_persons_are_two_whatever_the_spelling() -> None:
    assert two_persons("anna", "bertil")
    assert not two_persons("anna", "ANNA ")
    assert not two_persons("", "anna")


# --- laws, over histories that hold rulings ---
_subjects = st.sampled_from(ALL)
_names = st.sampled_from(["m1", "m2", "m3"])
_versions = st.sampled_from(["20260301", "20260302", "20260303"])
_sources = st.sampled_from(["ruling", "ruling", "ruling", "hr"])


@st.composite
def _rulings(draw: st.DrawFn) -> LoggedClaim:
    gone, stays = draw(st.permutations(ALL))[:2]
    body = Merge(stays, *EVIDENCE) if draw(st.booleans()) else Split((draw(_names),), *EVIDENCE)
    return ruled(body, gone, draw(_names), draw(_versions), draw(_sources))


@st.composite
def ruled_histories(draw: st.DrawFn) -> list[LoggedClaim]:
    """Histories with merges, splits, and lifts of some of the raises in them (and of some that never came)."""
    history = draw(histories(15)) + draw(st.lists(_rulings(), max_size=6))
    raised = [one for one in history if isinstance(one.claim.body, Protection) and one.claim.body != Protection()]
    for number in range(draw(st.integers(0, 2)) if raised else 0):
        about = draw(st.sampled_from(raised))
        names = {claim_key(one)[1] for one in raised if one.subject == about.subject and draw(st.booleans())}
        approved = draw(st.sampled_from(["bertil", "bertil", "", "anna"]))
        body = Lift((*sorted(names), ClaimName("navet", "never", "1", "")), "a decision", "anna", approved)
        history.append(ruled(body, about.subject, f"l{number}"))
    return history


@settings(max_examples=300, deadline=None)
@given(ruled_histories(), st.data())
def test_neither_order_nor_repetition_of_rulings_and_claims_changes_any_document(
    history: list[LoggedClaim], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(history), max_size=6))
    shuffled = data.draw(st.permutations(history + again))
    assert derive_everyone(shuffled, REGISTER, person_id_of) == derive_everyone(history, REGISTER, person_id_of)


@settings(max_examples=200, deadline=None)
@given(ruled_histories())
def test_with_rulings_too_no_id_leads_to_two_persons(history: list[LoggedClaim]) -> None:
    found = derive_everyone(history, REGISTER, person_id_of)
    ids = [one for document in found.values() for one in (document.id, *document.aliases)]
    assert len(ids) == len(set(ids))
    assert all(sum(entry.current for entry in document.numbers) <= 1 for document in found.values())


@settings(max_examples=200, deadline=None)
@given(ruled_histories(), st.data())
def test_merge_then_split_is_the_identity(history: list[LoggedClaim], data: st.DataObject) -> None:
    """Of any two persons there are, in any history, wherever in the log the two rulings stand."""
    before = hashed(history)
    known = {one for logged in history for one in ALL if one == logged.subject}
    if len(known) < 2:
        return
    gone, stays = data.draw(st.permutations(sorted(known)))[:2]
    pair = [merge(gone, stays, "wrong", "20260401"), ruled(Split(("wrong",), *EVIDENCE), gone, "right", "20260402")]
    assert hashed(data.draw(st.permutations([*history, *pair]))) == before


@settings(max_examples=300, deadline=None)
@given(ruled_histories(), st.data())
def test_a_marking_never_falls_without_a_lift_that_lists_every_raise(
    history: list[LoggedClaim], data: st.DataObject
) -> None:
    """Whatever is said, in whatever order: nobody's marking is below a raise on one of their numbers that no approved
    lift names."""
    claims = data.draw(st.permutations(history))
    found = derive_everyone(claims, REGISTER, person_id_of)
    by_id = {one: document for document in found.values() for one in (document.id, *document.aliases)}
    for logged in history:
        body = logged.claim.body
        if not isinstance(body, Protection) or body.marking is Marking.NONE:
            continue
        subject, name = claim_key(logged)
        listed = any(
            isinstance(one.claim.body, Lift)
            and one.subject == subject
            and one.source == "ruling"
            and one.claim.body.approved_by == "bertil"
            and name in one.claim.body.raises
            for one in history
        )
        marking = by_id[person_id_of(subject)].marking
        assert marking is not None
        assert listed or LEVEL[marking] >= LEVEL[body.marking]
        assert marking is not Marking.NONE or listed


@settings(max_examples=200, deadline=None)
@given(ruled_histories(), st.data())
def test_taking_any_claim_but_a_split_or_a_lift_away_raises_nobodys_marking(
    history: list[LoggedClaim], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(history))
    if isinstance(one.claim.body, Split | Lift):
        return
    rest = [logged for logged in history if logged is not one]
    before, after = documents(*rest), documents(*history)
    by_id = {each: document for document in after.values() for each in (document.id, *document.aliases)}
    for key, document in before.items():
        was, now = document.marking, by_id[key].marking
        assert was is not None
        assert now is not None
        assert LEVEL[now] >= LEVEL[was] or (was, now) == (Marking.UNVERIFIED, Marking.NONE)


def test_a_merge_with_somebody_unknown_to_every_source_is_undone_too() -> None:
    claims = [*registered(A), merge(A, D), split(A)]
    assert documents(*claims)[person_id_of(A)] == documents(*registered(A))[person_id_of(A)]
