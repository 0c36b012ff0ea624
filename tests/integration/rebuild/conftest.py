"""A municipality in the direct world, and a store beside it that is made again from its log."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from deploy.operations.shadow import Shadow, beside, make_empty, shadow_of
from tests.stack.town import TODAY, Town, new_town

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.replay.direct import DirectWorld


@pytest.fixture
def town(direct_world: DirectWorld, tmp_path: Path) -> Town:
    """Loaded, with two waves of changes, a leaver and two markings; everything is quiet."""
    made = new_town(tmp_path / "town", seed=7, persons=20, units=4, waves=2)
    direct_world.set_clock(TODAY)
    for file in (*made.first, *made.waves, *made.urgent):
        direct_world.feed_file(file.source, file.path)
        direct_world.settle()
    direct_world.set_clock(TODAY + dt.timedelta(days=1))
    direct_world.settle()
    return made


@pytest.fixture
def new_shadow(direct_world: DirectWorld) -> Iterator[Callable[[], Shadow]]:
    """Makes empty stores beside that of the direct world, with its clock."""
    made: list[Shadow] = []
    settings = direct_world.base.settings

    def make() -> Shadow:
        name = f"shadow_{uuid.uuid4().hex[:12]}"
        make_empty(settings, name)
        made.append(shadow_of(settings, name, direct_world.clock))
        return made[-1]

    yield make
    for one in made:
        one.close()
        name = one.settings.database_url.rpartition("/")[2]
        with psycopg.connect(beside(settings.store_url, "postgres"), autocommit=True) as admin:
            admin.execute(f'drop database "{name}" with (force)'.encode())
