"""Whoever was erased and is taken in again gets new accounts; what is late of the past removes nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam.domain.account import Presence
from iam.store import retired
from iam.store.state import Accounts
from streams.catalogue import MMD_PERSON
from streams.codec import tombstone
from streams.contracts.documents import Version, Withheld
from streams.envelope import Message
from tests.unit.iam_domain.making import SECRET, person, work

if TYPE_CHECKING:
    from tests.integration.iam_evaluate.conftest import Iam


def erase(iam: Iam) -> Message:
    """Keys and names are gone; returns the tombstone, which is not told yet."""
    iam.keys.erase({"p1"})
    with iam.pool.connection() as connection:
        retired.retire(connection, SECRET, ["p1"])
    iam.number += 1
    return tombstone(MMD_PERSON, "p1", Version(1, iam.number))


def accounts(iam: Iam) -> dict[str, tuple[str, str]]:
    """Uid and presence in the directory by account, those of the past too."""
    found = {}
    for one in Accounts(iam.pool, iam.keys).of_person("p1"):
        (view,) = [view for view in one.targets if view.target == "directory"]
        found[one.id] = (one.names["uid"], view.presence.value)
    return found


def test_who_returns_has_a_new_account_with_a_new_name_and_the_old_one_stays_removed(iam: Iam) -> None:
    iam.say(person(work()))
    ((old, (name, _)),) = accounts(iam).items()
    uids = {name}
    for _ in range(2):
        iam.handler([erase(iam)])
        assert {presence for _, presence in accounts(iam).values()} == {Presence.ABSENT.value}
        iam.keys.readmit({"p1"})
        iam.say(person(work()))
        found = accounts(iam)
        enabled = [uid for uid, presence in found.values() if presence == Presence.ENABLED]
        assert len(enabled) == 1
        assert enabled[0] not in uids
        uids.update(enabled)
        assert found[old] == (found[old][0], Presence.ABSENT.value)
        assert found[old][0].startswith("#")
        iam.settle()
        assert accounts(iam) == found
    assert len(accounts(iam)) == 3


def test_the_account_of_the_past_is_removed_where_the_tombstone_was_never_told(iam: Iam) -> None:
    """A relay tells what is current: between an erasure and a return that follow at once it may tell nothing."""
    iam.say(person(work()))
    (old,) = accounts(iam)
    erase(iam)
    iam.keys.readmit({"p1"})
    iam.say(person(work()))
    found = accounts(iam)
    assert found.pop(old)[1] == Presence.ABSENT
    assert [presence for _, presence in found.values()] == [Presence.ENABLED]


def test_a_late_tombstone_and_a_late_document_of_the_past_remove_nobody_who_has_returned(iam: Iam) -> None:
    past = iam.message(person(work()))
    iam.handler([past])
    late = erase(iam)
    iam.keys.readmit({"p1"})
    iam.say(person(work()))
    found = accounts(iam)
    for message in (late, past, late):
        iam.handler([message])
        assert accounts(iam) == found
    iam.handler([late, iam.message(person(work())), late])
    assert accounts(iam) == found


def test_a_document_that_is_older_than_the_tombstone_brings_nobody_back(iam: Iam) -> None:
    iam.say(person(work()))
    gone = erase(iam)
    iam.handler([gone])
    iam.keys.readmit({"p1"})
    iam.handler([iam.message(person(work()), number=1)])
    assert [presence for _, presence in accounts(iam).values()] == [Presence.ABSENT]


def test_a_tombstone_without_a_version_counts_as_of_what_is_known(iam: Iam) -> None:
    iam.say(person(work()))
    erase(iam)
    iam.handler([Message(MMD_PERSON, "p1", None)])
    assert [presence for _, presence in accounts(iam).values()] == [Presence.ABSENT]
    iam.keys.readmit({"p1"})
    iam.say(person(work()))
    assert sorted(presence for _, presence in accounts(iam).values()) == [Presence.ABSENT, Presence.ENABLED]


def test_who_returns_and_is_withheld_has_nothing_of_the_past(iam: Iam) -> None:
    iam.say(person(work()))
    erase(iam)
    iam.keys.readmit({"p1"})
    iam.say(Withheld("p1"))
    assert [presence for _, presence in accounts(iam).values()] == [Presence.ABSENT]
