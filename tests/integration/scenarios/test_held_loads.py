"""S-21 continued by an operator: a held complete export is released or thrown away, and what targets are asked for then."""

from __future__ import annotations

import datetime as dt

import pytest

from connectors.sources import totals
from connectors.sources.registry import reader_of
from connectors.sources.total_state import loads
from deploy.wiring import sources
from streams.contracts.testnumbers import test_number as number_of
from tests.integration.scenarios.conftest import Town, post, row

PEOPLE = [number_of(dt.date(1991, 5, day), "male") for day in range(1, 14)]


@pytest.fixture
def held(town: Town) -> Town:
    """Thirteen employees; an export the next day has the first two only, the second of them ended."""
    town.say("navet", *(post(number, f"Nr{n}") for n, number in enumerate(PEOPLE)))
    town.say("hr", *(row(f"E{n}", number) for n, number in enumerate(PEOPLE)), total=True)
    assert presences(town) == ["enabled"] * 13
    town.at("2026-09-02T08:00:00")
    town.say("hr", row("E0", PEOPLE[0]), row("E1", PEOPLE[1], endDate="2026-09-01"), total=True)
    assert presences(town) == ["enabled"] * 13
    return town


def presences(town: Town) -> list[str]:
    found = [town.world.readings.account(number, "directory") for number in PEOPLE]
    return [one.state.presence.value if one else "never" for one in found]


def test_a_released_load_ends_everybody_that_it_lacks_at_once(held: Town) -> None:
    edge = sources.edge(held.world.base, held.world.bus)
    start = held.journal_end()
    totals.release(edge, reader_of("hr"), loads(edge.pool, "hr")[0], "operator")
    held.world.settle()
    assert presences(held) == ["enabled"] + ["disabled"] * 12
    assert {(lane, presence) for lane, _, presence in held.asked(start)} == {("disable", "disabled")}
    assert len(held.asked(start)) == 24


def test_a_load_that_is_thrown_away_leaves_everything_and_the_next_one_is_compared_with_the_last_good_one(
    held: Town,
) -> None:
    edge = sources.edge(held.world.base, held.world.bus)
    start = held.journal_end()
    totals.void(edge, loads(edge.pool, "hr")[0], "operator")
    held.at("2026-09-03T08:00:00")
    held.say("hr", *(row(f"E{n}", number) for n, number in enumerate(PEOPLE)), total=True)
    assert held.asked(start) == []
    assert presences(held) == ["enabled"] * 13


def test_a_delta_after_the_held_load_wins_over_its_release(held: Town) -> None:
    """Somebody whose row the held export lacks is sent again by a later delta: that is newer than the absence."""
    held.at("2026-09-02T12:00:00")
    held.say("hr", row("E5", PEOPLE[5], extentPercent=50))
    edge = sources.edge(held.world.base, held.world.bus)
    totals.release(edge, reader_of("hr"), loads(edge.pool, "hr")[0], "operator")
    held.world.settle()
    assert presences(held) == ["enabled"] + ["disabled"] * 4 + ["enabled"] + ["disabled"] * 7
