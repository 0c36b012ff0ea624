"""The scenarios' stories as the domain tells them: joiner, mover, leaver, marking, leave, and what is not known yet."""

import datetime as dt

import pytest

from iam.domain.account import Presence
from iam.domain.desired import KEPT
from streams.contracts.claims import Leave, Marking, Segment
from tests.unit.iam_domain.making import DAY, O1, O2, TOP, UNITS, Provisioning, at, person, unit, work

D = dt.timedelta(days=1)


def test_s01_a_joiner_is_staged_in_the_lead_time_and_enabled_on_the_first_day_by_the_clock_alone() -> None:
    joiner = person(work(since=DAY + 20 * D))
    accounts = Provisioning()
    assert accounts.see(joiner, at(DAY)) == {}
    assert accounts.last is not None
    assert accounts.last.next_change == at(DAY + 6 * D, 0)
    staged = accounts.see(joiner, at(DAY + 6 * D, 0))["directory"].intent
    assert staged.state.presence is Presence.DISABLED
    assert staged.create_missing
    assert staged.state.groups == frozenset()
    assert accounts.last.next_change == at(DAY + 20 * D, 0)
    assert accounts.presence(joiner, at(DAY + 19 * D, 23, 59)) is Presence.DISABLED
    enabled = accounts.see(joiner, at(DAY + 20 * D, 0))["directory"].intent.state
    assert enabled.presence is Presence.ENABLED
    assert enabled.groups == {f"org:{O1}", "role:usk"}


def test_s03_a_mover_keeps_the_account_and_changes_every_group() -> None:
    moved = Segment(DAY, None, unit=O2, title="enhetschef", aid="151010")
    mover = person(work(segments=(Segment(DAY - 900 * D, DAY - D, unit=O1, aid="207008", title="Usk"), moved)))
    accounts = Provisioning()
    before = accounts.see(mover, at(DAY - D, 23, 59))["directory"]
    after = accounts.see(mover, at(DAY, 0))["directory"]
    assert before.account == after.account
    assert before.intent.state.groups == {f"org:{O1}", "role:usk"}
    assert after.intent.state.groups == {f"org:{O2}", "role:chef", "role:attest-o2-100"}
    assert after.intent.state.presence is Presence.ENABLED


def test_s04_a_leaver_works_through_the_last_day_and_is_disabled_at_midnight_after_it() -> None:
    leaver = person(work(to=DAY))
    accounts = Provisioning()
    assert accounts.presence(leaver, at(DAY, 23, 59)) is Presence.ENABLED
    assert accounts.last is not None
    assert accounts.last.next_change == at(DAY + D, 0)
    gone = accounts.see(leaver, at(DAY + D, 0))["directory"].intent
    assert gone.state.presence is Presence.DISABLED
    assert gone.state.groups == frozenset()
    assert not gone.create_missing
    assert {one.code for one in gone.why_not} == {"closed"}


