"""One employment has one enabled account: which account serves which persona, before, during and after a merge."""

import datetime as dt
import itertools

import msgspec
import pytest

from iam.domain.account import Presence
from iam.domain.serving import JOINING
from iam.explain.explain import explain
from iam.store.state import Accounts, AccountView, desired_hash
from streams.contracts.claims import AccountFacts
from streams.contracts.documents import AccountEntry, PersonDocument, Redirect, Withheld
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import DAY, O1, O2, STAMP, at, person, work

D = dt.timedelta(days=1)


def enabled(iam: Iam, who: str = "a") -> list[AccountView]:
    """The person's accounts that shall be enabled in the directory, the oldest first."""
    return [
        view
        for view in Accounts(iam.pool, iam.keys).of_person(who)
        if any(one.target == "directory" and one.presence is Presence.ENABLED for one in view.targets)
    ]


def groups_of(view: AccountView) -> frozenset[str]:
    return next(one.groups for one in view.targets if one.target == "directory")


def told(iam: Iam, account: str) -> tuple[str, ...]:
    """The personas that the master was told of last."""
    rows = iam.rows("select facts from iam.outbox where account = %s order by id desc limit 1", account)
    return msgspec.json.decode(rows[0][0], type=AccountFacts).personas


@pytest.fixture
def moved(iam: Iam) -> Iam:
    """HR has named the new number: the employment left the person `a`, and `b` has an account of its own for it."""
    iam.say(person(work(), who="a"))
    iam.pass_to(at(DAY + D))
    iam.say(Withheld("a"), person(work(), who="b"))
    return iam


@pytest.mark.parametrize("aliases", [(), ("b",)], ids=["release-without-aliases", "release-with-aliases"])
@pytest.mark.parametrize("redirect_first", [True, False])
def test_one_employment_has_one_enabled_account_after_the_merge_and_it_is_the_older_one(
    moved: Iam, redirect_first: bool, aliases: tuple[str, ...]
) -> None:
    old, new = Accounts(moved.pool, moved.keys).of_person("a"), enabled(moved, "b")
    messages = [moved.message(Redirect("b", "a")), moved.message(person(work(), who="a", aliases=aliases))]
    for message in messages if redirect_first else messages[::-1]:
        moved.handler([message])
    moved.settle()
    assert [view.id for view in enabled(moved)] == [old[0].id]
    assert groups_of(enabled(moved)[0]) == {f"org:{O1}", "role:usk"}
    assert told(moved, old[0].id) == (work().key,)
    assert told(moved, new[0].id) == ()
    said = explain(moved.pool, moved.keys, "a", moved.clock.now())
    (younger,) = [one for one in said.accounts if one.account == new[0].id]
    assert {(n.rule, n.persona, n.code) for target in younger.targets for n in target.not_given} == {
        ("staff", work().key, "other-account")
    }


def test_an_account_that_served_two_employments_serves_both_again_though_they_moved_one_at_a_time(iam: Iam) -> None:
    iam.say(person(work("e0"), work("e1"), who="a"))
    (old,) = enabled(iam)
    iam.pass_to(at(DAY + D))
    iam.say(person(work("e0"), who="a"), person(work("e1"), who="b"))
    iam.say(Withheld("a"), person(work("e0"), work("e1"), who="b"))
    iam.say(person(work("e0"), work("e1"), who="a"), Redirect("b", "a"))
    iam.settle()
    assert [view.id for view in enabled(iam)] == [old.id]


def test_a_split_after_that_gives_each_its_own_back(moved: Iam) -> None:
    before = desired_hash(moved.pool, moved.keys)
    moved.say(person(work(), who="a"), Redirect("b", "a"))
    moved.settle()
    assert desired_hash(moved.pool, moved.keys) != before
    moved.say(Withheld("a"), person(work(), who="b"))
    moved.settle()
    assert desired_hash(moved.pool, moved.keys) == before
    assert told(moved, enabled(moved, "b")[0].id) == (work().key,)


@pytest.mark.parametrize("redirect_first", [True, False])
def test_joined_persons_keep_an_account_for_each_employment_and_neither_gets_the_others_rights(
    iam: Iam, redirect_first: bool
) -> None:
    iam.say(person(work("e1"), who="a"))
    iam.pass_to(at(DAY + D))
    iam.say(person(work("e2", at_unit=O2, aid="1", to=DAY + 9 * D), who="b"))
    before = desired_hash(iam.pool, iam.keys)
    both = (work("e1"), work("e2", at_unit=O2, aid="1", to=DAY + 9 * D))
    messages = [iam.message(Redirect("b", "a")), iam.message(person(*both, who="a"))]
    for message in messages if redirect_first else messages[::-1]:
        iam.handler([message])
    iam.settle()
    assert desired_hash(iam.pool, iam.keys) == before
    assert [groups_of(view) for view in enabled(iam)] == [{f"org:{O1}", "role:usk"}, {f"org:{O2}"}]
    iam.pass_to(at(DAY + 10 * D))
    assert [groups_of(view) for view in enabled(iam)] == [{f"org:{O1}", "role:usk"}]


