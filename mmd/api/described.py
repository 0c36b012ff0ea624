"""The published description (OpenAPI 3.1): answers and problems as JSON Schema of the very types that are encoded."""

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

from mmd.api.problems import CODES, MEDIA_TYPE, UNEXPECTED, Problem
from streams.contracts.errors import TEXTS

_PLACE = "#/components/schemas/{name}"
_ANY = ("service.unavailable", UNEXPECTED, "input.too-large")
_WITH_TOKEN = ("access.unauthenticated", "access.denied", "input.missing")

Responses = dict[int | str, dict[str, Any]]


def answers(kind: type[msgspec.Struct], description: str, *codes: str, conditional: bool = False) -> Responses:
    """What a route under a release answers: its type, and the codes that it may refuse with besides those of every route.
    `conditional`: it answers 304 where the reader has the bytes already."""
    found = _good(kind, description)
    if conditional:
        found[304] = {"description": "The reader has these bytes already"}
    return found | _problems({*codes, *_ANY, *_WITH_TOKEN})


def open_answers(kind: type[msgspec.Struct], description: str, *codes: str) -> Responses:
    """What a route without token answers."""
    return _good(kind, description) | _problems({*codes, *_ANY})


def text_answer(description: str) -> Responses:
    found: Responses = {200: {"description": description, "content": {"text/plain": {"schema": {"type": "string"}}}}}
    return found | _problems(set(_ANY))


def with_components(description: dict[str, Any], kinds: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    """The framework's description with the schemas of the types that its routes answer, problems too."""
    _, schemas = msgspec.json.schema_components([*kinds, Problem], ref_template=_PLACE)
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    schemas[Problem.__name__]["properties"]["code"]["enum"] = sorted(CODES)
    held = description.setdefault("components", {}).setdefault("schemas", {})
    if twice := held.keys() & schemas.keys():
        raise ValueError(f"two schemas of one name: {', '.join(sorted(twice))}")
    held.update(schemas)
    return description


def _good(kind: type[msgspec.Struct], description: str) -> Responses:
    schema = {"$ref": _PLACE.format(name=kind.__name__)}
    headers = {"ETag": {"description": "Hash of the answer's bytes", "schema": {"type": "string"}}}
    return {200: {"description": description, "headers": headers, "content": {"application/json": {"schema": schema}}}}


def _problems(codes: Iterable[str]) -> Responses:
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(TEXTS[code].status, []).append(code)
    content = {MEDIA_TYPE: {"schema": {"$ref": _PLACE.format(name=Problem.__name__)}}}
    return {
        status: {"description": " ".join(f"`{code}`: {TEXTS[code].en}" for code in found), "content": content}
        for status, found in sorted(by_status.items())
    }
