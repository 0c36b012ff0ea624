"""A person that is erased is nowhere any more, does not come back, and leaves no name for anybody else."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import psycopg
import pytest

from deploy.municipality import cast as roles
from deploy.operations.backup import AFTER, dump_schemas, load_schemas
from deploy.operations.compare import differences, stand_of
from deploy.operations.erase import again, erase
from deploy.wiring.data import read_policy
from iam.domain.world import AccountKey
from iam.store.ledger import Ledger, Wish
from iam.store.retired import bury
from iam.store.state import desired_hash
from mmd.store.hash import state_hash
from streams.contracts.errors import Rejected
from streams.erasures import Erasures
from tests.integration.rebuild.test_rebuild import rebuilt
from tests.integration.rebuild.test_switch import switched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy.operations.erase import Erased
    from deploy.operations.shadow import Shadow
    from deploy.replay.direct import DirectWorld
    from tests.stack.town import Town

ACCOUNT_TOPIC, PERSON_TOPIC, URGENT_TOPIC = "source.account.v1", "mmd.person.v1", "mmd.urgent.v1"


def rows(world: DirectWorld, query: str, *values: object) -> list[tuple[object, ...]]:
    with world.base.pool.connection() as connection:
        return connection.execute(query.encode(), values or None).fetchall()


def person_of(world: DirectWorld, town: Town, role: str = roles.LEAVER) -> str:
    found = world.readings.person_id(town.cast[role].number)
    assert found is not None
    return found


def erased(world: DirectWorld, person: str, decision: str = "KS 2026/0500") -> Erased:
    return erase(world.base, world.settings.execute, person, decision, "anna", "bo")


def settle(world: DirectWorld) -> None:
    world.settle()
    for name in world.targets:
        world.target(name, "up")
    world.settle()


def test_nothing_that_was_the_persons_can_be_read_anywhere(direct_world: DirectWorld, town: Town) -> None:
    person, member = person_of(direct_world, town), town.cast[roles.LEAVER]
    names = [
        str(row[0])
        for row in rows(
            direct_world,
            "select n.name from iam.name_ledger n join iam.account a on a.id = n.account where a.person_id = %s",
            person,
        )
    ]
    accounts = direct_world.readings.account_keys(person)
    secret = (*member.canaries, member.number, *names)
    assert direct_world.readings.leaks.find(*secret)
    done = erased(direct_world, person)
    assert (done.ids, done.names) == (1, len(names))
    settle(direct_world)
    assert direct_world.readings.leaks.find(*secret) == []
    assert direct_world.readings.reader.person(person) is None
    assert direct_world.readings.reader.claims(person) == []
    assert direct_world.readings.person_id(member.number) is None
    assert rows(direct_world, "select body from iam.world_person where id = %s", person) == [(None,)]
    for target in direct_world.targets.values():
        assert [one for one in accounts if target.read(one) is not None] == []


def test_tombstones_are_on_every_topic_that_the_persons_documents_were_on(
    direct_world: DirectWorld, town: Town
) -> None:
    person = person_of(direct_world, town)
    erased(direct_world, person)
    direct_world.settle()
    for topic in (PERSON_TOPIC, URGENT_TOPIC):
        mine = [message for message in direct_world.bus.log(topic) if message.key == person]
        assert mine[-1].value is None, topic


def test_what_is_said_later_is_kept_aside_and_nobody_comes_back(direct_world: DirectWorld, town: Town) -> None:
    person = person_of(direct_world, town)
    late = [message for topic in direct_world.bus.topics() for message in direct_world.bus.log(topic)]
    mine = {str(row[0]) for row in rows(direct_world, "select subject from mmd.subject where own_id = %s", person)}
    again = [one for one in late if one.topic.startswith("source.") and one.key in mine]
    assert len(again) > 2
    erased(direct_world, person)
    direct_world.settle()
    for message in again:
        direct_world.bus.send(message)
    direct_world.settle()
    for file in (*town.first, *town.waves):  # and what the sources themselves still have
        direct_world.feed_file(file.source, file.path)
    settle(direct_world)
    kept = rows(direct_world, "select subject, reason from mmd.kept_aside")
    assert len(kept) >= len(again)
    assert {reason for _, reason in kept} == {"erased"}
    assert {subject for subject, _ in kept} <= mine
    assert direct_world.readings.reader.person(person) is None
    assert direct_world.readings.person_id(town.cast[roles.LEAVER].number) is None
    assert set(direct_world.readings.dead_letters()) == {"key.erased"}


def test_something_new_about_somebody_erased_is_kept_aside_at_the_edge_without_what_it_says(
    direct_world: DirectWorld, town: Town
) -> None:
    person, number = person_of(direct_world, town), town.cast[roles.LEAVER].number
    erased(direct_world, person)
    settle(direct_world)
    post = {"PersonNr": number, "totalpost": True, "Fornamn": "Kommertillbaka", "Efternamn": "Ek"}
    direct_world.feed("navet", [post], total=False)
    settle(direct_world)
    assert direct_world.readings.dead_letters() == {"key.erased": 1}
    (found,) = rows(direct_world, "select source, code, length(body) from connectors.rejected")
    assert found == ("navet", "key.erased", 28), "a nonce and a tag: nothing is sealed"
    assert direct_world.readings.leaks.find("Kommertillbaka", number) == []
    assert direct_world.readings.person_id(number) is None


def test_a_rebuild_after_an_erasure_is_still_equal_and_its_names_are_still_taken(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    person = person_of(direct_world, town)
    erased(direct_world, person)
    settle(direct_world)
    shadow = new_shadow()
    rebuilt(direct_world, shadow)
    assert differences(stand_of(direct_world.base), stand_of(shadow)) == []
    assert state_hash(shadow.pool, shadow.keys) == state_hash(direct_world.base.pool, direct_world.base.keys)
    assert (
        desired_hash(shadow.pool, shadow.keys).hash == desired_hash(direct_world.base.pool, direct_world.base.keys).hash
    )
    with shadow.pool.connection() as connection:
        taken = connection.execute("select name from iam.name_ledger where name like '#%'").fetchall()
    assert len(taken) == len(Erasures(direct_world.base.keys_pool).all()[0].names) > 0


def test_an_account_of_somebody_erased_just_before_a_rebuild_is_removed_after_it(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    """The store that knew of it is lost before the target was called."""
    person = person_of(direct_world, town)
    accounts = direct_world.readings.account_keys(person)
    erased(direct_world, person)
    assert [one for one in accounts if direct_world.targets["directory"].read(one) is not None]
    shadow = new_shadow()
    switched(direct_world, shadow)
    settle(direct_world)
    for name, target in direct_world.targets.items():
        assert [one for one in accounts if target.read(one) is not None] == [], name


def test_nobody_but_the_erased_is_gone_though_one_of_their_accounts_is_with_somebody_else(
    direct_world: DirectWorld, town: Town
) -> None:
    """A split that provisioning had not heard of when one of the two was erased."""
    person, other = person_of(direct_world, town), person_of(direct_world, town, roles.MOVER)
    erased(direct_world, person)
    settle(direct_world)
    keys = Erasures(direct_world.base.keys_pool).owners()
    assert person in keys
    assert other not in keys
    known = "select body is not null from iam.world_person where id = %s"
    with direct_world.base.pool.connection() as connection:
        connection.execute("update iam.account set person_id = %s where person_id = %s", [other, person])
        bury(connection, (), keys, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert rows(direct_world, known, other) == [(True,)]


def test_whoever_was_erased_since_a_backup_is_erased_again_when_it_is_restored(
    direct_world: DirectWorld, town: Town, tmp_path: Path
) -> None:
    person, member = person_of(direct_world, town), town.cast[roles.LEAVER]
    accounts, url = direct_world.readings.account_keys(person), direct_world.base.settings.store_url
    names = "select name from iam.name_ledger where account::text = any(%s) order by 1"
    secret = [str(row[0]) for row in rows(direct_world, names, accounts)]
    dump_schemas(url, ("mmd", "iam"), tmp_path / "before.dump")
    erased(direct_world, person)
    with psycopg.connect(url) as connection:
        connection.execute("drop schema mmd cascade; drop schema iam cascade")
    load_schemas(url, tmp_path / "before.dump")
    with psycopg.connect(url) as connection:
        connection.execute(AFTER)
    assert [str(row[0]) for row in rows(direct_world, names, accounts)] == secret
    assert again(direct_world.base, direct_world.settings.execute) == 1
    assert again(direct_world.base, direct_world.settings.execute) == 0
    settle(direct_world)
    assert all(str(row[0]).startswith("#") for row in rows(direct_world, names, accounts))
    assert direct_world.readings.leaks.find(*secret, *member.canaries, member.number) == []
    assert direct_world.readings.person_id(member.number) is None
    for target in direct_world.targets.values():
        assert [one for one in accounts if target.read(one) is not None] == []


def test_a_sole_traders_firm_goes_with_its_owner(
    direct_world: DirectWorld, town: Town, new_shadow: Callable[[], Shadow]
) -> None:
    person, number = person_of(direct_world, town), town.cast[roles.LEAVER].number
    firm = "Vattenblomman enskild firma"
    companies = [
        {"organisationNumber": number, "companyName": firm, "registeredFrom": "2001-01-01", "seat": "1480"},
        {"organisationNumber": "556999-9997", "companyName": "Skogsbladet AB", "registeredFrom": "2001-01-01"},
    ]
    direct_world.feed("companies", companies, total=False)
    direct_world.settle()
    (key,) = (str(row[0]) for row in rows(direct_world, "select document from mmd.referrer where target = %s", person))
    assert direct_world.readings.reader.thing(key) is not None
    erased(direct_world, person)
    settle(direct_world)
    assert direct_world.readings.reader.thing(key) is None
    assert direct_world.readings.leaks.find(firm, number) == []
    assert direct_world.bus.log("mmd.organisation.v1")[-1].value is None
    direct_world.feed("companies", companies, total=False)
    settle(direct_world)
    assert direct_world.readings.reader.thing(key) is None
    left = "select count(*) from mmd.document where kind = 'legal-organisation' and body <> ''"
    assert rows(direct_world, left) == [(1,)], "the company that is nobody's stays"
    shadow = new_shadow()
    rebuilt(direct_world, shadow)
    assert differences(stand_of(direct_world.base), stand_of(shadow)) == []


def test_a_name_of_somebody_erased_is_never_given_to_anybody_else(direct_world: DirectWorld, town: Town) -> None:
    person = person_of(direct_world, town)
    (uid,) = next(
        iter(
            rows(
                direct_world,
                "select name from iam.name_ledger join iam.account on id = account where person_id = %s and kind = 'uid'",
                person,
            )
        )
    )
    erased(direct_world, person)
    settle(direct_world)
    settings = direct_world.settings.execute
    ledger = Ledger(settings.secret("account.secret"), settings.name_domain)
    account_class = read_policy(settings.policy).accounts[0].account_class
    wish = Wish(AccountKey("p-new", "kommun", account_class), (), "4fc45822-1fb8-8798-9f5c-03678a3ee3c3", str(uid))
    with direct_world.base.pool.connection() as connection:
        (made,) = ledger.allocate(connection, [wish], dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert made.given.uid
    assert made.given.uid != uid


def test_an_erasure_takes_a_decision_and_two_persons(direct_world: DirectWorld, town: Town) -> None:
    person, execute = person_of(direct_world, town), direct_world.settings.execute
    for decision, asked, approved, code in (
        ("", "anna", "bo", "input.missing"),
        ("KS 1", "anna", " ", "input.missing"),
        ("KS 1", "anna", "Anna ", "decision.two-persons"),
        (f"gallring av {town.cast[roles.LEAVER].number}", "anna", "bo", "input.invalid"),
    ):
        with pytest.raises(Rejected, match=code.replace(".", r"\.")):
            erase(direct_world.base, execute, person, decision, asked, approved)
    with pytest.raises(Rejected, match=r"resource\.unknown"):
        erased(direct_world, "00000000-0000-8000-8000-000000000000")
    assert direct_world.readings.reader.person(person) is not None
    assert Erasures(direct_world.base.keys_pool).all() == []


def test_an_erasure_that_was_cut_off_is_finished_by_doing_it_again(direct_world: DirectWorld, town: Town) -> None:
    """After the keys were destroyed and before the stores forgot; and once more when all is done."""
    person = person_of(direct_world, town)
    subjects = {str(row[0]) for row in rows(direct_world, "select subject from mmd.subject where own_id = %s", person)}
    direct_world.base.keys.erase(subjects | {person})
    for _ in range(2):
        erased(direct_world, person)
        settle(direct_world)
    assert rows(direct_world, "select 1 from mmd.claim where subject = any(%s)", sorted(subjects)) == []
    assert len(Erasures(direct_world.base.keys_pool).all()) == 1
    assert direct_world.readings.leaks.find(*town.cast[roles.LEAVER].canaries) == []
