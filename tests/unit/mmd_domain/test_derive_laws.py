"""Laws of derive: the same facts give the same master, in whatever order and however often they are told."""

import datetime as dt

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.domain.canonical import canonical_bytes
from mmd.domain.claims import KEEPS_ALL, LoggedClaim, head_key, kind_of, wins
from mmd.domain.everyone import derive_everyone, joined_subjects
from mmd.domain.heads import winners
from mmd.domain.person import derive_person
from mmd.domain.protection import LEVEL
from streams.contracts.claims import Marking, Protection
from streams.contracts.documents import PersonDocument
from tests.unit.mmd_domain.making import REGISTER, histories, person_id_of, registered, said


def hashed(claims: list[LoggedClaim]) -> dict[str, bytes]:
    return {key: canonical_bytes(d) for key, d in derive_everyone(claims, REGISTER, person_id_of).items()}


@settings(max_examples=300, deadline=None)
@given(histories(), st.data())
def test_neither_order_nor_repetition_changes_any_document(history: list[LoggedClaim], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(history), max_size=10))
    shuffled = data.draw(st.permutations(history + again))
    assert derive_everyone(shuffled, REGISTER, person_id_of) == derive_everyone(history, REGISTER, person_id_of)


@settings(max_examples=100, deadline=None)
@given(histories(), st.data())
def test_what_is_logged_again_later_counts_as_first_logged(history: list[LoggedClaim], data: st.DataObject) -> None:
    later = [
        msgspec.structs.replace(logged, logged_at=logged.logged_at + dt.timedelta(days=30), event="again")
        for logged in data.draw(st.lists(st.sampled_from(history), max_size=10))
    ]
    assert derive_everyone(later + history, REGISTER, person_id_of) == derive_everyone(history, REGISTER, person_id_of)


def stored(history: list[LoggedClaim]) -> list[LoggedClaim]:
    """What a store hands to derive: the winner of each head, absences too, and every claim that counts for ever."""
    heads: dict[object, LoggedClaim] = {}
    for logged in history:
        key = head_key(logged)
        best = heads.get(key)
        if best is None or wins(logged, best) or (not wins(best, logged) and logged.logged_at < best.logged_at):
            heads[key] = logged
    standing = [logged for logged in history if kind_of(logged.claim) in KEEPS_ALL]
    return [logged for logged in heads.values() if kind_of(logged.claim) not in KEEPS_ALL] + standing


@settings(max_examples=200, deadline=None)
@given(histories())
def test_the_winners_alone_give_what_all_versions_give(history: list[LoggedClaim]) -> None:
    kept = stored(history)
    assert winners(kept) == winners(history)
    whole = derive_everyone(history, REGISTER, person_id_of)
    for group in joined_subjects(history, REGISTER, person_id_of):
        few = derive_person([c for c in kept if c.subject in group], REGISTER, person_id_of, subjects=group)
        many = derive_person(history, REGISTER, person_id_of, subjects=group)
        assert few == many == whole[few.id]


@settings(max_examples=100, deadline=None)
@given(histories())
def test_one_more_claim_never_lowers_a_marking(history: list[LoggedClaim]) -> None:
    before = derive_everyone(history[:-1], REGISTER, person_id_of)
    after = derive_everyone(history, REGISTER, person_id_of)
    by_alias = {alias: d for d in after.values() for alias in (d.id, *d.aliases)}
    for key, document in before.items():
        was, now = document.marking, by_alias[key].marking
        assert was is not None
        assert now is not None
        assert LEVEL[now] >= LEVEL[was] or (was, now) == (Marking.UNVERIFIED, Marking.NONE)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_a_person_has_at_most_one_current_number_and_no_id_leads_to_two_persons(history: list[LoggedClaim]) -> None:
    documents = derive_everyone(history, REGISTER, person_id_of)
    ids = [one for d in documents.values() for one in (d.id, *d.aliases)]
    assert len(ids) == len(set(ids))
    for document in documents.values():
        assert sum(entry.current for entry in document.numbers) <= 1


@settings(max_examples=200, deadline=None)
@given(histories())
def test_no_two_entries_of_a_timeline_hold_on_one_day(history: list[LoggedClaim]) -> None:
    for document in derive_everyone(history, REGISTER, person_id_of).values():
        timelines: list[list[tuple[dt.date | None, dt.date | None]]] = [
            [(entry.valid_from, entry.valid_to) for entry in document.names],
            [(entry.valid_from, entry.valid_to) for entry in document.registered_addresses],
        ]
        for persona in document.personas:
            timelines.append([(segment.valid_from, segment.valid_to) for segment in persona.segments])
        for days in timelines:
            for (_, end), (start, _) in zip(days, days[1:], strict=False):
                assert end is not None
                assert end < (start or dt.date.min)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_every_shown_value_comes_from_a_designated_source(history: list[LoggedClaim]) -> None:
    for document in derive_everyone(history, REGISTER, person_id_of).values():
        for entries in (document.names, document.registered_addresses, document.guardians, document.wards):
            assert {entry.stamp.source for entry in entries} <= {"navet", "ruling"}
        for value in (document.birth, document.status, document.special_address):
            assert value is None or value.stamp.source in {"navet", "ruling"}
        for value in (document.agreed_name, document.work_phone):
            assert value is None or value.stamp.source == "hr"


@settings(max_examples=200, deadline=None)
@given(histories())
def test_skyddad_folkbokforing_leaves_no_registered_address_at_all(history: list[LoggedClaim]) -> None:
    documents = derive_everyone(history, REGISTER, person_id_of)
    by_alias = {alias: d for d in documents.values() for alias in (d.id, *d.aliases)}
    for logged in history:
        body = logged.claim.body
        if isinstance(body, Protection) and body.skyddad_folkbokforing:
            document: PersonDocument = by_alias[person_id_of(logged.subject)]
            assert document.marking is Marking.SKYDDAD_FOLKBOKFORING
            assert document.registered_addresses == ()


def test_the_hash_sees_neither_versions_nor_times_nor_events() -> None:
    first = registered()
    moved = [
        msgspec.structs.replace(c, version="20270101", event="other", logged_at=c.logged_at + dt.timedelta(days=3))
        for c in first
    ]
    assert hashed(first) == hashed(moved)
    assert hashed(first) != hashed([*first, said(Protection(True))])
