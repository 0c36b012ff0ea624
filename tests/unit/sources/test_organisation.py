"""The organisation export: a unit on three dated axes."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from connectors.sources.posts import Item, Post, Reject
from streams.contracts.claims import DatedName, UnitName, UnitNode, UnitParent, UnitPeriod, UnitStructure

Read = Callable[..., list[Item]]
START = dt.date(2015, 1, 1)
ROW: dict[str, Any] = {
    "orgId": "1031",
    "orgName": "Ekskolan",
    "orgNameShort": "EKS",
    "parentId": "1002",
    "nodeFrom": "2015-01-01",
    "responsibilityCode": "10310",
    "legalAuthority": "Utbildningsnämnden",
    "unitType": "enhet",
}


def bodies(items: list[Item]) -> list[object]:
    posts = [item for item in items if isinstance(item, Post)]
    assert len(posts) == 1, items
    assert posts[0].record.subject == posts[0].record.source_key == "unit:kommun:1031"
    return [claim.body for claim in posts[0].record.claims]


def test_a_unit_with_one_row_exists_under_its_parent_by_its_name_for_as_long(read: Read) -> None:
    assert bodies(read("organisation", [ROW])) == [
        UnitNode((UnitPeriod(START),), "enhet", "Utbildningsnämnden", "10310"),
        UnitStructure((UnitParent("unit:kommun:1002", START),)),
        UnitName((DatedName("Ekskolan", START, None, "EKS"),)),
    ]


def test_the_three_axes_change_each_at_its_own_date(read: Read) -> None:
    moved = {"structureFrom": "2026-02-01", "parentId": "1003"}
    renamed = {"nameFrom": "2026-03-01", "orgName": "Nya Ekskolan"}
    first = {
        "structureFrom": "2015-01-01",
        "structureTo": "2026-01-31",
        "nameFrom": "2015-01-01",
        "nameTo": "2026-02-28",
    }
    node, structure, names = bodies(
        read(
            "organisation",
            [ROW | first, ROW | first | moved | {"structureTo": None}, ROW | first | renamed | {"nameTo": None}],
        )
    )
    assert isinstance(node, UnitNode)
    assert isinstance(structure, UnitStructure)
    assert isinstance(names, UnitName)
    assert node.periods == (UnitPeriod(START),)
    assert [(p.parent, p.valid_from) for p in structure.parents] == [
        ("unit:kommun:1002", START),
        ("unit:kommun:1003", dt.date(2026, 2, 1)),
    ]
    assert [(n.name, n.valid_to) for n in names.names] == [("Ekskolan", dt.date(2026, 2, 28)), ("Nya Ekskolan", None)]


@pytest.mark.parametrize(
    ("fields", "code", "detail"),
    [
        ({"orgId": ""}, "input.missing", "orgId"),
        ({"orgId": "a:b"}, "input.invalid", "orgId"),
        ({"orgName": None}, "input.missing", "orgName"),
        ({"nodeFrom": None}, "input.missing", "nodeFrom"),
        ({"nodeTo": "2014-12-31"}, "input.end-before-start", "nodeTo"),
        ({"parentId": "1031"}, "input.invalid", "parentId"),
    ],
)
def test_a_bad_unit_is_rejected_by_field(read: Read, fields: dict[str, Any], code: str, detail: str) -> None:
    items = read("organisation", [ROW | fields])
    assert [(item.code, item.detail) for item in items if isinstance(item, Reject)] == [(code, detail)]


@pytest.mark.parametrize("newest_first", [False, True])
def test_what_has_no_dates_is_said_by_the_row_that_begins_last_wherever_it_stands(
    read: Read, newest_first: bool
) -> None:
    """A unit that came to another nämnd is under its policy, in whatever order the export has its rows."""
    rows = [
        ROW | {"structureFrom": "2015-01-01", "structureTo": "2024-12-31", "legalAuthority": "Utbildningsnämnden"},
        ROW | {"structureFrom": "2025-01-01", "parentId": "1003", "legalAuthority": "Socialnämnden"},
    ]
    node = bodies(read("organisation", rows[::-1] if newest_first else rows))[0]
    assert isinstance(node, UnitNode)
    assert node.legal_authority == "Socialnämnden"
