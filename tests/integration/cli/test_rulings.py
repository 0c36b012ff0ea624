"""`kallan merge`, `split` and `protection`: a preview that does nothing, two persons, and what is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deploy.rulings import identity, protection
from deploy.rulings.rehearsal import rehearse
from deploy.rulings.sending import Desk, Grounds
from deploy.wiring.rulings import desk as desk_of
from mmd.domain.register import SourceRegister
from mmd.store.hash import state_hash
from streams.clock_row import set_clock
from streams.contracts.claims import Marking
from streams.contracts.errors import Rejected
from streams.contracts.testnumbers import test_number as published_number
from tests.integration.cli.conftest import ANNA, BO, NOW, SECRET_NAME, STRANGER

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Kallan, Town

DIRK = published_number(dt.date(1992, 5, 17), "male")
TWO = ("--evidence", "dnr 1", "--asked-by", "karin", "--approved-by", "omar")
GROUNDS = Grounds("dnr 1", "karin", "omar")
LATER = NOW + dt.timedelta(days=1)


@pytest.fixture
def dirk(town: Town) -> str:
    """A colleague of Anna's."""
    town.world.feed("navet", [{"PersonNr": DIRK, "totalpost": True, "Fornamn": "Dirk", "Efternamn": "Ek"}], total=False)
    job = {"startDate": "2024-02-01", "title": "lärare", "orgId": "1100", "extentPercent": 100}
    town.world.feed("hr", [{"employmentId": "E7", "personNumber": DIRK} | job], total=False)
    town.world.settle()
    found = town.world.readings.person_id(DIRK)
    assert found is not None
    return found


def desk(town: Town) -> Desk:
    world = town.world
    return desk_of(world.base, world.settings.master, world.readings.reader, world.bus)


def everything(town: Town) -> tuple[object, ...]:
    base = town.world.base
    with base.pool.connection() as connection:
        rows = [
            connection.execute(f"select count(*), max({column}::text) from {table}".encode()).fetchone()
            for table, column in (("mmd.claim", "id"), ("mmd.dirty", "number"), ("iam.desired", "version"))
        ]
    return state_hash(base.pool, base.keys), rows


def test_a_merge_is_only_told_of_before_somebody_says_yes(kallan: Kallan, town: Town, dirk: str) -> None:
    before = everything(town)
    ran = kallan("merge", dirk, town.anna, *TWO)
    assert ran.code == 0, ran.err
    assert f"person {dirk} lives on as {town.anna}" in ran.out
    assert f"becomes {town.anna}'s" in ran.out
    assert "Nothing was done" in ran.out
    assert everything(town) == before


def test_what_a_merge_would_do_is_what_it_does(kallan: Kallan, town: Town, dirk: str) -> None:
    told = kallan("merge", dirk, town.anna, *TWO, "--json").data["consequences"]
    made = desk(town)
    made.send(identity.merge(made, dirk, town.anna, GROUNDS))
    town.world.settle()
    (person,) = (one for one in told["persons"] if one["person"] == town.anna)
    document = town.world.readings.document(town.anna)
    assert document is not None
    assert (person["personas"], person["marking"]) == (len(document.personas), "none")
    moved = {one["account"] for one in told["accounts"] if one["moves_to"] == town.anna}
    assert moved
    assert moved < set(town.world.readings.account_keys(town.anna))
    parted = kallan("split", dirk, *TWO, "--json").data["consequences"]
    assert {one["person"] for one in parted["persons"]} == {town.anna, dirk}
    assert {one["account"] for one in parted["accounts"] if one["moves_to"] == dirk} == moved


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--evidence", "dnr 1", "--asked-by", "karin", "--approved-by", "Karin"), "decision.two-persons"),
        (("--evidence", " ", "--asked-by", "karin", "--approved-by", "omar"), "input.missing"),
        (("--evidence", f"samtal om {STRANGER}", "--asked-by", "karin", "--approved-by", "omar"), "input.invalid"),
    ],
)
def test_one_person_alone_or_without_evidence_joins_nobody(
    kallan: Kallan, town: Town, dirk: str, options: tuple[str, ...], code: str
) -> None:
    ran = kallan("merge", dirk, town.anna, *options)
    assert ran.code == 2
    assert code in ran.err
    assert STRANGER not in ran.err


def test_who_is_or_was_protected_is_merged_with_nobody_by_hand(kallan: Kallan, town: Town, dirk: str) -> None:
    for pair in ((town.bo, town.anna), (town.anna, town.bo)):
        ran = kallan("merge", *pair, *TWO)
        assert (ran.code, "ruling.marked" in ran.err) == (2, True)
    made = desk(town)
    made.send(protection.propose(made, town.bo, "dnr 2", "karin", every_raise=True))
    town.world.settle()
    (case,) = protection.queue(made)
    made.send(protection.approve(made, case.proposals[0].name, "omar"))
    town.world.settle()
    document = town.world.readings.document(town.bo)
    assert document is not None
    assert document.marking is Marking.NONE
    assert "ruling.marked" in kallan("merge", town.bo, dirk, *TWO).err


