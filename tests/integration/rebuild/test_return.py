"""Whoever was erased and is taken in again is there by what sources say anew, and by nothing of what was erased."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from connectors.sources.loads import release_load
from connectors.sources.registry import load_records, reader_of
from connectors.sources.report import Limit, LoadState, Thresholds
from connectors.sources.totals import resume
from deploy.municipality import cast as roles
from deploy.operations.backup import AFTER, dump_schemas, load_schemas
from deploy.operations.bring_back import Why, bring_back
from deploy.operations.compare import differences, stand_of
from deploy.operations.erase import again
from deploy.rulings.sending import Desk
from deploy.wiring import sources
from deploy.wiring.rulings import desk as desk_of
from streams.contracts.claims import Marking
from streams.contracts.errors import Rejected, Unavailable
from streams.contracts.testnumbers import test_number as published_number
from streams.erasures import Erasures
from streams.returns import Returns
from tests.integration.rebuild.test_erase import erased, person_of, rows, settle
from tests.integration.rebuild.test_portable import empty, exported, imported  # noqa: F401  (a fixture)
from tests.integration.rebuild.test_rebuild import rebuilt
from tests.integration.rebuild.test_switch import switched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy.operations.shadow import Shadow
    from deploy.replay.direct import DirectWorld
    from streams.bus import Producer
    from streams.envelope import Message
    from streams.returns import Return
    from tests.stack.town import Town

WHY = Why("KS 2026/0600", "anställd på nytt", "anna", "bo")
UIDS = """
select name from iam.name_ledger join iam.account on id = account
where person_id = %s and kind = 'uid' and name not like '#%%'
"""


def desk(world: DirectWorld, producer: Producer | None = None) -> Desk:
    return desk_of(world.base, world.settings.master, world.readings.reader, producer or world.bus)


def returned(world: DirectWorld, owner: str, why: Why = WHY) -> Return:
    return bring_back(world.base, world.settings.master, world.settings.execute, desk(world), owner, why)


def feed_all(world: DirectWorld, town: Town) -> None:
    """What every source still has."""
    for file in (*town.first, *town.waves, *town.urgent):
        world.feed_file(file.source, file.path)
        world.settle()
    settle(world)


def employments(town: Town) -> list[dict[str, Any]]:
    """As the last wave of the HR system has them."""
    lines = town.waves[-1].path.read_text(encoding="utf-8").splitlines()
    return [one for one in map(json.loads, lines) if "employmentId" in one]


def test_what_sources_still_have_is_there_again_when_they_say_it_and_the_store_made_again_is_equal(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    person, member = person_of(direct_world, town, roles.MOVER), town.cast[roles.MOVER]
    before = direct_world.readings.document(person)
    (name,) = (str(row[0]) for row in rows(direct_world, UIDS, person))
    old = direct_world.readings.account_keys(person)
    erased(direct_world, person)
    settle(direct_world)
    assert returned(direct_world, person).person == person
    settle(direct_world)
    shell = direct_world.readings.document(person)
    assert shell is not None
    assert (shell.marking, shell.names, shell.personas, shell.numbers) == (Marking.UNVERIFIED, (), (), ())
    assert direct_world.readings.leaks.find(*member.canaries, member.number, name) == []
    feed_all(direct_world, town)
    after = direct_world.readings.document(person)
    assert before is not None
    assert after is not None
    assert [one.given for one in after.names] == [one.given for one in before.names]
    assert [one.key for one in after.personas] == [one.key for one in before.personas]
    assert after.marking == before.marking
    (new,) = (str(row[0]) for row in rows(direct_world, UIDS, person))
    assert new != name
    assert direct_world.readings.leaks.find(name) == []
    directory = direct_world.targets["directory"]
    assert [one for one in old if directory.read(one) is not None] == []
    assert [one for one in direct_world.readings.account_keys(person) if directory.read(one) is not None]
    shadow = new_shadow()
    rebuilt(direct_world, shadow)
    assert differences(stand_of(direct_world.base), stand_of(shadow)) == []


@pytest.mark.parametrize(
    ("role", "marking"),
    [
        (roles.MARKED, Marking.SEKRETESSMARKERING),
        (roles.PROTECTED, Marking.SKYDDAD_FOLKBOKFORING),
    ],
)
def test_whoever_was_marked_is_marked_before_anything_else_is_said_of_them(
    direct_world: DirectWorld, town: Town, role: str, marking: Marking
) -> None:
    person, member = person_of(direct_world, town, role), town.cast[role]
    erased(direct_world, person)
    settle(direct_world)
    returned(direct_world, person)
    found = direct_world.readings.document(person)
    assert found is not None, "stored, whether the workers have read the ruling or not"
    assert found.marking is marking
    post = {"PersonNr": member.number, "totalpost": True, "Sekretessmarkering": "N", "SkyddadFolkbokforing": "N"}
    direct_world.feed("navet", [post | {"Fornamn": "Åter", "Efternamn": "Vändare"}], total=False)
    settle(direct_world)
    found = direct_world.readings.document(person)
    assert found is not None
    assert (found.marking, found.names[0].given) == (marking, "Åter")
    assert len(rows(direct_world, "select 1 from mmd.claim where source = 'ruling' and kind = 'protection'")) == 1


class CutOff:
    """In the place of a producer or of a ticker: nothing goes any further."""

    def send(self, message: Message) -> None:
        raise Unavailable("service.unavailable", "cut off")

    def flush(self) -> None:
        raise AssertionError("nothing was sent")

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise Unavailable("service.unavailable", "cut off")


def test_a_return_that_was_cut_off_is_finished_by_doing_it_again(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    person = person_of(direct_world, town)
    erased(direct_world, person)
    settle(direct_world)
    settings = direct_world.settings
    early = replace(direct_world.base, name="cut-off")
    early.__dict__["ticker"] = CutOff()
    with pytest.raises(Unavailable):
        bring_back(early, settings.master, settings.execute, desk(direct_world), person, WHY)
    early.close()
    assert person in Erasures(direct_world.base.keys_pool).owners()
    with pytest.raises(Unavailable):
        bring_back(*(direct_world.base, settings.master, settings.execute, desk(direct_world, CutOff()), person, WHY))
    assert direct_world.bus.log("source.ruling.v1") == ()
    found = returned(direct_world, person)
    settle(direct_world)
    assert returned(direct_world, person) == found
    settle(direct_world)
    assert Returns(direct_world.base.keys_pool).all() == [found]
    assert len(rows(direct_world, "select 1 from mmd.claim where kind = 'return'")) == 1
    feed_all(direct_world, town)
    shadow = new_shadow()
    rebuilt(direct_world, shadow)
    assert differences(stand_of(direct_world.base), stand_of(shadow)) == []


def test_an_erasure_that_was_cut_off_is_carried_out_before_the_return(direct_world: DirectWorld, town: Town) -> None:
    person, member = person_of(direct_world, town), town.cast[roles.LEAVER]
    dump = "create table keep as select * from mmd.claim"
    with direct_world.base.pool.connection() as connection:
        connection.execute(dump.encode())
        subjects = connection.execute("select subject, own_id from mmd.subject where own_id = %s", [person]).fetchall()
    erased(direct_world, person)
    with direct_world.base.pool.connection() as connection:  # as if the store had not forgotten
        with connection.cursor() as cursor:
            cursor.executemany("insert into mmd.subject (subject, own_id) values (%s, %s)", subjects)
        connection.execute(
            "insert into mmd.claim select * from keep where subject = any(%s)", [[s for s, _ in subjects]]
        )
        connection.execute("drop table keep")
    returned(direct_world, person)
    settle(direct_world)
    kinds = "select distinct kind from mmd.claim where subject = any(%s)"
    assert rows(direct_world, kinds, [one for one, _ in subjects]) == [("return",)]
    feed_all(direct_world, town)
    assert direct_world.readings.person_id(member.number) == person


def test_returns_are_decided_once_by_two_persons_of_somebody_erased(direct_world: DirectWorld, town: Town) -> None:
    person, other = person_of(direct_world, town), person_of(direct_world, town, roles.MOVER)
    erased(direct_world, person)
    settle(direct_world)
    for owner, why, code in (
        (other, WHY, "return.not-erased"),
        (person, replace(WHY, approved_by="Anna "), "decision.two-persons"),
        (person, replace(WHY, reason=""), "input.missing"),
        (person, replace(WHY, decision=f"gällande {town.cast[roles.LEAVER].number}"), "input.invalid"),
    ):
        with pytest.raises(Rejected, match=code.replace(".", r"\.")):
            returned(direct_world, owner, why)
    assert person in Erasures(direct_world.base.keys_pool).owners()
    returned(direct_world, person)
    with pytest.raises(Rejected, match=r"return\.not-erased"):
        returned(direct_world, person, replace(WHY, decision="KS 2026/0601"))
    with pytest.raises(Rejected, match=r"decision\.used"):
        erased(direct_world, person)
    erased(direct_world, person, "KS 2026/0700")
    with pytest.raises(Rejected, match=r"decision\.used"):
        returned(direct_world, person)
    settle(direct_world)
    assert direct_world.readings.person_id(town.cast[roles.LEAVER].number) is None
    assert [one.ended_by for one in Erasures(direct_world.base.keys_pool).all()] == ["KS 2026/0600", None]


def test_an_export_takes_along_who_returned_and_who_did_not(
    direct_world: DirectWorld,
    town: Town,
    empty: DirectWorld,  # noqa: F811
    tmp_path: Path,
) -> None:
    person, gone = person_of(direct_world, town, roles.MOVER), person_of(direct_world, town)
    erased(direct_world, person)
    erased(direct_world, gone)
    settle(direct_world)
    returned(direct_world, person)
    feed_all(direct_world, town)
    exported(direct_world, tmp_path / "all.jsonl")
    imported(empty, tmp_path / "all.jsonl")
    empty.settle()
    assert differences(stand_of(direct_world.base), stand_of(empty.base)) == []
    assert empty.readings.document(person) == direct_world.readings.document(person)
    stores = (direct_world.base.keys_pool, empty.base.keys_pool)
    assert len({repr(Returns(pool).all()) for pool in stores}) == 1
    assert len({repr((Erasures(pool).all(), Erasures(pool).owners())) for pool in stores}) == 1
    assert {gone} <= Erasures(empty.base.keys_pool).owners()


def test_a_backup_from_before_the_erasure_brings_back_nothing_that_was_erased_and_the_return_stands(
    direct_world: DirectWorld, town: Town, tmp_path: Path
) -> None:
    person, member = person_of(direct_world, town, roles.MOVER), town.cast[roles.MOVER]
    url = direct_world.base.settings.store_url
    (name,) = (str(row[0]) for row in rows(direct_world, UIDS, person))
    dump_schemas(url, ("mmd", "iam"), tmp_path / "before.dump")
    erased(direct_world, person)
    settle(direct_world)
    read = {topic: len(direct_world.bus.log(topic)) for topic in direct_world.bus.topics()}
    returned(direct_world, person)
    settle(direct_world)
    with psycopg.connect(url) as connection:
        connection.execute("drop schema mmd cascade; drop schema iam cascade")
    load_schemas(url, tmp_path / "before.dump")
    with psycopg.connect(url) as connection:
        connection.execute(AFTER)
    assert again(direct_world.base, direct_world.settings.execute, returned=True) == 1
    late = [one for topic, begin in read.items() for one in direct_world.bus.log(topic)[begin:]]
    for message in late:
        direct_world.bus.send(message)
    settle(direct_world)
    assert again(direct_world.base, direct_world.settings.execute) == 0
    shell = direct_world.readings.document(person)
    assert shell is not None
    assert (shell.names, shell.personas) == ((), ())
    assert direct_world.readings.leaks.find(*member.canaries, name) == []
    feed_all(direct_world, town)
    assert direct_world.readings.person_id(member.number) == person
    assert direct_world.readings.leaks.find(name) == []


def test_somebody_who_got_an_erased_persons_number_joined_to_theirs_is_published_with_the_return(
    direct_world: DirectWorld, town: Town
) -> None:
    """The population register told of a new number while there was no key for the id that the person has by the old one."""
    person, member = person_of(direct_world, town), town.cast[roles.LEAVER]
    erased(direct_world, person)
    settle(direct_world)
    new = town.cast[roles.MOVER].number
    direct_world.feed(
        "navet", [{"PersonNr": new, "totalpost": True, "HanvisningsPersonNr": member.number}], total=False
    )
    settle(direct_world)
    told = [one.value for one in direct_world.bus.log("mmd.person.v1") if one.key == person]
    assert told[-1] is None
    returned(direct_world, person)
    settle(direct_world)
    told = [one.value for one in direct_world.bus.log("mmd.person.v1") if one.key == person]
    assert told[-1] is not None
    found = direct_world.readings.document(person)
    assert found is not None
    assert found.personas


def test_an_account_of_the_past_that_a_target_still_has_is_removed_after_the_store_was_made_again(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    person = person_of(direct_world, town, roles.MOVER)
    old = direct_world.readings.account_keys(person)
    erased(direct_world, person)
    returned(direct_world, person)
    directory = direct_world.targets["directory"]
    assert [one for one in old if directory.read(one) is not None], "no worker has run"
    shadow = new_shadow()
    switched(direct_world, shadow)
    feed_all(direct_world, town)
    for name, target in direct_world.targets.items():
        assert [one for one in old if target.read(one) is not None] == [], name
    found = [one for one in direct_world.readings.account_keys(person) if directory.read(one) is not None]
    assert len(found) == 1


def test_who_returns_to_a_store_that_was_made_again_gets_a_name_that_is_no_digest(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    """The ledger that was made again knows the names of then, and no account of theirs."""
    person = person_of(direct_world, town, roles.MOVER)
    (name,) = (str(row[0]) for row in rows(direct_world, UIDS, person))
    erased(direct_world, person)
    settle(direct_world)
    switched(direct_world, new_shadow())
    returned(direct_world, person)
    feed_all(direct_world, town)
    (new,) = (str(row[0]) for row in rows(direct_world, UIDS, person))
    assert new != name
    (account,) = direct_world.readings.account_keys(person)
    found = direct_world.targets["directory"].read(account)
    assert found is not None
    assert found.state.uid == new


def test_a_person_with_two_numbers_comes_back_as_two_until_the_register_joins_them_again(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    world, member = direct_world, town.cast[roles.MOVER]
    person, new = person_of(world, town, roles.MOVER), published_number(dt.date(1979, 8, 24), "male")
    reference = {"PersonNr": new, "totalpost": True, "HanvisningsPersonNr": member.number}
    world.feed("navet", [reference], total=False)
    settle(world)
    assert world.readings.person_id(new) == person
    old = world.readings.account_keys(person)
    erased(world, person)
    settle(world)
    found = returned(world, world.readings.subject(new))
    assert (len(found.numbers), found.person) == (2, person)
    (job, *_) = (one for one in employments(town) if one["personNumber"] == member.number)
    world.feed("hr", [job | {"employmentId": "E99", "personNumber": new}], total=False)
    world.feed("navet", [{"PersonNr": new, "totalpost": True, "Fornamn": "Åter", "Efternamn": "Ek"}], total=False)
    settle(world)
    other = world.readings.person_id(new)
    assert other not in (None, person)
    assert world.readings.person_id(member.number) == person
    (account,) = (one for one in world.readings.account_keys(str(other)) if one not in old)
    directory = world.targets["directory"]
    assert directory.read(account) is not None
    assert [one for one in old if directory.read(one) is not None] == []
    for joined in (False, True):
        if joined:
            world.feed("navet", [reference], total=False)
            settle(world)
            assert world.readings.person_id(new) == person
            assert account in world.readings.account_keys(person)
            assert directory.read(account) is not None
        shadow = new_shadow()
        rebuilt(world, shadow)
        assert differences(stand_of(world.base), stand_of(shadow)) == []


@pytest.mark.parametrize("crashed", [False, True])
def test_a_load_from_before_the_return_tells_of_the_person_when_it_is_released_or_taken_up_after_a_crash(
    direct_world: DirectWorld, town: Town, crashed: bool
) -> None:
    person, member = person_of(direct_world, town, roles.MOVER), town.cast[roles.MOVER]
    everybody = employments(town)
    mine = [one for one in everybody if one["personNumber"] == member.number]
    edge = sources.edge(direct_world.base, direct_world.bus)
    load_records("hr", everybody, edge, total=True)
    settle(direct_world)
    erased(direct_world, person)
    settle(direct_world)
    edge.thresholds = Thresholds(changed=Limit(0, 0.0))
    changed = [one if one in mine else one | {"title": "handläggare"} for one in everybody]
    held = load_records("hr", changed, edge, total=True)
    assert (held.state, held.reason) == (LoadState.HELD, "load.threshold")
    returned(direct_world, person)
    counted = (
        "select snapshot_count, (select count(*) from connectors.snapshot where source = name) from connectors.source"
    )
    assert all(told == there for told, there in rows(direct_world, counted))
    assert held.load_id is not None
    if crashed:
        publishing = "update connectors.load set state = 'publishing', holds = '' where id = %s returning id"
        assert rows(direct_world, publishing, held.load_id)
        resume(edge, reader_of("hr"))
    else:
        release_load(edge, held.load_id, "anna")
    settle(direct_world)
    found = direct_world.readings.document(person)
    assert found is not None
    assert len(found.personas) == len(mine) > 0
