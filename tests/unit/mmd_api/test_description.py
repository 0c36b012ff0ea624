"""The published description: every reference resolves, every route says what it answers and what it refuses with."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from mmd.api.app import create_app
from mmd.api.problems import CODES
from mmd.api.readlog import FILLED_FROM
from mmd.domain.prefill import ATTRIBUTES as FORM_ATTRIBUTES
from mmd.domain.release import ATTRIBUTES
from streams.contracts.errors import TEXTS

DESCRIPTION = create_app(None).openapi()
OPERATIONS = [
    pytest.param(operation, id=f"{method} {path}")
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
]
OPEN = {"health", "ready", "metrics"}


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(one) for one in value.values()))
    return set().union(*(references(one) for one in value)) if isinstance(value, list) else set()


def test_every_reference_resolves_and_every_schema_is_used() -> None:
    named = {f"#/components/schemas/{name}" for name in DESCRIPTION["components"]["schemas"]}
    assert references(DESCRIPTION) == named


def test_the_schemas_are_json_schema() -> None:
    for schema in DESCRIPTION["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_it_is_the_same_each_time_it_is_made() -> None:
    assert json.dumps(create_app(None).openapi()) == json.dumps(DESCRIPTION)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_route_says_what_it_answers(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    good = operation["responses"]["200"]["content"]
    assert all(content["schema"] for content in good.values())
    for status, response in operation["responses"].items():
        assert response["description"]
        if status >= "400":
            schema = response["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_route_needs_a_token_but_for_those_without_personal_data(operation: dict[str, Any]) -> None:
    needs = operation["operationId"] not in OPEN
    assert (operation.get("security") == [{"accessToken": []}]) is needs
    assert ({"401", "403"} <= operation["responses"].keys()) is needs


def test_no_address_takes_an_identifier_of_a_person() -> None:
    for path, methods in DESCRIPTION["paths"].items():
        for operation in methods.values():
            names = {one["name"] for one in operation.get("parameters", [])}
            assert "identifier" not in path
            assert not names & {"identifier", "number", "personnummer", "pnr"}


def test_the_codes_are_listed_and_have_texts() -> None:
    assert DESCRIPTION["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == sorted(CODES)
    assert TEXTS.keys() >= CODES


def test_what_a_form_can_be_filled_from_has_a_name_in_the_read_log() -> None:
    assert FILLED_FROM.keys() == FORM_ATTRIBUTES.keys()
    assert {name for names in FILLED_FROM.values() for name in names} <= ATTRIBUTES
