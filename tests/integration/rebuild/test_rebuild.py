"""A store that is made again from the log alone: the same ids, hashes and names, and nobody unmasked on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.operations.compare import differences, stand_of
from deploy.operations.rebuild import rebuild
from deploy.operations.shadow import make_empty
from deploy.replay.run import run_scenario
from deploy.replay.scenario import read_scenario
from mmd.store.sealed import open_documents
from streams.contracts.claims import Marking
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.operations.rebuild import Rebuilt
    from deploy.operations.shadow import Shadow
    from deploy.replay.direct import DirectWorld
    from deploy.wiring.base import Base
    from tests.stack.town import Town

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def rebuilt(
    world: DirectWorld, shadow: Shadow, moved: Callable[[int], None] = lambda _: None, most: int = 500
) -> Rebuilt:
    settings = world.settings
    return rebuild(shadow, settings.master, settings.execute, world.bus.log, world.targets, moved, most=most)


def persons_in(store: Base) -> dict[str, PersonDocument]:
    with store.pool.connection() as connection:
        rows = connection.execute("select id, kind, key_id, body from mmd.document where kind = 'person'").fetchall()
    found = open_documents(store.keys, rows).whole()
    return {one: document for one, document in found.items() if isinstance(document, PersonDocument)}


def test_master_accounts_names_and_what_is_desired_are_the_same_again(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    shadow = new_shadow()
    found = rebuilt(direct_world, shadow)
    old, new = stand_of(direct_world.base), stand_of(shadow)
    assert differences(old, new) == []
    assert new.hash == old.hash
    assert new.counts["person"] > 15
    assert len([one for one in new.things if one[0] == "name"]) > 10
    assert found.events == sum(len(direct_world.bus.log(topic)) for topic in found.next_offsets)
    assert not found.refused


def test_no_target_is_called_nothing_is_published_and_no_key_changes_meanwhile(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    def outside() -> tuple[object, ...]:
        with direct_world.base.keys_pool.connection() as connection:
            keys = connection.execute("select * from streams.data_key order by 1, 2, 3").fetchall()
        calls = [call for target in direct_world.targets.values() for call in target.calls if call[0] != "read_all"]
        return keys, calls, [len(direct_world.bus.log(topic)) for topic in direct_world.bus.topics()]

    before = outside()
    rebuilt(direct_world, new_shadow())
    assert outside() == before


def test_whoever_is_marked_in_the_end_is_never_in_the_new_store_without_that_marking_but_bare(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    shadow = new_shadow()
    marked = {
        one: document.marking
        for one, document in persons_in(direct_world.base).items()
        if document.marking in (Marking.SEKRETESSMARKERING, Marking.SKYDDAD_FOLKBOKFORING)
    }
    assert len(marked) >= 2
    seen: list[tuple[str, bool]] = []

    def look(_events: int) -> None:
        for one, document in persons_in(shadow).items():
            if one in marked:
                bare = not (document.names or document.birth or document.registered_addresses or document.personas)
                seen.append((one, bare))
                assert bare or document.marking is marked[one], document.marking

    rebuilt(direct_world, shadow, look, most=3)
    assert {one for one, bare in seen if not bare} == set(marked)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "s09_marked_after_leaving",
            "s12_rehire",
            "s15_personnummer_change",
            "s18_death",
            "s19_number_corrected_by_hr",
        ),
        *("s10_lift_by_the_officer", "s19_wrong_merge_and_split", "r02_three_personas", "s13_reorganisation"),
        "r05_class_and_place",
    ],
)
def test_a_story_told_again_from_its_log_ends_as_it_did(
    direct_world: DirectWorld, new_shadow: Callable[[], Shadow], name: str
) -> None:
    assert run_scenario(read_scenario(SCENARIOS / f"{name}.yml"), direct_world, SCENARIOS).good
    shadow = new_shadow()
    rebuilt(direct_world, shadow)
    assert differences(stand_of(direct_world.base), stand_of(shadow)) == []


def test_an_account_that_only_the_ledger_knows_keeps_its_name_for_ever(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    """Also that of somebody whose employment is over: nobody else gets it, and rehired the person has it back."""
    with direct_world.base.pool.connection() as connection:
        names = connection.execute("select kind, name, account from iam.name_ledger order by 1, 2").fetchall()
    shadow = new_shadow()
    rebuilt(direct_world, shadow)
    with shadow.pool.connection() as connection:
        again = connection.execute("select kind, name, account from iam.name_ledger order by 1, 2").fetchall()
    assert again == names


def test_what_differs_is_told_by_id_and_nothing_else(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    shadow = new_shadow()
    rebuilt(direct_world, shadow)
    person = min(persons_in(shadow))
    with shadow.pool.connection() as connection:
        connection.execute("delete from mmd.document where id = %s", [person])
        (account,) = connection.execute("delete from iam.name_ledger where kind = 'eppn' returning account").fetchall()[
            0
        ]
    found = differences(stand_of(direct_world.base), stand_of(shadow))
    assert ("person", person, "missing") in [(one.what, one.id, one.how) for one in found]
    assert ("name", str(account), "differs") in [(one.what, one.id, one.how) for one in found]
    assert {one.how for one in differences(stand_of(shadow), stand_of(direct_world.base))} == {"new", "differs"}


def test_nothing_is_ever_rebuilt_over_a_store(direct_world: DirectWorld) -> None:
    name = direct_world.base.settings.database_url.rpartition("/")[2]
    with pytest.raises(Rejected, match=r"input\.invalid: the database holds connectors, iam, mmd, streams already"):
        make_empty(direct_world.base.settings, name)
    with pytest.raises(Rejected, match=r"input\.invalid"):
        make_empty(direct_world.base.settings, 'x"; drop schema mmd')
    for name in ("template1", "postgres"):
        with pytest.raises(Rejected, match=r"input\.invalid: .* the server's own"):
            make_empty(direct_world.base.settings, name)
