"""Invariant 8 at its root: generated municipalities in pairs that differ in what a reader may not see give it equal bytes.

`tests/integration/mmd_api/test_non_interference.py` asks the same through the API and the feed, of two kinds of pairs.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.domain.disclosure import Known, disclose
from mmd.domain.everyone import derive_everyone
from mmd.domain.release import ATTRIBUTES, Release
from streams.contracts.claims import (
    AccountFacts,
    AgreedName,
    Birth,
    Claim,
    Custody,
    Employment,
    Leave,
    Marking,
    Name,
    Protection,
    Registration,
    Relation,
    Segment,
    SourceRecord,
    SpecialAddress,
    WorkContact,
    persona_key,
)
from streams.contracts.documents import PersonDocument
from streams.hashing import id_subject
from tests.laws import times
from tests.unit.mmd_domain.laws_histories import histories
from tests.unit.mmd_domain.laws_records import (
    CAST,
    REGISTER,
    START,
    UNITS,
    Told,
    claims_of,
    day,
    person_id_of,
    record,
    subject,
)
from tests.unit.mmd_domain.making import FORWARDING, TODAY, release

who = st.sampled_from(CAST)

REASONS: Mapping[str, tuple[SourceRecord, ...]] = {
    "sekretessmarkering": (record("navet", 0, "9", Protection(True)),),
    "skyddad folkbokföring": (
        record("navet", 0, "9", Protection(skyddad_folkbokforing=True), SpecialAddress(FORWARDING)),
    ),
    "both": (record("navet", 0, "9", Protection(True, True)),),
    "an unknown token": (record("navet", 0, "9", Protection(unknown_token=True)),),
    "the HR system's word": (record("hr", 0, "9", Protection(True), key="E9"),),
    "two sources": (record("navet", 0, "9", Protection(True)), record("gossip", 0, "9", Protection(True, True))),
}


def told(history: list[Told], more: Iterable[SourceRecord]) -> list[Told]:
    """The hidden records are logged with the last of the history: no time tells of them."""
    return [*history, *(Told(one, f"more-{at}", history[-1].at) for at, one in enumerate(more))]


def begun(about: int, history: list[Told]) -> list[Told]:
    """The register has spoken of this person first: what HR names a person by alone is a number that the register lacks."""
    since = dt.date(2000, 1, 1)
    post = record("navet", about, "0", Protection(), Birth("1980"), Registration(), Claim(Name("Ada", "", "Ek"), since))
    return [Told(post, "begun", START - dt.timedelta(days=1)), *history]


def everyone(history: list[Told]) -> dict[str, PersonDocument]:
    return derive_everyone(claims_of(history), REGISTER, person_id_of)


def answers(documents: Mapping[str, PersonDocument], rule: Release) -> dict[str, bytes]:
    """What the reader gets of everybody it may know of, on several days, to the byte."""
    people = {
        one: Known(document.id, document.marking is Marking.NONE)
        for document in documents.values()
        for one in (document.id, *document.aliases)
    }
    found = {}
    for document in documents.values():
        for on in (TODAY, day(0), day(6)):
            answer = disclose(document, rule, TODAY, valid=on, people=people)
            if answer is not None:
                found[f"{document.id} {on}"] = msgspec.json.encode(answer)
    return found


def moved(one: SourceRecord, about: int) -> SourceRecord:
    """The record about another of the cast."""
    key = subject(about) if one.source_key == subject(0) else one.source_key
    there = record(one.source, about, one.version, key=key)
    return msgspec.structs.replace(there, claims=one.claims)


@settings(max_examples=times(100))
@given(histories(), who, st.permutations(sorted(REASONS)), st.sampled_from(["restricted", "nothing"]))
def test_who_is_not_cleared_cannot_tell_why_a_person_is_protected(
    history: list[Told], about: int, reasons: list[str], marked: str
) -> None:
    rule = release(marked=marked, attributes=sorted(ATTRIBUTES - {"marking"}))
    first, second = (
        answers(everyone(told(begun(about, history), [moved(one, about) for one in REASONS[reason]])), rule)
        for reason in reasons[:2]
    )
    assert first == second


@settings(max_examples=times(100))
@given(histories(), who)
def test_who_is_not_cleared_cannot_tell_an_unverified_person_from_a_protected_one(
    history: list[Told], about: int
) -> None:
    """Of somebody whom no register has spoken of: HR alone."""
    hired = record("hr", about, "9", _employment("E8"), key="E8")
    alone = [one for one in history if one.record.source in ("hr", "iam", "org")] or [Told(hired, "hired", START)]
    rule = release(attributes=sorted(ATTRIBUTES - {"marking"}))
    plain = everyone(told(alone, [hired]))
    raised = everyone(told(alone, [hired, record("hr", about, "9", Protection(True), key="E8")]))
    assert answers(plain, rule) == answers(raised, rule)


def _employment(key: str, *, leave: bool = False, cancelled: bool = False, unit: str = UNITS[0]) -> Employment:
    return Employment("kommun", key, (Segment(day(1), None, unit, "Titel"),), (Leave(day(2)),) * leave, cancelled)


HIDDEN_JOBS = st.lists(
    st.sampled_from(["hired", "on leave", "taken back", "agreed name", "phone", "account"]), min_size=1, max_size=3
)


def jobs(about: int, what: list[str], unit: str = UNITS[0]) -> list[SourceRecord]:
    facts = AccountFacts("hidden", (persona_key("employment", "kommun", "E7"),), "u7", "", "a@kommun.test")
    by_name = {
        "hired": record("hr", about, "1", _employment("E7", unit=unit), key="E7"),
        "on leave": record("hr", about, "2", _employment("E7", leave=True, unit=unit), key="E7"),
        "taken back": record("hr", about, "3", _employment("E7", cancelled=True, unit=unit), key="E7"),
        "agreed name": record("hr", about, "9", AgreedName("Hidden"), key="E7"),
        "phone": record("hr", about, "9", WorkContact("08-46500499"), key="E7"),
        "account": record("iam", id_subject(person_id_of(subject(about))), "1", facts, key="hidden"),
    }
    return [by_name[one] for one in what]


@settings(max_examples=times(150))
@given(histories(), who, HIDDEN_JOBS)
def test_a_reader_of_guardians_cannot_tell_who_is_employed(history: list[Told], about: int, hidden: list[str]) -> None:
    rule = release(persona_types=["guardian"], marked="cleared")
    history = begun(about, history)
    assert answers(everyone(told(history, jobs(about, hidden))), rule) == answers(everyone(history), rule)


@settings(max_examples=times(150))
@given(histories(), who, st.sets(who, max_size=3), st.none() | st.integers(0, 6).map(day))
def test_a_reader_of_employees_cannot_tell_who_is_a_guardian(
    history: list[Told], about: int, children: set[int], until: dt.date | None
) -> None:
    """Who their own guardians are is left out: a post states custody whole, both sides of it."""
    rule = release(persona_types=["employee"], marked="cleared", attributes=sorted(ATTRIBUTES - {"guardians"}))
    history = begun(about, history)
    relations = tuple(Relation("VF", subject(child), day(0), until) for child in sorted(children - {about}))
    hidden = record("navet", about, "9", Custody(relations))
    assert answers(everyone(told(history, [hidden])), rule) == answers(everyone(history), rule)


@settings(max_examples=times(150))
@given(histories(), who, HIDDEN_JOBS, st.sets(who, max_size=2))
def test_a_reader_of_one_unit_cannot_tell_who_works_in_another_or_is_a_guardian(
    history: list[Told], about: int, hidden: list[str], children: set[int]
) -> None:
    """S-11: the school knows of the teacher, and nothing of the library, though both employments are of one type. Who
    their own guardians are is left out, as above."""
    rule = release(units=[UNITS[0]], marked="cleared", attributes=sorted(ATTRIBUTES - {"guardians"}))
    there = record("hr", about, "1", _employment("E8"), key="E8")
    history = [*begun(about, history), Told(there, "there", history[-1].at)]
    relations = tuple(Relation("VF", subject(child), day(0)) for child in sorted(children - {about}))
    more = [*jobs(about, hidden, UNITS[1]), record("navet", about, "9", Custody(relations))]
    assert answers(everyone(told(history, more)), rule) == answers(everyone(history), rule)


@settings(max_examples=times(100))
@given(histories(roled=False), who, st.sampled_from(["pupil", "consultant", "politician", "robot"]), HIDDEN_JOBS)
def test_a_reader_of_a_role_that_nobody_has_knows_of_nobody(
    history: list[Told], about: int, role: str, hidden: list[str]
) -> None:
    rule = release(persona_types=[role], marked="cleared")
    documents = everyone(told(begun(about, history), jobs(about, hidden)))
    assert answers(documents, rule) == {}


def test_the_comparison_sees_what_a_reader_may_see() -> None:
    """The check itself can fail."""
    history = begun(1, [])
    rule = release(marked="cleared")
    with pytest.raises(AssertionError):
        assert answers(everyone(told(history, jobs(1, ["hired"]))), rule) == answers(everyone(history), rule)
