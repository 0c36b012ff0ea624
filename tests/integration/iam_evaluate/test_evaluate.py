"""Documents become desired state: once, in any order, with names that were announced, and a journal that tells why."""

import datetime as dt
from collections.abc import Callable

import msgspec
import pytest

from iam.domain.account import Presence
from iam.domain.policy import Policy
from iam.store.state import Accounts, desired_hash, observed_hash
from streams.catalogue import MMD_PERSON
from streams.contracts.claims import AccountFacts, Marking
from streams.contracts.documents import AccountEntry, PersonDocument, UnitDocument
from streams.contracts.errors import Rejected
from streams.envelope import Message
from streams.sealing import KeyClass
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import DAY, O1, O2, POLICY_DATA, STAMP, TOP, UNITS, at, person, unit, work

D = dt.timedelta(days=1)


def test_s01_a_joiner_is_staged_and_enabled_by_the_clock_without_any_new_event(iam: Iam) -> None:
    iam.say(person(work(since=DAY + 20 * D)))
    assert iam.versions() == {}
    iam.pass_to(at(DAY + 6 * D, 0))
    assert iam.state().presence is Presence.DISABLED
    iam.pass_to(at(DAY + 19 * D, 23, 59))
    assert iam.state().presence is Presence.DISABLED
    iam.pass_to(at(DAY + 20 * D, 0))
    assert iam.state().presence is Presence.ENABLED
    assert iam.state().groups == {f"org:{O1}", "role:usk"}
    causes = iam.rows(
        "select cause, lane from iam.journal where kind = 'evaluated' and target = 'directory' order by id"
    )
    assert causes == [("timer", "create"), ("timer", "create")]


def test_s04_a_leaver_is_disabled_at_midnight_after_the_last_day_also_if_nothing_ran_meanwhile(iam: Iam) -> None:
    iam.say(person(work(to=DAY)))
    iam.pass_to(at(DAY, 23, 59))
    assert iam.state().presence is Presence.ENABLED
    iam.pass_to(at(DAY + 5 * D, 9))
    assert iam.state().presence is Presence.DISABLED
    assert not iam.intent().create_missing


def test_s07_the_same_document_again_changes_nothing_at_all(iam: Iam) -> None:
    message = iam.message(person(work()))
    iam.handler([message])
    before = (iam.versions(), iam.rows("select count(*) from iam.journal"), iam.rows("select count(*) from iam.outbox"))
    iam.handler([message, message])
    iam.say(person(work()))  # a newer version with the same content
    assert iam.settle() == 0
    assert before == (
        iam.versions(),
        iam.rows("select count(*) from iam.journal"),
        iam.rows("select count(*) from iam.outbox"),
    )


def test_an_older_version_never_replaces_a_newer_one(iam: Iam) -> None:
    old = iam.message(person(work()))
    iam.say(person(work(to=DAY - D)))
    iam.handler([old])
    assert iam.versions() == {}
    iam.say(person(work()))
    iam.handler([iam.message(person(work(to=DAY - D)), number=1)])
    assert iam.state().presence is Presence.ENABLED


def test_every_account_has_a_uid_and_an_eppn_that_are_announced_before_use(iam: Iam) -> None:
    iam.say(person(work()), person(work("e2"), who="p2"))
    rows = iam.rows("select account::text, person_id, kind, facts, delivered_at from iam.outbox order by person_id")
    assert [row[1:3] for row in rows] == [("p1", "allocated"), ("p2", "allocated")]
    assert all(row[4] is None for row in rows)
    facts = msgspec.json.decode(rows[0][3], type=AccountFacts)
    assert facts.account == rows[0][0] == iam.state().key
    assert facts.uid == iam.state().uid
    assert facts.eppn == f"{facts.uid}@kommun.test" == iam.state().attributes["eppn"]
    assert facts.personas == (work().key,)
    ledger = iam.rows("select kind, name from iam.name_ledger where account = %s order by kind", facts.account)
    assert ledger == [("eppn", facts.eppn), ("uid", facts.uid)]
    assert iam.rows("select count(distinct name) from iam.name_ledger where kind = 'uid'") == [(2,)]


def test_a_new_employment_with_the_same_employer_is_told_as_another_persona_of_the_account(iam: Iam) -> None:
    iam.say(person(work()))
    iam.say(person(work(), work("e2", at_unit=O2)))
    kinds = iam.rows("select kind, facts from iam.outbox order by id")
    assert [kind for kind, _ in kinds] == ["allocated", "personas"]
    assert len(msgspec.json.decode(kinds[1][1], type=AccountFacts).personas) == 2
    assert len(Accounts(iam.pool, iam.keys).of_person("p1")) == 1