def test_a_new_employment_of_joined_persons_goes_to_the_account_that_is_in_use(iam: Iam) -> None:
    iam.say(person(work("e1", to=DAY), who="a"))
    iam.pass_to(at(DAY + D))
    iam.say(person(work("e2"), who="b"))
    iam.say(person(work("e1", to=DAY), work("e2"), who="a"), Redirect("b", "a"))
    iam.settle()
    (used,) = enabled(iam)
    iam.say(person(work("e1", to=DAY), work("e2"), work("e3", at_unit=O2), who="a"))
    assert [view.id for view in enabled(iam)] == [used.id]
    iam.say(person(work("e1", to=DAY), work("e2", to=DAY), work("e3", at_unit=O2), who="a"))
    assert [view.id for view in enabled(iam)] == [used.id]
    assert groups_of(enabled(iam)[0]) == {f"org:{O2}", "role:usk"}


@pytest.mark.parametrize("known", [person(work("e0"), who="a"), Withheld("a")], ids=["older-document", "withheld"])
def test_a_redirect_that_comes_before_the_document_disables_nothing(iam: Iam, known: PersonDocument | Withheld) -> None:
    iam.say(known)
    iam.pass_to(at(DAY + D))
    iam.say(person(work("e1"), who="b"))
    (used,) = enabled(iam, "b")
    iam.say(Redirect("b", "a"))
    iam.settle()
    assert used.id in {view.id for view in enabled(iam)}
    assert {row[0] for row in iam.rows("select presence from iam.desired")} == {"enabled"}
    iam.say(person(work("e0"), work("e1"), who="a"))
    iam.settle()
    assert used.id in {view.id for view in enabled(iam)}
    versions = iam.rows("select version from iam.desired where account = %s", used.id)
    assert versions == [(1,), (1,)]
    assert [view.id for view in enabled(iam)][-1] == used.id


@pytest.mark.parametrize("known", [person(work("e0"), who="a"), Withheld("a")], ids=["document", "withheld"])
def test_an_account_that_a_redirect_brought_waits_a_minute_for_its_persona_and_no_longer(
    iam: Iam, known: PersonDocument | Withheld
) -> None:
    iam.say(known, person(work("e1"), who="b"))
    (used,) = enabled(iam, "b")
    iam.say(Redirect("b", "a"))
    iam.settle()
    assert used.id in {view.id for view in enabled(iam)}
    iam.pass_to(iam.clock.now() + JOINING)
    assert used.id not in {view.id for view in enabled(iam)}


def test_a_rebuilt_store_takes_over_both_accounts_of_joined_persons(iam: Iam) -> None:
    iam.say(person(work("e1"), who="a"), person(work("e2", at_unit=O2), who="b"))
    iam.say(person(work("e1"), work("e2", at_unit=O2), who="a", aliases=("b",)), Redirect("b", "a"))
    before = desired_hash(iam.pool, iam.keys)
    by_persona = {view.personas[0]: view for view in Accounts(iam.pool, iam.keys).of_person("a")}
    assert len(by_persona) == 2
    entries = {key: (AccountEntry(view.id, STAMP, view.names["uid"], ""),) for key, view in by_persona.items()}
    with iam.pool.connection() as connection:
        connection.execute("truncate iam.account, iam.name_ledger, iam.desired, iam.world_person, iam.work")
    told_of = [msgspec.structs.replace(one, accounts=entries[one.key]) for one in (work("e1"), work("e2", at_unit=O2))]
    iam.say(person(*told_of, who="a", aliases=("b",)))
    assert desired_hash(iam.pool, iam.keys) == before


def test_while_a_fact_is_missing_both_accounts_stay_as_they_were(moved: Iam) -> None:
    (used,) = enabled(moved, "b")
    moved.say(person(work(at_unit="unit:kommun:unheard"), who="a"), Redirect("b", "a"))
    moved.settle()
    assert [view.id for view in enabled(moved)] == [used.id]
    assert groups_of(enabled(moved)[0]) == {f"org:{O1}", "role:usk"}
    moved.say(person(work(), who="a"))
    assert [view.id for view in enabled(moved)] != [used.id]
    assert len(enabled(moved)) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_an_account_that_was_made_before_the_redirect_came_yields_to_the_older_one(
    iam: Iam, order: tuple[int, ...]
) -> None:
    iam.say(Withheld("a"), person(work(), who="b"))
    (used,) = enabled(iam, "b")
    iam.pass_to(at(DAY + D))
    messages = [iam.message(person(work(), who="a")), iam.message(Redirect("b", "a"))]
    for index in order:
        iam.handler([messages[index]])
    iam.settle()
    assert [view.id for view in enabled(iam)] == [used.id]
