"""The source map shows the register as it is."""

from typing import Any

from deploy.docs.source_map import LABELS, source_map
from deploy.settings import CONFIG
from deploy.wiring.data import read_register
from mmd.domain.claims import KINDS
from mmd.domain.register import SourceRegister


def register(*changes: dict[str, Any]) -> SourceRegister:
    entry = {"information_set": "person", "attribute": "name", "sources": ["navet"], "owner": "Kommunstyrelsen"}
    return SourceRegister.from_data({"designations": [entry | change for change in changes]})


def row_of(page: str, attribute: str) -> str:
    (found,) = (line for line in page.splitlines() if line.startswith("|") and f"(`{attribute}`)" in line)
    return found


def test_every_attribute_has_its_sources_in_rank_order_and_its_owner() -> None:
    register = read_register(CONFIG / "sources.yml")
    page = source_map(register)
    assert register.version in page
    assert {one.attribute for one in register.designations} == KINDS == set(LABELS)
    for one in register.designations:
        row = row_of(page, one.attribute)
        assert f"1. `{one.sources[0]}`" in row
        assert one.owner in row


def test_rank_dates_and_persona_types_are_told() -> None:
    change = {
        "sources": ["navet", "hr"],
        "persona_type": "employee",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
    }
    row = row_of(source_map(register(change)), "name")
    for words in (
        "1. `navet`, 2. `hr`",
        "employee",
        "2026-01-01",
        "2026-12-31",
        "replaces the same first day",
        "conflict",
    ):
        assert words in row


def test_what_becomes_of_protection_from_other_sources_is_told_apart() -> None:
    row = row_of(source_map(register({"attribute": "protection"})), "protection")
    assert "a raise counts" in row
    assert "conflict" not in row
    assert "stands beside the older" in row


def test_an_attribute_without_a_source_is_listed_as_such() -> None:
    page = source_map(register({}))
    assert "- date of birth (`birth`): no source may give it" in page
    assert "(`name`): no source" not in page
