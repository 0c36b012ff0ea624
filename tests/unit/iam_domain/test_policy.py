"""A policy is data that is refused with the path of its first mistake."""

import copy
from typing import Any

import pytest

from iam.domain.bases import bases
from iam.domain.conditions import WHY_NOT
from iam.domain.policy import Policy
from iam.domain.world import World
from streams.contracts.claims import Leave
from streams.contracts.errors import Rejected
from tests.unit.iam_domain.making import DAY, O1, O2, POLICY_DATA, TOP, UNITS, Provisioning, at, person, work


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(POLICY_DATA)
    place: Any = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("versoin",), "1", "versoin"),
        (("lead_days",), -1, "$.lead_days"),
        (("targets", "directory", "classification"), "", "$.targets"),
        (("targets", "directory", "hosting"), "moon", "$.targets"),
        (("accounts", 0, "targets"), ["mars"], "$.accounts[0].targets"),
        (("accounts", 0, "targets"), [], "$.accounts[0].targets"),
        (("accounts", 0, "persona"), "king", "$.accounts[0].persona"),
        (("grants", 1, "when"), {"aidd": ["2"]}, "$.grants[1].when"),
        (("grants", 1, "id"), "org", "$.grants[1].id"),
        (("grants", 1, "groups"), [], "$.grants[1].groups"),
        (("grants", 1, "groups"), ["usk"], "$.grants[1].groups"),
        (("grants", 1, "groups"), ["role:a,b"], "$.grants[1].groups"),
        (("grants", 1, "groups"), ["role:{title}"], "$.grants[1].groups"),
        (("grants", 1, "persona"), "pupil", "$.grants[1].groups"),
        (("grants", 1, "valid_from"), "soon", "$.grants[1].valid_from"),
        (("masked",), ["family_name"], "$.masked"),
        (("attributes",), ["shoe_size"], "$.attributes"),
    ],
)
def test_a_mistake_is_refused_with_its_path(path: tuple[str | int, ...], value: Any, said: str) -> None:
    with pytest.raises(Rejected) as refused:
        Policy.from_data(changed(path, value))
    assert refused.value.code == "input.invalid"
    assert said in refused.value.detail


def test_a_rule_that_ends_before_it_begins_is_refused() -> None:
    data = changed(("grants", 1, "valid_from"), "2026-10-02")
    data["grants"][1]["valid_to"] = "2026-10-01"
    with pytest.raises(Rejected, match="the end is before the start"):
        Policy.from_data(data)


def test_a_rule_with_dates_holds_on_its_first_and_last_day_only_and_they_are_looked_at_again() -> None:
    data = changed(("grants", 1, "valid_from"), "2026-10-02")
    data["grants"][1]["valid_to"] = "2026-10-03"
    accounts = Provisioning(Policy.from_data(data))
    usk = person(work())
    had = [
        "role:usk" in accounts.groups(usk, at(day))
        for day in (DAY, DAY.replace(day=2), DAY.replace(day=3), DAY.replace(day=4))
    ]
    assert had == [False, True, True, False]
    accounts.see(usk, at(DAY))
    assert accounts.last is not None
    assert accounts.last.next_change == at(DAY.replace(day=2), 0)


def test_fingerprints_are_equal_exactly_for_equal_policies() -> None:
    assert Policy.from_data(POLICY_DATA).fingerprint == Policy.from_data(copy.deepcopy(POLICY_DATA)).fingerprint
    assert Policy.from_data(changed(("lead_days",), 7)).fingerprint != Policy.from_data(POLICY_DATA).fingerprint


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ({"units": [TOP]}, True),
        ({"units": [O1]}, True),
        ({"units": [O2]}, False),
        ({"aid": ["2070*"]}, True),
        ({"aid": ["20700"]}, False),
        ({"titles": ["UNDERSKÖTERSKA"]}, True),
        ({"employers": ["bolaget"]}, False),
        ({"statuses": ["emigrated"]}, False),
        ({"statuses": ["registered"], "aid": ["207008"]}, True),
        ({"aid_responsibility": ["A"]}, False),
        ({"forms": ["tillsvidare"]}, False),
    ],
)
def test_conditions_must_all_hold_and_an_empty_value_matches_nothing(when: dict[str, Any], matches: bool) -> None:
    policy = Policy.from_data(changed(("grants", 1, "when"), when))
    found = Provisioning(policy).see(person(work()), at(DAY))["directory"].intent
    assert ("role:usk" in found.state.groups) == matches
    assert ("usk" in {why.rule for why in found.why_not}) != matches


def test_suspending_leave_disables_the_account_and_keeps_it_in_being() -> None:
    policy = Policy.from_data(changed(("accounts", 0, "leave"), "suspend"))
    found = Provisioning(policy).see(person(work(leaves=(Leave(DAY),))), at(DAY))["directory"].intent
    assert found.state.presence.value == "disabled"
    assert found.create_missing


def test_a_cloud_target_may_be_cleared_for_restricted_persons_by_decision() -> None:
    policy = Policy.from_data(changed(("targets", "cloud", "protected"), "allowed"))
    found = Provisioning(policy).see(person(work(), restricted=True), at(DAY))
    assert found["cloud"].intent.state.attributes == {
        "display_name": found["cloud"].intent.state.uid,
        "eppn": f"{found['cloud'].intent.state.uid}@kommun.test",
    }


def test_a_persona_without_a_rule_has_no_account() -> None:
    policy = Policy.from_data(changed(("accounts", 0, "persona"), "consultant"))
    assert bases(person(work()), World(UNITS), policy, DAY) == ((), ())


def test_every_reason_why_not_has_a_text_in_both_languages() -> None:
    assert all(en and sv and en != sv for en, sv in WHY_NOT.values())
