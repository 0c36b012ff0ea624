"""A store that was made again takes the place of the one in use."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest

from connectors.targets.port import Presence
from deploy.municipality import cast as roles
from deploy.operations.backup import EXECUTE, RESTORED, dump_schemas, load_schemas
from deploy.operations.compare import differences, stand_of
from deploy.operations.erase import erase
from deploy.operations.rebuild import remember
from deploy.operations.shadow import STORES
from deploy.operations.switch import note, put_back, set_aside, take_into_use
from deploy.wiring.groups import GROUPS
from streams.brake import HeldFlows
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.contracts.testnumbers import all_test_numbers
from tests.integration.rebuild.test_rebuild import rebuilt
from tests.stack.town import TODAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from connectors.targets.memory import MemoryTarget
    from deploy.operations.shadow import Shadow
    from deploy.replay.direct import DirectWorld
    from streams.offsets import Offsets
    from tests.stack.town import Town

NOW: Offsets = {group: {topic: {0: 10_000} for topic in topics} for group, topics in GROUPS.items()}


def column(world: DirectWorld, query: str) -> list[object]:
    with world.base.pool.connection() as connection:
        return [row[0] for row in connection.execute(query.encode()).fetchall()]


def switched(world: DirectWorld, shadow: Shadow) -> Offsets:
    note(shadow, rebuilt(world, shadow))
    return put_in_place(world, shadow)


def put_in_place(world: DirectWorld, shadow: Shadow) -> Offsets:
    told: list[Offsets] = []
    catch_up = partial(remember, shadow, world.settings.execute, world.bus.log, world.targets)
    assert take_into_use(world.base.settings, shadow, NOW, told.append, catch_up) == ["iam_replaced", "mmd_replaced"]
    return told[0]


def nothing() -> None:
    """Was decided since the store was made."""


def settle(world: DirectWorld) -> None:
    """What waited because a protected person's key was just renewed is tried again at once."""
    world.settle()
    for name in world.targets:
        world.target(name, "up")
    world.settle()


def present(target: MemoryTarget, account: object) -> Presence | None:
    found = target.read(str(account))
    return found.state.presence if found else None


def calls(world: DirectWorld) -> list[tuple[str, str]]:
    return [call for target in world.targets.values() for call in target.calls if call[0] == "ensure"]


