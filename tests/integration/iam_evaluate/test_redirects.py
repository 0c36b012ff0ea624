"""Accounts and names follow a person through redirect and merge, whatever arrives first; a split gives back what was."""

import itertools

import pytest

from iam.domain.account import Presence
from iam.store.state import Accounts, desired_hash
from streams.catalogue import MMD_PERSON
from streams.codec import tombstone
from streams.contracts.documents import Redirect, Version, Withheld
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import O2, person, work


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_a_redirect_moves_the_account_and_disables_nothing(iam: Iam, order: tuple[int, ...]) -> None:
    iam.say(person(work(), who="old"))
    before = iam.state("old")
    versions = iam.versions()
    messages = [iam.message(person(work(), who="new", aliases=("old",))), iam.message(Redirect("old", "new"))]
    for index in order:
        iam.handler([messages[index]])
        assert iam.settle() == 0
        assert {row[0] for row in iam.rows("select presence from iam.desired")} == {"enabled"}
    assert iam.state("new") == before
    assert iam.state("old") == before
    assert iam.versions() == versions
    assert iam.rows("select id, to_id from iam.world_redirect") == [("old", "new")]
    assert iam.rows("select count(*) from iam.world_person where body is not null") == [(1,)]


def test_an_older_document_of_a_redirected_person_changes_nothing(iam: Iam) -> None:
    stale = iam.message(person(who="old"))
    iam.say(person(work(), who="old"))
    iam.say(Redirect("old", "new"))
    iam.handler([stale])
    iam.say(person(work(), who="new", aliases=("old",)))
    iam.handler([stale])
    assert iam.state("new").presence is Presence.ENABLED
    assert len(Accounts(iam.pool, iam.keys).of_person("new")) == 1


def test_two_persons_who_were_hired_and_are_joined_keep_both_accounts(iam: Iam) -> None:
    iam.say(person(work("e1"), who="a"), person(work("e2", at_unit=O2), who="b"))
    first, second = iam.state("a"), iam.state("b")
    iam.say(person(work("e1"), work("e2", at_unit=O2), who="a", aliases=("b",)), Redirect("b", "a"))
    views = Accounts(iam.pool, iam.keys).of_person("a")
    assert [view.id for view in views] == sorted([first.key, second.key])
    assert {target.presence for view in views for target in view.targets} == {Presence.ENABLED}
    assert {view.names["uid"] for view in views} == {first.uid, second.uid}


@pytest.mark.parametrize("split_first", [True, False])
@pytest.mark.parametrize("erased", [True, False])
def test_whoever_is_parted_from_somebody_withheld_or_erased_has_a_life_of_their_own(
    iam: Iam, split_first: bool, erased: bool
) -> None:
    """What tells no aliases any more holds nobody back who has a newer document."""
    iam.say(person(work("e1"), who="a"), person(work("e2", at_unit=O2), who="b"))
    iam.say(person(work("e1"), work("e2", at_unit=O2), who="a", aliases=("b",)), Redirect("b", "a"))
    iam.settle()
    told = iam.message(Withheld("a"))
    over = tombstone(MMD_PERSON, "a", Version(1, iam.number)) if erased else told
    apart = [iam.message(person(work("e2", at_unit=O2), who="b")), over]
    for message in apart if split_first else reversed(apart):
        iam.handler([message])
    iam.settle()
    assert iam.state("b").presence is Presence.ENABLED
    assert iam.rows("select count(*) from iam.world_redirect") == [(0,)]


@pytest.mark.parametrize("split_first", [True, False])
def test_a_split_gives_back_exactly_what_was_joined(iam: Iam, split_first: bool) -> None:
    iam.say(person(work("e1"), who="a"), person(work("e2", at_unit=O2), who="b"))
    hash_before = desired_hash(iam.pool, iam.keys)
    joined = person(work("e1"), work("e2", at_unit=O2), who="a", family="Gemensam", aliases=("b",))
    iam.say(joined, Redirect("b", "a"))
    iam.settle()
    assert desired_hash(iam.pool, iam.keys).hash != hash_before.hash
    apart = [iam.message(person(work("e2", at_unit=O2), who="b")), iam.message(person(work("e1"), who="a"))]
    for message in apart if split_first else apart[::-1]:
        iam.handler([message])
    iam.settle()
    assert iam.rows("select count(*) from iam.world_redirect") == [(0,)]
    assert desired_hash(iam.pool, iam.keys) == hash_before


@pytest.mark.parametrize("aliases", [True, False], ids=["release-with-aliases", "release-without-aliases"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_split_gives_back_all_who_had_been_joined_with_that_person_before(
    iam: Iam, order: tuple[int, ...], aliases: bool
) -> None:
    """b became x, and x was taken for a: parted again, x has its own account and that of b."""

    def known(*ids: str) -> tuple[str, ...]:
        return ids if aliases else ()

    iam.say(person(work("e1"), who="a"), person(work("e2"), who="x"), person(work("e3"), who="b"))
    mine = {who: iam.state(who).key for who in ("a", "x", "b")}
    iam.say(person(work("e2"), work("e3"), who="x", aliases=known("b")), Redirect("b", "x"))
    hash_before = desired_hash(iam.pool, iam.keys)
    joined = person(work("e1"), work("e2"), work("e3"), who="a", family="Gemensam", aliases=known("b", "x"))
    iam.say(joined, Redirect("x", "a"), Redirect("b", "a"))
    assert {view.id for view in Accounts(iam.pool, iam.keys).of_person("a")} == set(mine.values())
    apart = [
        iam.message(person(work("e2"), work("e3"), who="x", aliases=known("b"))),
        iam.message(Redirect("b", "x")),
        iam.message(person(work("e1"), who="a")),
    ]
    for index in order:
        iam.handler([apart[index]])
    iam.settle()
    assert [view.id for view in Accounts(iam.pool, iam.keys).of_person("a")] == [mine["a"]]
    assert {view.id for view in Accounts(iam.pool, iam.keys).of_person("x")} == {mine["x"], mine["b"]}
    assert desired_hash(iam.pool, iam.keys) == hash_before


def test_redirects_lead_to_their_end_and_a_reversed_one_replaces_the_first(iam: Iam) -> None:
    iam.say(person(work(), who="a"))
    account = iam.state("a").key
    iam.say(Redirect("a", "b"), Redirect("b", "c"))
    iam.say(person(work(), who="c", aliases=("a", "b")))
    assert iam.state("c").key == account
    assert dict(iam.rows("select id, to_id from iam.world_redirect")) == {"a": "c", "b": "c"}
    iam.say(person(work(), who="a", aliases=("b", "c")), Redirect("c", "a"), Redirect("b", "a"))
    assert iam.state("a").key == account
    assert iam.state("a").presence is Presence.ENABLED
    assert dict(iam.rows("select id, to_id from iam.world_redirect")) == {"b": "a", "c": "a"}


def test_a_manager_who_is_redirected_is_still_the_manager(iam: Iam) -> None:
    iam.say(person(work("e9"), who="boss"), person(work(manager="boss")))
    assert iam.state().attributes["manager"] == iam.state("boss").key
    account = iam.state("boss").key
    iam.say(person(work("e9"), who="chief", aliases=("boss",)), Redirect("boss", "chief"))
    iam.settle()
    assert iam.state().attributes["manager"] == account
