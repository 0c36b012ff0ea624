"""Managers who come late, change number, are marked or leave; employees of the municipality and a company of it."""

from __future__ import annotations

from connectors.targets.port import AccountState
from tests.integration.scenarios.conftest import FEMALE, MALE, SIBLING, UNIT, Town, post, row


def states(town: Town, number: str, target: str = "directory") -> list[AccountState]:
    """Every account of a person in a target, oldest first."""
    keys = town.world.readings.account_keys(town.world.readings.person_id(number) or "")
    found = [town.world.targets[target].read(key) for key in keys]
    return [one.state for one in found if one is not None]


def only(town: Town, number: str, target: str = "directory") -> AccountState:
    (found,) = states(town, number, target)
    return found


def test_a_manager_who_comes_after_the_employee_is_filled_in_and_then_nothing_more_is_asked(town: Town) -> None:
    town.say("navet", post(FEMALE, "Anna"))
    town.say("hr", row("E1", FEMALE, manager={"personNumber": MALE}))
    assert "manager" not in only(town, FEMALE).attributes
    town.at("2026-09-02T08:00:00")
    town.say("navet", post(MALE, "Bo"))
    town.say("hr", row("E2", MALE))
    assert only(town, FEMALE).attributes["manager"] == only(town, MALE).key
    start = town.journal_end()
    town.at("2026-09-03T08:00:00")
    assert town.asked(start) == []


def test_a_managers_new_number_asks_nothing_of_the_employees_account(town: Town) -> None:
    town.say("navet", post(FEMALE, "Anna"), post(MALE, "Bo"))
    town.say("hr", row("E2", MALE), row("E1", FEMALE, manager={"personNumber": MALE}))
    manager = only(town, MALE).key
    start = town.journal_end()
    town.at("2026-09-02T08:00:00")
    town.say(
        "navet",
        post(MALE, "Bo", AvregistreringsorsakKod="GN", HanvisningsPersonNr=SIBLING),
        post(SIBLING, "Bo", HanvisningsPersonNr=MALE),
    )
    town.say("hr", row("E1", FEMALE, manager={"personNumber": SIBLING}))
    assert only(town, FEMALE).attributes["manager"] == manager
    assert town.asked(start) == []


def test_a_marked_manager_is_referred_to_by_an_account_that_tells_no_name(town: Town) -> None:
    town.say("navet", post(FEMALE, "Anna"), post(MALE, "Bokanariefågel", "Chefsnamnh"))
    town.say("hr", row("E2", MALE), row("E1", FEMALE, manager={"personNumber": MALE}))
    town.at("2026-09-02T08:00:00")
    town.say("navet", {"PersonNr": MALE, "SkyddadFolkbokforing": "J"})
    assert town.world.readings.leaks.find("Bokanariefågel", "Chefsnamnh") == []
    assert only(town, FEMALE).attributes.get("manager") == only(town, MALE).key


def test_two_managers_of_each_other_settle(town: Town) -> None:
    town.say("navet", post(FEMALE, "Anna"), post(MALE, "Bo"))
    town.say(
        "hr",
        row("E1", FEMALE, manager={"personNumber": MALE}),
        row("E2", MALE, manager={"personNumber": FEMALE}),
    )
    assert only(town, FEMALE).attributes["manager"] == only(town, MALE).key
    assert only(town, MALE).attributes["manager"] == only(town, FEMALE).key
    start = town.journal_end()
    town.at("2026-09-02T08:00:00")
    assert town.asked(start) == []


def test_a_company_of_the_municipality_is_another_account_and_one_end_leaves_the_other_alone(town: Town) -> None:
    town.say("organisation", UNIT | {"orgId": "7", "orgName": "Energi", "companyId": "energi"})
    town.say("navet", post(FEMALE, "Anna"))
    town.say("hr", row("E1", FEMALE), row("E1", FEMALE, companyId="energi", orgId="7"))
    town_account, company_account = states(town, FEMALE)
    assert {one.presence for one in (town_account, company_account)} == {"enabled"}
    assert town_account.uid != company_account.uid
    assert {frozenset(one.groups) for one in (town_account, company_account)} == {
        frozenset({"org:unit:kommun:1100", "role:usk"}),
        frozenset({"org:unit:energi:7", "role:usk"}),
    }
    start = town.journal_end()
    town.at("2026-09-02T08:00:00")
    town.say("hr", row("E1", FEMALE, endDate="2026-09-01"))
    assert {(lane, presence) for lane, _, presence in town.asked(start)} == {("disable", "disabled")}
    assert len(town.asked(start)) == 2
    by_unit = {one.presence: one.groups for one in states(town, FEMALE)}
    assert by_unit == {"disabled": frozenset(), "enabled": frozenset({"org:unit:energi:7", "role:usk"})}


def test_an_employee_of_a_manager_whose_employment_left_the_export_goes_on(town: Town) -> None:
    town.say("navet", post(FEMALE, "Anna"), post(MALE, "Bo"))
    town.say("hr", row("E2", MALE), row("E1", FEMALE, manager={"personNumber": MALE}), total=True)
    town.at("2026-09-02T08:00:00")
    town.say("hr", row("E1", FEMALE, manager={"personNumber": MALE}), total=True)
    assert only(town, MALE).presence == "disabled"
    assert only(town, FEMALE).presence == "enabled"
    assert only(town, FEMALE).groups == {"org:unit:kommun:1100", "role:usk"}
    start = town.journal_end()
    town.at("2026-09-03T08:00:00")
    assert town.asked(start) == []
