"""A person whom the topic's release does not cover any more (no employment is left): accounts end, and may come back."""

import pytest

from iam.domain.account import AccountState, Lane, Presence
from iam.domain.permit import lane_of
from iam.store.state import Accounts
from streams.catalogue import MMD_ORGANISATION
from streams.codec import Outgoing
from streams.contracts.documents import LegalOrganisationDocument, Published, Redirect, Version, Withheld
from streams.envelope import Message
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import person, work


def test_whoever_is_withheld_has_every_account_disabled_and_shows_nothing(iam: Iam) -> None:
    iam.say(person(work()))
    before = iam.state()
    iam.say(Withheld("p1"))
    after = iam.state()
    assert after == AccountState(before.key, Presence.DISABLED, before.uid)
    assert {row[0] for row in iam.rows("select presence from iam.desired")} == {"disabled"}
    assert iam.settle() == 0


def test_an_end_by_withholding_is_an_ordinary_end_that_the_brake_may_hold(iam: Iam) -> None:
    iam.say(person(work()))
    before = iam.state()
    iam.say(Withheld("p1"))
    assert iam.intent().protected is False
    assert lane_of(iam.state(), before, protect=iam.intent().protected) is Lane.DISABLE


def test_a_newer_document_gives_the_same_account_back(iam: Iam) -> None:
    iam.say(person(work()))
    before = iam.state()
    iam.say(Withheld("p1"), person(work()))
    iam.say(Withheld("p1"))
    iam.say(person(work("e2")))
    assert iam.state() == before


def test_somebody_withheld_from_the_start_gets_no_account(iam: Iam) -> None:
    iam.say(Withheld("p1"))
    assert iam.settle() == 0
    assert Accounts(iam.pool, iam.keys).of_person("p1") == ()
    iam.say(person(work()))
    assert iam.state().presence is Presence.ENABLED


def test_an_older_withholding_changes_nothing(iam: Iam) -> None:
    older = iam.message(Withheld("p1"))
    iam.say(person(work()))
    iam.handler([older])
    assert iam.state().presence is Presence.ENABLED


@pytest.mark.parametrize("redirect_first", [True, False])
def test_a_redirect_that_turns_round_is_no_withholding(iam: Iam, redirect_first: bool) -> None:
    """The id that lived on under another one becomes the surviving one: its document is on its way, not withheld."""
    iam.say(person(work(), who="a"))
    iam.say(person(work(), who="b", aliases=("a",)), Redirect("a", "b"))
    messages = [iam.message(Redirect("b", "a")), iam.message(person(work(), who="a", aliases=("b",)))]
    for message in messages if redirect_first else messages[::-1]:
        iam.handler([message])
        assert {row[0] for row in iam.rows("select presence from iam.desired")} == {"enabled"}
    assert iam.state("a").presence is Presence.ENABLED


def test_what_is_said_of_a_legal_organisation_is_nothing_of_a_person(iam: Iam) -> None:
    """It shares a topic with units. Neither its document nor its withholding nor its erasure becomes a person's."""
    key = "legal:" + "0" * 32
    firm = Published(Version(1, 9), legal_organisation=LegalOrganisationDocument(key))
    sent = iam.codec.encode([Outgoing(MMD_ORGANISATION, firm, "e1", iam.clock.now())])
    iam.handler([*sent, iam.message(Withheld(key)), Message(MMD_ORGANISATION, key, None)])
    assert iam.rows("select id from iam.world_person") == []
    assert iam.settle() == 0
