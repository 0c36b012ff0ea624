"""Of two accounts of one person the enabled one is read; between two scenarios everything goes that one could hold."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from connectors.targets.port import AccountState, Presence
from deploy.operations.erase import erase
from deploy.replay.expectations import Baseline, check
from deploy.replay.scenario import Expectation, Scenario, ThingExpectation
from deploy.replay.wipe import wipe
from streams.contracts.errors import Rejected
from streams.contracts.testnumbers import test_number as number_of

if TYPE_CHECKING:
    from deploy.replay.direct import DirectWorld

ANNA = number_of(dt.date(1985, 3, 2), "female")
ROW = {"startDate": "2024-02-01", "title": "undersköterska", "aid": "207008", "orgId": "1100", "personNumber": ANNA}


def employed(world: DirectWorld) -> str:
    world.set_clock(dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC))
    world.feed("organisation", [{"orgId": "1100", "orgName": "Norr", "nodeFrom": "2020-01-01"}], total=False)
    world.feed("navet", [{"PersonNr": ANNA, "totalpost": True, "Fornamn": "Anna", "Efternamn": "Ek"}], total=False)
    world.feed("hr", [{"employmentId": "E1"} | ROW], total=False)
    world.settle()
    found = world.readings.person_id(ANNA)
    assert found is not None
    return found


def test_of_two_accounts_of_a_person_the_enabled_one_is_read(direct_world: DirectWorld) -> None:
    person, directory = employed(direct_world), direct_world.targets["directory"]
    (older,) = direct_world.readings.account_keys(person)
    before = directory.read(older)
    assert before is not None
    younger = str(UUID(int=7))
    directory.ensure(AccountState(younger, Presence.ENABLED, uid="u-other"))
    directory.ensure(AccountState(older, Presence.DISABLED, uid=before.state.uid))
    with direct_world.base.pool.connection() as connection:
        connection.execute(
            "create temp table other as select * from iam.account where id = %(old)s;", {"old": older}, prepare=False
        )
        connection.execute("update other set id = %s, created_at = created_at + interval '1 day'", [younger])
        connection.execute("insert into iam.account select * from other")
    found = direct_world.readings.account(ANNA, "directory")
    assert found is not None
    assert (found.state.key, found.state.presence) == (younger, Presence.ENABLED)


def test_nothing_of_a_scenario_is_left_for_the_next(direct_world: DirectWorld) -> None:
    person, base = employed(direct_world), direct_world.base
    base.dead_letters.add("ingest-bulk", direct_world.bus.log("source.person.v1")[0], Rejected("stamp.missing"))
    with base.keys_pool.connection() as connection:
        connection.execute("insert into streams.brake values ('ingest-bulk', 'source.person.v1', 'navet', 'a.b', 50)")
    erase(base, direct_world.settings.execute, person, "KS 1", "anna", "bo")
    wipe(base.pool, direct_world.targets)
    with base.keys_pool.connection() as connection:
        for table in (
            "streams.brake",
            "streams.dead_letter",
            "streams.erasure",
            "streams.returned",
            "mmd.document",
            "iam.account",
            "connectors.snapshot",
        ):
            assert connection.execute(f"select count(*) from {table}").fetchone() == (0,), table  # noqa: S608
    assert [observed for target in direct_world.targets.values() for observed in target.read_all()] == []


def test_an_expectation_about_a_group_or_place_that_does_not_hold_is_told(direct_world: DirectWorld) -> None:
    direct_world.set_clock(dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC))
    row = {"groupId": "4B", "groupName": "4B", "groupFrom": "2026-08-01"}
    direct_world.feed("groups", [row], total=False)
    direct_world.settle()
    key = "group:kommun:4B"
    want = Expectation(
        things={
            key: ThingExpectation("attendance", has={"name": "4C", "members": "anna", "colour": "blue"}),
            "group:kommun:4C": ThingExpectation("attendance"),
            "group:kommun:4D": ThingExpectation("nobody"),
        }
    )
    scenario = Scenario(id="x", title="x", start=dt.datetime(2026, 9, 1, tzinfo=dt.UTC), cast={}, steps=[])
    told, _ = check(want, scenario, direct_world.readings, Baseline.of(direct_world.readings))
    assert told == [
        f"{key} seen by attendance: there is nothing called colour to see",
        f"{key} seen by attendance: name: want '4C', got '4B'",
        f"{key} seen by attendance: members: want 'anna', got ''",
        f"{key} seen by attendance: colour: want 'blue', got None",
        "group:kommun:4C seen by attendance: want known True",
        "group:kommun:4D seen by nobody: there is no such release",
    ]
    right = Expectation(things={key: ThingExpectation("attendance", has={"name": "4B", "members": ""})})
    assert check(right, scenario, direct_world.readings, Baseline.of(direct_world.readings))[0] == []