def test_a_uid_that_somebody_else_had_is_never_given_again(iam: Iam, new_iam: Callable[[], Iam]) -> None:
    iam.say(person(work()))
    uid = iam.state().uid
    other = "11111111-1111-8111-8111-111111111111"
    fresh = new_iam()
    fresh.say(*UNITS.values())
    with fresh.pool.connection() as connection:
        connection.execute(
            "insert into iam.name_ledger (kind, name, account, allocated_at, event_id) values ('uid', %s, %s, now(), 'x')",
            [uid, other],
        )
    fresh.say(person(work()))
    assert fresh.state().uid != uid
    assert fresh.state().key == iam.state().key


def test_a_rebuilt_store_takes_over_the_account_and_the_name_that_the_master_tells_of(iam: Iam) -> None:
    iam.say(person(work(), who="old"))
    account = iam.state("old").key
    with iam.pool.connection() as connection:
        connection.execute("truncate iam.account, iam.name_ledger, iam.desired, iam.world_person, iam.work")
    told = msgspec.structs.replace(work(), accounts=(AccountEntry(account, STAMP, "given123", ""),))
    iam.say(person(told, aliases=("old",)))
    assert iam.state().key == account
    assert iam.state().uid == "given123"


def test_a_unit_that_appears_evaluates_those_who_waited_for_it_and_nobody_else(new_iam: Callable[[], Iam]) -> None:
    iam = new_iam()
    iam.say(UNITS[O1], person(work()), person(work("e2", at_unit=O2), who="p2"))
    assert iam.versions() == {}
    iam.say(UNITS[TOP], UNITS[O2])
    assert iam.settle() == 2
    assert iam.state().groups == {f"org:{O1}", "role:usk"}
    assert iam.state("p2").groups == {f"org:{O2}", "role:usk"}
    iam.say(unit(O2, name="Nytt namn"))
    assert iam.settle() == 1
    assert iam.state("p2").attributes["department"] == "Nytt namn"


def test_a_managers_account_is_named_once_it_exists(iam: Iam) -> None:
    iam.say(person(work(manager="boss")))
    assert "manager" not in iam.state().attributes
    iam.say(person(work("e9"), who="boss"))
    assert iam.settle() == 1
    assert iam.state().attributes["manager"] == iam.state("boss").key


def test_a_policy_change_evaluates_everyone_and_says_so(iam: Iam) -> None:
    iam.say(person(work()), person(work("e2", aid="1"), who="p2"))
    data = {**POLICY_DATA, "version": "test-2", "grants": POLICY_DATA["grants"][:1]}  # type: ignore[index]
    iam.policy = Policy.from_data(data)
    assert iam.timers.pending() == 2
    assert iam.settle() == 2
    assert iam.timers.pending() == 0
    assert iam.state().groups == {f"org:{O1}"}
    cause, lane, removed = iam.rows(
        "select cause, lane, groups_removed from iam.journal where kind = 'evaluated' order by id desc limit 1"
    )[0]
    assert (cause, removed) == ("policy:test-2", ["role:usk"])
    assert lane == "create"  # the target has not heard of the account yet


def test_the_journal_tells_who_got_what_when_and_why_and_no_value_of_anyone(iam: Iam) -> None:
    iam.say(person(work(to=DAY + 9 * D)))
    iam.pass_to(at(DAY + 10 * D))
    rows = iam.rows(
        """select at, groups, groups_added, groups_removed, presence, reasons, cause, caused_at, desired_version
           from iam.journal where kind = 'evaluated' and target = 'directory' order by id"""
    )
    assert [row[4] for row in rows] == ["enabled", "disabled"]
    assert rows[0][1] == rows[0][2] == rows[1][3] == [f"org:{O1}", "role:usk"]
    assert rows[0][6:] == ("cause-4", at(DAY), 1)
    assert rows[1][6:] == ("timer", at(DAY + 10 * D, 0), 2)
    usk = next(reason for reason in rows[0][5] if reason["rule"] == "usk")
    assert usk["persona"] == work().key
    assert usk["policy"] == "test-1"
    assert usk["stamps"][0]["event"] == STAMP.event
    told = str(iam.rows("select j::text from iam.journal j"))
    assert "Kanariefågel" not in told
    assert "Utpekad" not in told