def test_the_same_state_goes_on_under_a_new_epoch_and_no_account_is_touched(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    before, epoch = stand_of(direct_world.base), column(direct_world, "select number from mmd.epoch")
    journal = column(direct_world, "select id from iam.journal order by id")
    observed = column(direct_world, "select (account, target, presence, digest)::text from iam.observed order by 1")
    places = switched(direct_world, new_shadow())
    assert set(places) == {"ingest-bulk", "ingest-urgent"}
    assert places["ingest-bulk"]["source.person.v1"] == {0: len(direct_world.bus.log("source.person.v1"))}
    assert places["ingest-bulk"]["source.account.v1"][0] > 0
    began = len(calls(direct_world))
    assert RESTORED in HeldFlows(direct_world.base.keys_pool).read(EXECUTE)
    settle(direct_world)
    assert column(direct_world, "select number from mmd.epoch")[0] > epoch[0]  # type: ignore[operator]
    assert differences(before, stand_of(direct_world.base)) == []
    assert calls(direct_world)[began:] == []
    after = column(direct_world, "select (account, target, presence, digest)::text from iam.observed order by 1")
    assert after == observed
    assert column(direct_world, "select id from iam.journal order by id")[: len(journal)] == journal


def test_the_next_change_reaches_every_account_after_it(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    switched(direct_world, new_shadow())
    direct_world.set_clock(TODAY + dt.timedelta(days=400))
    for file in town.waves[-1:]:
        text = file.path.read_text(encoding="utf-8").replace("handläggare 2", "handläggare 3")
        file.path.write_text(text.replace('"sequence":3', '"sequence":5').replace("2025-09-03", "2025-09-23"))
        direct_world.feed_file(file.source, file.path)
    direct_world.settle()
    titles = {one.state.attributes.get("title") for one in direct_world.targets["directory"].read_all()}
    assert "handläggare 3" in titles


def test_what_was_decided_between_the_rebuild_and_the_switch_is_not_lost(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    """Somebody comes and leaves again while a target is away, and somebody is erased."""
    shadow = new_shadow()
    found = rebuilt(direct_world, shadow)
    note(shadow, found)
    unit = direct_world.readings.reader.units()[0].id.rpartition(":")[2]
    row = {"employmentId": "Z1", "personNumber": list(all_test_numbers())[-1], "orgId": unit, "startDate": "2025-01-01"}
    direct_world.feed("hr", [row], total=False)
    direct_world.settle()
    (account,) = column(direct_world, "select id::text from iam.account order by created_at desc limit 1")
    directory = direct_world.targets["directory"]
    assert present(directory, account) is Presence.ENABLED
    direct_world.target("directory", "down")
    direct_world.set_clock(TODAY + dt.timedelta(days=3))
    direct_world.feed("hr", [row | {"endDate": "2025-01-31"}], total=False)
    person = direct_world.readings.person_id(town.cast[roles.LEAVER].number)
    assert person is not None
    erased = direct_world.readings.account_keys(person)
    erase(direct_world.base, direct_world.settings.execute, person, "KS 2026/0500", "anna", "bo")
    direct_world.settle()
    later = [
        message
        for topic, (place,) in ((topic, places.values()) for topic, places in found.next_offsets.items())
        for message in direct_world.bus.log(topic)[place:]
    ]
    directory.come_up()
    put_in_place(direct_world, shadow)
    for message in later:  # the workers go on where the rebuild ended
        direct_world.bus.send(message)
    settle(direct_world)
    assert present(directory, account) is Presence.DISABLED
    assert [one for one in erased if directory.read(one) is not None] == []
    names = "select count(*) from iam.name_ledger where account::text = any(%s) and name not like '#%%'"
    with direct_world.base.pool.connection() as connection:
        assert connection.execute(names.encode(), [erased]).fetchone() == (0,)
    assert direct_world.readings.reader.claims(person) == []
    assert direct_world.readings.leaks.find(*town.cast[roles.LEAVER].canaries) == []


def test_a_store_that_was_not_made_to_its_end_is_not_taken(
    direct_world: DirectWorld, new_shadow: Callable[[], Shadow]
) -> None:
    with pytest.raises(Rejected, match="not made again to its end|no store that was made again"):
        take_into_use(direct_world.base.settings, new_shadow(), NOW, lambda _: None, nothing)
    assert column(direct_world, "select count(*) from mmd.epoch") == [1]


def test_what_cannot_be_put_in_place_leaves_the_old_store_as_it_was(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow], tmp_path: object
) -> None:
    """A table that is in the way of the new one, say."""
    before, shadow = stand_of(direct_world.base), new_shadow()
    note(shadow, rebuilt(direct_world, shadow))
    with shadow.pool.connection() as connection:  # refers to what the store in use does not have
        connection.execute("create schema other; create domain other.text as text")
        connection.execute("create table mmd.more (one other.text)")
    with pytest.raises(Unavailable):
        take_into_use(direct_world.base.settings, shadow, NOW, lambda _: None, nothing)
    assert differences(before, stand_of(direct_world.base)) == []


def test_a_switch_that_fails_at_its_end_leaves_the_old_store_as_it_was_too(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    """Something that is taken along does not fit into the new store."""
    before, shadow = stand_of(direct_world.base), new_shadow()
    note(shadow, rebuilt(direct_world, shadow))
    with shadow.pool.connection() as connection:
        connection.execute("alter table mmd.disclosure drop column occasion")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        take_into_use(direct_world.base.settings, shadow, NOW, lambda _: None, nothing)
    assert differences(before, stand_of(direct_world.base)) == []


@pytest.mark.parametrize("loaded", [False, True], ids=["set aside", "loaded"])
def test_a_switch_that_was_killed_is_typed_again_and_nothing_of_the_old_store_is_lost(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow], tmp_path: Path, loaded: bool
) -> None:
    """Between putting the old store aside and loading the new one, and between that and the last step."""
    before, shadow, settings = stand_of(direct_world.base), new_shadow(), direct_world.base.settings
    journal = column(direct_world, "select count(*) from iam.journal where kind = 'intent'")
    note(shadow, rebuilt(direct_world, shadow))
    set_aside(settings, ["iam_replaced", "mmd_replaced"])
    if loaded:
        dump_schemas(shadow.settings.store_url, STORES, tmp_path / "stores.dump")
        load_schemas(settings.store_url, tmp_path / "stores.dump")
    assert take_into_use(settings, shadow, NOW, lambda _: None, nothing) == ["iam_replaced", "mmd_replaced"]
    began = len(calls(direct_world))
    settle(direct_world)
    assert differences(before, stand_of(direct_world.base)) == []
    assert calls(direct_world)[began:] == []
    assert column(direct_world, "select count(*) from iam.journal where kind = 'intent'") == journal
    assert not put_back(settings), "the switch is at its end"


def test_two_switches_at_once_are_one(direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]) -> None:
    shadow, settings = new_shadow(), direct_world.base.settings
    note(shadow, rebuilt(direct_world, shadow))

    def meanwhile(_: Offsets) -> None:
        with pytest.raises(Unavailable, match="another switch"):
            take_into_use(settings, shadow, NOW, lambda _: None, nothing)

    assert take_into_use(settings, shadow, NOW, meanwhile, nothing) == ["iam_replaced", "mmd_replaced"]


def test_a_store_of_another_version_is_not_taken(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    shadow = new_shadow()
    note(shadow, rebuilt(direct_world, shadow))
    with shadow.pool.connection() as connection:
        connection.execute("update iam.alembic_version set version_num = 'iam_9999'")
    with pytest.raises(KallanError, match=r"schema\.older: iam"):
        take_into_use(direct_world.base.settings, shadow, NOW, lambda _: None, nothing)


def test_a_second_switch_waits_until_what_the_first_kept_is_dropped(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    switched(direct_world, new_shadow())
    shadow = new_shadow()
    note(shadow, rebuilt(direct_world, shadow))
    with pytest.raises(Rejected, match="iam_replaced, mmd_replaced"):
        take_into_use(direct_world.base.settings, shadow, NOW, lambda _: None, nothing)


def test_lost_stores_are_made_again_with_nothing_but_log_keys_and_targets(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    before, shadow = stand_of(direct_world.base), new_shadow()
    with psycopg.connect(direct_world.base.settings.store_url) as connection:
        connection.execute("drop schema mmd cascade; drop schema iam cascade")
    note(shadow, rebuilt(direct_world, shadow))
    assert take_into_use(direct_world.base.settings, shadow, NOW, lambda _: None, nothing) == []
    began = len(calls(direct_world))
    settle(direct_world)
    assert differences(before, stand_of(direct_world.base)) == []
    assert calls(direct_world)[began:] == []
