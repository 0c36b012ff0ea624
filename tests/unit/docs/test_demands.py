"""The demands on target systems follow the port: nothing of it is left out, and nothing else is demanded."""

from pathlib import Path

import msgspec
import pytest

from connectors.targets import rules
from deploy.docs.demands import complaints, demands_page, parts_of_the_port, read_demands

ROOT = Path(__file__).parents[3]
DEMANDS = read_demands(ROOT)


def test_every_part_of_the_port_is_demanded_and_every_demand_is_about_a_part_of_it() -> None:
    assert complaints(DEMANDS) == []


def test_the_parts_are_what_the_port_and_its_rules_define() -> None:
    parts = parts_of_the_port()
    assert {"Target.ensure", "Capabilities.hosting", "Disabling.LOCKED_TIME", "AccountState.key", "check"} <= parts
    assert {"MANAGED_GROUPS", "target.refused"} <= parts
    assert not parts & {"Iterable", "Rejected", "Enum", "Protocol", "dataclass", "Target._is_protocol"}


@pytest.mark.parametrize("part", ["Capabilities.conditional_writes", "target.unknown-outcome", "Presence.ABSENT"])
def test_a_part_that_no_demand_is_about_is_told(part: str) -> None:
    less = [msgspec.structs.replace(one, about=tuple(name for name in one.about if name != part)) for one in DEMANDS]
    assert [line for line in complaints(tuple(less)) if line.endswith(f"no demand is about {part}")]


def test_what_is_no_part_and_a_demand_without_a_test_are_told() -> None:
    first = msgspec.structs.replace(DEMANDS[0], about=(*DEMANDS[0].about, "Target.guess"), tests=())
    told = complaints((first, *DEMANDS[1:]))
    assert any("Target.guess is no part of the port" in line for line in told)
    assert "K1: no test" in told


def test_the_page_has_every_demand_with_what_the_code_says() -> None:
    page = demands_page(DEMANDS)
    for one in DEMANDS:
        assert f"## {one.id} {one.title}" in page
        assert all(f"- `{test}`" in page for test in one.tests)
    assert f"högst {rules.LONGEST['key']} tecken" in page
    assert "`org:` eller `role:`" in page
    assert "{" not in page