@pytest.mark.parametrize("last_day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
def test_s04_the_last_day_is_whole_also_when_the_clock_changes(last_day: dt.date) -> None:
    leaver = person(work(to=last_day))
    accounts = Provisioning()
    assert accounts.presence(leaver, at(last_day + D, 0) - dt.timedelta(seconds=1)) is Presence.ENABLED
    assert accounts.presence(leaver, at(last_day + D, 0)) is Presence.DISABLED


def test_s05_a_retroactive_end_disables_now_and_its_withdrawal_gives_everything_back() -> None:
    accounts = Provisioning()
    first = accounts.see(person(work()), at(DAY))["directory"]
    assert accounts.presence(person(work(to=DAY - 20 * D)), at(DAY)) is Presence.DISABLED
    again = accounts.see(person(work()), at(DAY + D))["directory"]
    assert again == first


def test_s09_a_marked_person_shows_the_agreed_name_or_the_uid_and_leaves_the_cloud() -> None:
    accounts = Provisioning()
    before = accounts.see(person(work()), at(DAY))
    assert before["cloud"].intent.state.attributes["display_name"] == "Kanariefågel Utpekad"
    marked = accounts.see(person(work(), marking=Marking.SEKRETESSMARKERING), at(DAY))
    inside, cloud = marked["directory"].intent, marked["cloud"].intent
    assert inside.state.presence is Presence.ENABLED
    assert inside.state.uid == before["directory"].intent.state.uid
    assert inside.state.attributes["display_name"] == inside.state.uid
    assert set(inside.state.attributes) == {"display_name", "eppn"}
    assert inside.state.groups == before["directory"].intent.state.groups
    assert cloud.state.presence is Presence.DISABLED
    assert cloud.state.groups == frozenset()
    assert "protected-hosting" in {one.code for one in cloud.why_not}
    agreed = accounts.see(person(work(), marking=Marking.SKYDDAD_FOLKBOKFORING, agreed="Kim A"), at(DAY))
    assert agreed["directory"].intent.state.attributes["display_name"] == "Kim A"


def test_s08_a_person_who_is_marked_from_the_start_is_never_in_the_cloud() -> None:
    for document in (
        person(work(), marking=Marking.UNVERIFIED),
        person(work(), marking=None, restricted=True),
        person(work(), marking=Marking.SEKRETESSMARKERING),
    ):
        assert set(Provisioning().see(document, at(DAY))) == {"directory"}


def test_s11_the_end_of_one_employment_takes_only_what_rested_on_it() -> None:
    both = person(work("e1", to=DAY), work("e2", at_unit=O2, aid="000001", title="Bibliotekarie"))
    accounts = Provisioning()
    assert accounts.groups(both, at(DAY)) == {f"org:{O1}", "role:usk", f"org:{O2}"}
    after = accounts.see(both, at(DAY + D))["directory"].intent.state
    assert after.presence is Presence.ENABLED
    assert after.groups == {f"org:{O2}"}


def test_s12_a_rehire_gets_the_same_account_and_only_the_new_groups() -> None:
    accounts = Provisioning()
    first = accounts.see(person(work(to=DAY)), at(DAY))["directory"]
    accounts.see(person(work(to=DAY)), at(DAY + 20 * D))
    rehired = person(work(to=DAY), work("e3", since=DAY + 30 * D, at_unit=O2, aid="1"))
    again = accounts.see(rehired, at(DAY + 30 * D))["directory"]
    assert again.account == first.account
    assert again.intent.state.groups == {f"org:{O2}"}


def test_s13_a_unit_that_is_not_known_keeps_what_was_and_adds_nothing() -> None:
    accounts = Provisioning(units={key: UNITS[key] for key in (O1, TOP)})
    accounts.see(person(work()), at(DAY))
    moved = accounts.see(person(work(at_unit=O2, title="Enhetschef")), at(DAY + D))["directory"].intent
    assert moved.state.presence is Presence.ENABLED
    assert moved.state.groups == {f"org:{O1}", "role:usk"}
    assert f"{KEPT}:unit-unknown" in {reason.rule for reason in moved.reasons}
    assert accounts.last is not None
    assert O2 in accounts.last.reads
    accounts.units = UNITS
    assert accounts.groups(person(work(at_unit=O2, title="Enhetschef")), at(DAY + D)) == {
        f"org:{O2}",
        "role:usk",
        "role:chef",
        "role:attest-o2-100",
    }


def test_s13_the_end_of_one_employment_takes_its_groups_also_while_the_unit_of_another_is_not_known() -> None:
    accounts = Provisioning()
    accounts.see(person(work("e1", to=DAY)), at(DAY))
    both = person(work("e1", to=DAY), work("e3", since=DAY + D, at_unit="unit:kommun:unheard"))
    after = accounts.see(both, at(DAY + D))["directory"].intent.state
    assert after.presence is Presence.ENABLED
    assert after.groups == frozenset()


def test_s13_a_joiner_in_an_unknown_or_closed_unit_waits_without_an_account() -> None:
    unknown = Provisioning(units={TOP: UNITS[TOP]})
    assert unknown.see(person(work()), at(DAY)) == {}
    closed = Provisioning(units={TOP: UNITS[TOP], O1: unit(O1, to=DAY - D)})
    assert closed.see(person(work()), at(DAY)) == {}
    orphan = Provisioning(units={O1: UNITS[O1]})
    assert orphan.see(person(work()), at(DAY)) == {}


def test_s18_a_deceased_person_is_disabled_at_once_though_hr_knows_nothing() -> None:
    accounts = Provisioning()
    accounts.see(person(work()), at(DAY))
    dead = accounts.see(person(work(), status="deceased"), at(DAY))["directory"].intent
    assert dead.state.presence is Presence.DISABLED
    assert {one.code for one in dead.why_not} == {"deceased"}


def test_s26_on_leave_the_account_stays_and_the_sensitive_role_goes_and_comes_back() -> None:
    away = person(work(leaves=(Leave(DAY, DAY + 299 * D),)))
    accounts = Provisioning()
    assert accounts.groups(away, at(DAY - D)) == {f"org:{O1}", "role:usk"}
    assert accounts.groups(away, at(DAY)) == {f"org:{O1}"}
    assert accounts.presence(away, at(DAY + 299 * D)) is Presence.ENABLED
    assert accounts.groups(away, at(DAY + 300 * D)) == {f"org:{O1}", "role:usk"}


def test_s27_a_withdrawn_hire_is_never_enabled_and_its_staged_account_goes_into_limbo() -> None:
    accounts = Provisioning()
    accounts.see(person(work(since=DAY + 10 * D)), at(DAY))
    withdrawn = person(work(since=DAY + 10 * D, cancelled=True))
    for day in (DAY, DAY + 10 * D, DAY + 40 * D):
        intent = accounts.see(withdrawn, at(day))["directory"].intent
        assert intent.state.presence is Presence.DISABLED
        assert not intent.create_missing


def test_r03_a_new_name_reaches_every_target_and_nothing_else_changes() -> None:
    accounts = Provisioning()
    before = accounts.see(person(work()), at(DAY))
    after = accounts.see(person(work(), family="Nygift"), at(DAY))
    for target in ("directory", "cloud"):
        old, new = before[target].intent.state, after[target].intent.state
        assert new.attributes["family_name"] == "Nygift"
        assert (new.uid, new.groups, new.presence) == (old.uid, old.groups, old.presence)


def test_a_person_who_needs_a_human_decision_keeps_what_was_and_gets_nothing_new() -> None:
    accounts = Provisioning()
    accounts.see(person(work()), at(DAY))
    held = person(work(title="Enhetschef", at_unit=O2), quarantined="number.cycle")
    assert accounts.groups(held, at(DAY)) == {f"org:{O1}", "role:usk"}
    assert Provisioning().see(held, at(DAY)) == {}
    ended = person(work(to=DAY - D), quarantined="number.cycle")
    assert accounts.presence(ended, at(DAY)) is Presence.DISABLED
