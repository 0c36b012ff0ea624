"""When a document changes by the clock, and which new versions may not wait."""

import datetime as dt

import pytest
from hypothesis import given, settings

from mmd.domain.changes import BULK, URGENT, lane, next_change
from mmd.domain.claims import LoggedClaim
from mmd.domain.disclosure import disclose
from mmd.domain.everyone import derive_everyone
from mmd.domain.person import derive_person
from streams.contracts.claims import Custody, Employment, Leave, Name, Protection, Registration, Relation, Segment
from streams.contracts.documents import PersonDocument, Stamp, UnitDocument, UnitNameEntry
from streams.contracts.time import local_date, start_of
from tests.unit.mmd_domain.making import (
    NOW,
    REGISTER,
    TODAY,
    B,
    C,
    everything,
    hired,
    histories,
    person_id_of,
    registered,
    release,
    said,
)

DAY = dt.timedelta(days=1)


def derived(*claims: LoggedClaim) -> PersonDocument:
    return derive_person(claims, REGISTER, person_id_of)


# --- next change ---
def test_an_inclusive_end_changes_at_the_midnight_after_it() -> None:
    document = derived(hired(end=dt.date(2026, 6, 30)))
    assert next_change(document, NOW) == dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)


def test_a_start_changes_at_its_own_midnight_in_winter_time_too() -> None:
    document = derived(hired(start=dt.date(2026, 12, 1)))
    assert next_change(document, NOW) == dt.datetime(2026, 11, 30, 23, tzinfo=dt.UTC)


def test_the_days_on_which_the_clock_is_changed_are_no_exception() -> None:
    document = derived(hired(end=dt.date(2026, 10, 25)))  # a day of 25 hours
    assert next_change(document, NOW) == dt.datetime(2026, 10, 25, 23, tzinfo=dt.UTC)


def test_an_employment_until_further_notice_or_until_9999_never_changes() -> None:
    assert next_change(derived(hired()), NOW) is None
    assert next_change(derived(hired(end=dt.date.max)), NOW) is None


def test_a_change_at_this_very_midnight_is_past() -> None:
    document = derived(hired(start=dt.date(2026, 6, 2)))
    midnight = start_of(dt.date(2026, 6, 2))
    assert next_change(document, midnight - dt.timedelta(microseconds=1)) == midnight
    assert next_change(document, midnight) is None


def test_units_change_by_date_too() -> None:
    stamp = Stamp("org", "1", "1", NOW)
    unit = UnitDocument("unit:k:1", names=(UnitNameEntry("x", stamp, "", None, dt.date(2026, 7, 31)),))
    assert next_change(unit, NOW) == start_of(dt.date(2026, 8, 1))


@settings(max_examples=150, deadline=None)
@given(histories())
def test_what_a_reader_sees_by_date_never_changes_between_two_changes(history: list[LoggedClaim]) -> None:
    cleared = release(marked="cleared", valid_until="2040-01-01")
    for document in derive_everyone(history, REGISTER, person_id_of).values():
        after = dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
        for _ in range(100):
            following = next_change(document, after)
            first = local_date(after)
            last = local_date(following) - DAY if following else first + 400 * DAY
            shown = [everything(disclose(document, cleared, day)) for day in (first, last)]
            states = [[p.state(day) for p in document.personas] for day in (first, last)]
            assert shown[0] == shown[1]
            assert states[0] == states[1]
            if following is None:
                break
            assert following > after
            after = following


# --- lane ---
def changed(before: list[LoggedClaim], *more: LoggedClaim) -> str:
    old = derived(*before) if before else None
    return lane(old, derived(*before, *more), TODAY)


def test_a_raise_is_urgent_for_a_known_and_for_a_new_person() -> None:
    assert changed(registered(), said(Protection(True), version="20260501")) == URGENT
    assert changed([], said(Protection(True))) == URGENT
    raised = [*registered(), said(Protection(True))]
    assert changed(raised, said(Protection(skyddad_folkbokforing=True))) == URGENT


def test_a_person_who_is_found_unprotected_or_renamed_may_wait() -> None:
    assert changed([hired()], *registered()) == BULK
    assert changed([], hired()) == BULK
    assert changed(registered(), said(Name("Ny"), since=TODAY, version="20260601")) == BULK


@pytest.mark.parametrize("end", [TODAY - 20 * DAY, TODAY - DAY, TODAY])
def test_an_end_today_or_earlier_is_urgent(end: dt.date) -> None:
    assert changed([*registered(), hired()], hired(end=end, version="20260601")) == URGENT


def test_an_end_in_the_future_a_prolongation_and_a_new_employment_may_wait() -> None:
    before = [*registered(), hired(end=TODAY + 10 * DAY)]
    for end in (TODAY + DAY, TODAY + 99 * DAY, None):
        assert changed(before, hired(end=end, version="20260601")) == BULK
    assert changed(before, hired("e2")) == BULK


def test_what_had_ended_already_may_end_earlier_without_haste() -> None:
    before = [*registered(), hired(end=TODAY - DAY)]
    assert changed(before, hired(end=TODAY - 9 * DAY, version="20260601")) == BULK


def test_a_withdrawn_hire_is_urgent_even_before_it_has_started() -> None:
    before = [*registered(), hired(start=TODAY + 5 * DAY)]
    assert changed(before, hired(start=TODAY + 5 * DAY, cancelled=True, version="20260601")) == URGENT


def test_an_employment_that_moves_to_another_person_is_urgent_for_the_first() -> None:
    before = derived(*registered(), hired())
    after = derive_person([*registered(), hired(), hired(of=B, version="2")], REGISTER, person_id_of)
    left = derive_person(registered(), REGISTER, person_id_of)
    assert lane(before, left, TODAY) == URGENT
    assert lane(before, after, TODAY) == BULK


def test_a_segment_that_is_taken_away_from_today_is_urgent() -> None:
    later = Employment("kommunen", "e1", (Segment(TODAY + 30 * DAY, None, "unit:kommunen:1"),))
    assert changed([*registered(), hired()], said(later, by="hr", key="e1", version="20260601")) == URGENT


def test_a_leave_may_wait() -> None:
    leave = Employment(
        "kommunen", "e1", (Segment(dt.date(2020, 1, 1), None, "unit:kommunen:1"),), (Leave(TODAY, TODAY + 300 * DAY),)
    )
    assert changed([*registered(), hired()], said(leave, by="hr", key="e1", version="20260601")) == BULK


def test_s_18_a_death_is_urgent_once() -> None:
    dead = said(Registration("AV", "2026-05"), version="20260601")
    assert changed([*registered(), hired()], dead) == URGENT
    assert changed([*registered(), hired(), dead], said(Registration("AV"), version="20260602")) == BULK


def test_s_30_the_end_of_custody_of_one_of_two_children_is_urgent() -> None:
    both = said(Custody((Relation("VF", B), Relation("VF", C))), version="1")
    one = said(Custody((Relation("VF", B), Relation("VF", C, None, TODAY))), version="2")
    assert changed([*registered(), both], one) == URGENT
    assert changed([*registered(), one], both) == BULK
