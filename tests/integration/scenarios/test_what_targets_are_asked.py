"""S-15, S-21, S-32: what the targets were asked for, told apart by kind: counts alone would hide a disable and an enable."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest

from streams.contracts.testnumbers import test_coordination_number as coordination_number_of
from tests.integration.scenarios.conftest import FEMALE, MALE, Town, post, row

COORDINATION = coordination_number_of(dt.date(1985, 4, 3), "female")


def old_post(town: Town) -> None:
    superseded = {"AvregistreringsorsakKod": "GN", "Avregistreringsdatum": "20260902", "HanvisningsPersonNr": FEMALE}
    town.say("navet", post(MALE, "Alex", **superseded))


def new_post(town: Town) -> None:
    town.say("navet", post(FEMALE, "Alexa", HanvisningsPersonNr=MALE))


def hr_old_number(town: Town) -> None:
    town.say("hr", row("E1", MALE, extentPercent=90))


def hr_new_number(town: Town) -> None:
    town.say("hr", row("E1", FEMALE, extentPercent=80))


@pytest.mark.parametrize(
    "order",
    [
        order
        for order in itertools.permutations([old_post, new_post, hr_old_number, hr_new_number])
        if order.index(hr_old_number) < order.index(hr_new_number)
    ],
    ids=lambda order: "-".join(step.__name__ for step in order),
)
def test_a_number_change_never_disables_in_any_order_of_its_four_messages(
    town: Town, order: tuple[Callable[[Town], None], ...]
) -> None:
    """HR's new number may come before the register's; then there are two persons with an account each, until the posts
    come: after that the one employment has one enabled account, the older one."""
    town.say("navet", post(MALE, "Alex"))
    town.say("hr", row("E1", MALE))
    observed = town.world.readings.account(MALE, "directory")
    assert observed is not None
    uid, start = observed.state.uid, town.journal_end()
    hr_first = order.index(hr_new_number) < min(order.index(old_post), order.index(new_post))
    for day, step in enumerate(order, 2):
        town.at(f"2026-09-{day:02d}T08:00:00")
        step(town)
    for number in (MALE, FEMALE):
        accounts = town.world.readings.account_keys(town.world.readings.person_id(number) or "")
        found = [town.world.targets["directory"].read(key) for key in accounts]
        enabled = [one for one in found if one and one.state.presence == "enabled"]
        assert [one.state.uid for one in enabled] == [uid]
        assert {one.state.attributes["display_name"] for one in enabled} == {"Alexa Provby"}
    if not hr_first:
        asked = town.asked(start)
        assert {presence for _, _, presence in asked} == {"enabled"}
        assert {lane for lane, _, _ in asked} == {"update"}
    assert town.world.readings.dead_letters() == {}


def test_a_coordination_number_that_becomes_a_personnummer_asks_the_targets_for_nothing(town: Town) -> None:
    town.say("navet", {"TilldelatPersonNrSamordningsNr": COORDINATION, "Fornamn": "Zara", "Efternamn": "Provby"})
    town.say("navet", {"TilldelatPersonNrSamordningsNr": COORDINATION, "Sekretessmarkering": "N"})
    town.say("hr", row("E1", COORDINATION))
    start = town.journal_end()
    town.at("2026-09-02T08:00:00")
    gone = {"AvregistreringsorsakKod": "GS", "Avregistreringsdatum": "20260902", "HanvisningsPersonNr": FEMALE}
    town.say(
        "navet",
        {"TilldelatPersonNrSamordningsNr": COORDINATION, "Fornamn": "Zara", "Efternamn": "Provby", **gone},
        post(FEMALE, "Zara", HanvisningsPersonNr=COORDINATION),
    )
    assert town.asked(start) == []
    assert town.world.readings.person_id(FEMALE) == town.world.readings.person_id(COORDINATION)
