"""Invariant 5 to the very end: the same files in any order end in the same accounts, groups and attributes.

Each file carries its own stamps. What may differ is only what the order itself made: an account that was made before a
marking or an end was known exists, disabled and without a name, where another order never made it.
"""

from __future__ import annotations

import io
import itertools
import json
import random
from typing import Any

import pytest

from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.registry import load_stream
from deploy.replay.direct import DirectWorld
from deploy.replay.scenario import instant_of
from deploy.wiring import sources
from tests.integration.scenarios.conftest import CHILD, FEMALE, MALE, SIBLING, UNIT, post, row

People = (FEMALE, MALE, CHILD, SIBLING)


def export(kind: str, hour: int, *rows: Any) -> bytes:
    head = {
        "format": kind,
        "extractedAt": f"2026-09-01T{hour:02d}:00:00Z",
        "total": False,
        "employer": "kommun",
        "count": len(rows),
    }
    return b"\n".join(json.dumps(one).encode() for one in (head, *rows, {"end": True, "count": len(rows)})) + b"\n"


def posts(hour: int, *records: Any) -> bytes:
    stamped = [one | {"andringstidpunkt": f"20260901{hour:02d}0000"} for one in records]
    return file_bytes(stamped, FileHeader(number=hour), instant_of("2026-09-01T20:00:00"))


OTHER_UNIT = UNIT | {"orgId": "1200", "orgName": "Hemtjänst Söder", "parentId": "1000"}
TOP = UNIT | {"orgId": "1000", "orgName": "Vård och omsorg"}
FILES: dict[str, tuple[str, bytes]] = {
    "units": ("organisation", export("org-export.v1", 1, UNIT, OTHER_UNIT)),
    "top": ("organisation", export("org-export.v1", 2, TOP)),
    "renamed": ("organisation", export("org-export.v1", 5, UNIT | {"orgName": "Hemtjänst Nordväst"})),
    "posts": ("navet", posts(3, post(FEMALE, "Anna"), post(MALE, "Bo"), post(CHILD, "Cia"))),
    "news": (
        "navet",
        posts(6, post(FEMALE, "Anna", "Nyby"), post(CHILD, "Cia", Sekretessmarkering="J"), post(SIBLING, "Dan")),
    ),
    "change": (
        "navet",
        posts(
            7,
            post(MALE, "Bo", AvregistreringsorsakKod="GN", HanvisningsPersonNr=SIBLING),
            post(SIBLING, "Dan", HanvisningsPersonNr=MALE),
        ),
    ),
    "hired": ("hr", export("hr-export.v1", 4, row("E1", FEMALE), row("E2", MALE), row("E3", CHILD))),
    "moved": ("hr", export("hr-export.v1", 8, row("E1", FEMALE, orgId="1200", title="barnskötare", aid=""))),
    "second": ("hr", export("hr-export.v1", 9, row("E4", FEMALE, extentPercent=50, agreedDisplayName="Anna N"))),
    "ended": ("hr", export("hr-export.v1", 10, row("E4", FEMALE, endDate="2026-08-31"))),
}


def outcome(world: DirectWorld) -> dict[str, object]:
    """By person and target: attributes and groups of what may sign in. Each world has secrets of its own, so a name that
    is made of them is written as such."""
    found: dict[str, object] = {}
    for number in People:
        person = world.readings.person_id(number) or ""
        for key, (name, target) in itertools.product(world.readings.account_keys(person), world.targets.items()):
            observed = target.read(key)
            if observed is None:
                continue
            state = observed.state
            assert state.presence == "enabled" or state.groups == frozenset()
            if state.presence == "enabled":
                place = f"{People.index(number)}@{name}"
                shown = {name: value.replace(state.uid, "<uid>") for name, value in state.attributes.items()}
                found[place] = (shown, sorted(state.groups))
    return found


def orders() -> list[tuple[str, ...]]:
    names = list(FILES)
    chosen = [tuple(names), tuple(reversed(names))]
    shuffled = random.Random(20260901)  # noqa: S311  # repeatable, no secret
    return chosen + [tuple(shuffled.sample(names, len(names))) for _ in range(5)]


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    return {}


@pytest.mark.parametrize("order", orders(), ids="-".join)
def test_the_same_files_in_any_order_end_in_the_same_accounts(
    order: tuple[str, ...], direct_world: DirectWorld, expected: dict[str, object]
) -> None:
    direct_world.set_clock(instant_of("2026-09-01T20:00:00"))
    edge = sources.edge(direct_world.base, direct_world.bus)
    for name in order:
        source, content = FILES[name]
        load_stream(source, io.BytesIO(content), edge)
        direct_world.settle()
    assert direct_world.readings.dead_letters() == {}
    got = outcome(direct_world)
    assert {place.partition("@")[0] for place in got} == {"0", "1", "2", "3"}
    assert got == expected.setdefault("first", got)