def test_a_second_basis_of_the_same_group_is_told_though_the_account_does_not_change(iam: Iam) -> None:
    iam.say(person(work()))
    iam.say(person(work(), work("e2")))
    versions = iam.rows(
        "select desired_version, jsonb_array_length(reasons) from iam.journal where target = 'directory'"
    )
    assert versions == [(1, 3), (1, 6)]


def test_lanes_follow_what_the_target_has_and_the_most_urgent_one_stands_until_it_is_done(iam: Iam) -> None:
    def lane() -> str:
        return str(iam.rows("select lane from iam.desired where target = 'directory'")[0][0])

    iam.say(person(work()))
    assert lane() == "create"
    with iam.pool.connection() as connection:
        connection.execute(
            """insert into iam.observed (account, target, status, attempt, digest, presence)
               select account, target, 'known', 1, digest, presence from iam.desired"""
        )
    iam.say(person(work(title="Vårdbiträde")))
    assert lane() == "update"
    iam.say(person(work(aid="1")))
    assert lane() == "remove"
    iam.say(person(work(aid="1", title="Annat")))
    assert lane() == "remove"
    iam.say(person(work(aid="1"), marking=Marking.SEKRETESSMARKERING))
    assert lane() == "protect"
    iam.say(person(work(to=DAY - D), marking=Marking.SEKRETESSMARKERING))
    assert lane() == "protect"


def test_hashes_are_equal_for_equal_states_in_any_order_and_differ_otherwise(new_iam: Callable[[], Iam]) -> None:
    people = [person(work()), person(work("e2"), who="p2"), person(work("e3", to=DAY), who="p3")]
    documents: list[PersonDocument | UnitDocument] = [*UNITS.values(), *people]
    found = set()
    for order in (documents, documents[::-1], documents[2:] + documents[:2]):
        iam = new_iam()
        for document in order:
            iam.say(document)
        iam.settle()
        found.add(desired_hash(iam.pool, iam.keys).hash)
        counts = desired_hash(iam.pool, iam.keys).counts
        assert counts == {"accounts": 3, "enabled": 6, "forged": 0, "grants": 12, "unreadable": 0}
    assert len(found) == 1
    assert observed_hash(iam.pool).counts == {"accounts": 0, "behind": 0}
    iam.say(person(work("e2", aid="1"), who="p2"))
    assert desired_hash(iam.pool, iam.keys).hash not in found


def test_the_account_of_an_erased_person_is_removed_and_nothing_of_it_is_left(iam: Iam) -> None:
    iam.say(person(work()))
    iam.keys.erase({"p1"})
    iam.handler([Message(MMD_PERSON, "p1", None, {})])
    assert iam.state().presence is Presence.ABSENT
    assert (iam.state().attributes, iam.state().uid) == ({}, "")
    assert iam.rows("select body, key_id from iam.world_person where id = 'p1'") == [(None, "")]
    assert desired_hash(iam.pool, iam.keys).counts["unreadable"] == 0
    iam.settle()
    assert iam.state().presence is Presence.ABSENT


def test_a_forged_message_is_rejected_and_changes_nothing(iam: Iam) -> None:
    message = iam.message(person(work()))
    forged = Message(message.topic, "p2", message.value, message.headers)
    with pytest.raises(Rejected):
        iam.handler([forged])
    assert iam.versions() == {}


def test_an_employment_that_moves_to_another_person_takes_the_rights_with_it_and_back_again(iam: Iam) -> None:
    iam.say(person(work()), person(who="p2"))
    first = iam.state().key
    iam.say(person(), person(work(), who="p2"))
    assert iam.state().presence is Presence.DISABLED
    assert iam.state("p2").presence is Presence.ENABLED
    assert iam.state("p2").key != first
    iam.say(person(work()), person(who="p2"))
    assert iam.state().presence is Presence.ENABLED
    assert iam.state().key == first
    assert iam.state("p2").presence is Presence.DISABLED


def test_the_outer_key_is_the_only_one_that_is_used(iam: Iam) -> None:
    iam.say(person(work()))
    key = iam.keys.current(KeyClass.OUTER, {"p1"})["p1"].id
    assert iam.rows("select distinct key_id from iam.desired") == [(key,)]
    assert iam.rows("select key_id from iam.world_person where id = 'p1'") == [(key,)]