def test_where_the_source_register_lets_nobody_rule_a_ruling_is_refused_and_not_sent(town: Town, dirk: str) -> None:
    made = replace(desk(town), register=SourceRegister.from_data({"designations": []}))
    with pytest.raises(Rejected, match=r"source\.undesignated"):
        identity.merge(made, dirk, town.anna, GROUNDS)


def test_a_split_where_nothing_was_merged_is_refused(kallan: Kallan, town: Town) -> None:
    assert "ruling.nothing" in kallan("split", town.anna, *TWO).err


def test_a_number_on_the_command_line_is_refused(kallan: Kallan, town: Town) -> None:
    assert town.anna
    ran = kallan("merge", STRANGER, STRANGER, *TWO)
    assert ran.code == 2
    assert STRANGER not in ran.out + ran.err


def test_the_queue_holds_whom_a_source_has_taken_back_and_nobody_else(kallan: Kallan, town: Town) -> None:
    assert kallan("protection", "list", "--json").data == []
    (case,) = kallan("protection", "list", "--all", "--json").data
    assert (case["person"], case["raises"], case["taken_back"]) == (town.bo, 1, 0)
    post = {"PersonNr": BO, "totalpost": True, "Fornamn": "Bo", "Efternamn": SECRET_NAME}
    town.world.feed("navet", [post], total=False)
    town.world.settle()
    (case,) = kallan("protection", "list", "--json").data
    assert (case["person"], case["marking"], case["taken_back"]) == (town.bo, "sekretessmarkering", 1)
    assert SECRET_NAME not in kallan("protection", "list").out


def test_an_approval_is_only_told_of_before_somebody_says_yes_and_never_by_who_asked(
    kallan: Kallan, town: Town
) -> None:
    made = desk(town)
    made.send(protection.propose(made, town.bo, "dnr 2", "karin", every_raise=True))
    town.world.settle()
    (case,) = kallan("protection", "list", "--json").data
    (proposal,) = case["proposals"]
    assert "decision.two-persons" in kallan("protection", "approve", proposal["name"], "--by", "karin").err
    ran = kallan("protection", "approve", proposal["name"], "--by", "omar")
    assert f"person {town.bo}: 1 personas, marking none" in ran.out
    document = town.world.readings.document(town.bo)
    assert document is not None
    assert document.marking is Marking.SEKRETESSMARKERING
    assert "resource.unknown" in kallan("protection", "approve", "lift-0", "--by", "omar").err


def test_the_disclosure_report_tells_who_had_what_before_the_first_raise_and_no_value(
    kallan: Kallan, town: Town
) -> None:
    assert kallan("person", "show", town.anna).code == 0
    before = kallan("protection", "report", town.anna, "--json").data
    assert before["raised_at"] is None
    town.world.set_clock(LATER)
    post = {"PersonNr": ANNA, "totalpost": True, "Sekretessmarkering": "J", "Fornamn": "Anna Maria", "Efternamn": "Ek"}
    town.world.feed("navet", [post], total=False)
    town.world.settle()
    set_clock(town.world.base.keys_pool, LATER + dt.timedelta(minutes=5))
    assert kallan("person", "show", town.anna).code == 0
    found = kallan("protection", "report", town.anna, "--json").data
    assert dt.datetime.fromisoformat(found["raised_at"]) == LATER
    (reader,) = (one for one in found["readers"] if one["occasion"] == "command")
    assert (reader["release"], reader["before"], reader["since"]) == ("operator", 1, 1)
    assert "names" in reader["attributes"]
    had = {one["target"]: one for one in found["targets"]}
    assert set(had) == {"directory", "collaboration"}
    assert "given_name" in had["directory"]["attributes"]
    assert (had["directory"]["now"], had["collaboration"]["now"]) == ("enabled", "disabled")
    told = kallan("protection", "report", town.anna).out
    assert "Anna" not in told
    assert "Ek" not in told
    assert kallan("protection", "report", "00000000-0000-8000-8000-000000000000").code == 1


def test_a_rehearsal_of_what_ingest_refuses_tells_so_and_leaves_nothing(town: Town, dirk: str) -> None:
    made = desk(town)
    (record,) = identity.merge(made, dirk, town.anna, GROUNDS)
    alone = type(record)(record.source, "", record.version, record.subject, record.claims)
    before = everything(town)
    settings = town.world.settings
    with pytest.raises(Rejected):
        rehearse(town.world.base, settings.master, settings.execute, made.messages([alone]))
    assert everything(town) == before


def test_the_number_of_the_one_who_is_gone_still_finds_the_person(town: Town, dirk: str) -> None:
    made = desk(town)
    made.send(identity.merge(made, dirk, town.anna, GROUNDS))
    town.world.settle()
    assert town.world.readings.person_id(DIRK) == town.world.readings.person_id(ANNA) == town.anna
