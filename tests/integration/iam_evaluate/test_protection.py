"""S-09: a person who becomes restricted is masked at once, and older copies cannot be read any more."""

import pytest

from iam.domain.account import Presence
from iam.store.state import Accounts, desired_hash
from streams.contracts.claims import Marking
from streams.contracts.errors import Rejected
from streams.sealing import KeyClass, KeyState, unseal
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import person, work

CANARIES = ("Kanariefågel", "Utpekad")


def everything(iam: Iam) -> str:
    """All that is stored in schema iam, as text, with every body that any key still opens opened."""
    tables = [row[0] for row in iam.rows("select tablename from pg_tables where schemaname = 'iam'")]
    found = [str(iam.rows(f"select t::text from iam.{table} t")) for table in tables]
    for account in Accounts(iam.pool, iam.keys).of_person("p1"):
        found += [str(view.intent) for view in account.targets]
    return "\n".join(found)


def test_a_marking_masks_every_row_under_the_new_key_and_leaves_the_cloud(iam: Iam) -> None:
    iam.say(person(work()))
    assert iam.state().attributes["family_name"] == "Utpekad"
    old_rows = iam.rows("select key_id, body from iam.desired union all select key_id, body from iam.world_person")
    iam.keys.renew(KeyClass.OUTER, "p1")
    iam.say(person(work(), marking=Marking.SEKRETESSMARKERING))
    iam.keys.destroy_older(KeyClass.OUTER, "p1")
    new = iam.keys.current(KeyClass.OUTER, {"p1"})["p1"].id
    assert iam.rows("select distinct key_id from iam.desired") == [(new,)]
    assert iam.rows("select key_id, restricted from iam.world_person where id = 'p1'") == [(new, True)]
    assert iam.state().presence is Presence.ENABLED
    assert set(iam.state().attributes) == {"display_name", "eppn"}
    assert iam.state(target="cloud").presence is Presence.DISABLED
    assert not any(canary in everything(iam) for canary in CANARIES)
    for key_id, body in old_rows:
        key = iam.keys.find({key_id})[key_id]
        assert key is KeyState.RENEWED
        with pytest.raises(Rejected):
            unseal(iam.keys.current(KeyClass.OUTER, {"p1"})["p1"], body, b"")


def test_a_planted_name_is_found_so_that_the_search_can_fail(iam: Iam) -> None:
    iam.say(person(work()))
    assert all(canary in everything(iam) for canary in CANARIES)


def test_the_key_may_be_destroyed_before_the_new_document_is_evaluated(iam: Iam) -> None:
    iam.say(person(work()))
    groups = iam.state().groups
    iam.keys.renew(KeyClass.OUTER, "p1")
    marked = iam.message(person(work(at_unit="unit:kommun:unheard"), marking=Marking.SKYDDAD_FOLKBOKFORING))
    iam.keys.destroy_older(KeyClass.OUTER, "p1")
    assert desired_hash(iam.pool, iam.keys).counts["unreadable"] == 2
    with iam.pool.connection() as connection:
        connection.execute("update iam.due set at = '2000-01-01'")
        connection.execute("update iam.world_person set policy = ''")
    iam.settle()  # the timers cannot read the person and leave everything as it is
    assert desired_hash(iam.pool, iam.keys).counts["unreadable"] == 2
    iam.handler([marked])
    assert desired_hash(iam.pool, iam.keys).counts["unreadable"] == 0
    assert iam.state().groups == groups  # kept: its unit is not known
    assert set(iam.state().attributes) == {"display_name", "eppn"}


def test_a_message_under_a_destroyed_key_is_passed_over_silently(iam: Iam) -> None:
    stale = iam.message(person(work()))
    iam.keys.renew(KeyClass.OUTER, "p1")
    iam.keys.destroy_older(KeyClass.OUTER, "p1")
    iam.handler([stale])
    assert iam.rows("select count(*) from iam.world_person") == [(0,)]


def test_a_restricted_person_gets_the_protect_lane_even_where_the_old_values_cannot_be_read(iam: Iam) -> None:
    iam.say(person(work()))
    with iam.pool.connection() as connection:
        connection.execute(
            """insert into iam.observed (account, target, status, attempt, digest, presence)
               select account, target, 'known', 1, digest, presence from iam.desired"""
        )
    iam.keys.renew(KeyClass.OUTER, "p1")
    marked = iam.message(person(work(), marking=Marking.SEKRETESSMARKERING))
    iam.keys.destroy_older(KeyClass.OUTER, "p1")
    iam.handler([marked])
    assert iam.rows("select distinct lane from iam.desired") == [("protect",)]
    assert iam.rows("select distinct lane from iam.work") == [("protect",)]


def test_a_marked_joiner_is_never_written_with_a_name(iam: Iam) -> None:
    iam.say(person(work(), marking=Marking.UNVERIFIED))
    assert iam.state().attributes["display_name"] == iam.state().uid
    assert [row[0] for row in iam.rows("select target from iam.desired")] == ["directory"]
    iam.say(person(work()))
    assert iam.state().attributes["display_name"] == "Kanariefågel Utpekad"
    assert {row[0] for row in iam.rows("select target from iam.desired")} == {"directory", "cloud"}
