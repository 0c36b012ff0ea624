"""The leak search looks at everything that an API client could be answered, by the same rules as the API."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from mmd.domain.release import Release
from tests.integration.scenarios.conftest import FEMALE, UNIT, post, row

if TYPE_CHECKING:
    from tests.integration.scenarios.conftest import Town


def test_a_release_for_a_unit_and_all_below_it_is_searched_in_all_below_it(town: Town) -> None:
    town.say(
        "organisation", {"orgId": "1000", "orgName": "Omsorgen", "nodeFrom": "2020-01-01"}, UNIT | {"parentId": "1000"}
    )
    town.say("navet", post(FEMALE, "Greta", "Skymningsdal"))
    town.say("hr", row("E1", FEMALE))
    release = Release(
        "reader",
        "syfte",
        "purpose",
        "basis",
        frozenset({"names", "personas"}),
        None,
        frozenset({"unit:kommun:1000"}),
        dt.date.max,
        subtree=True,
    )
    search = dataclasses.replace(town.world.readings.leaks, releases={"of-a-subtree": release})
    assert "answer to of-a-subtree" in search.find("Skymningsdal")
