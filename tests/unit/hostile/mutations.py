"""Good inputs, changed at random: byte by byte, and field by field where they are JSON."""

import copy
import json
import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.unit.hostile.case import CANARY

FUZZ_SECONDS = float(os.environ.get("KALLAN_FUZZ_SECONDS", "0"))
"""How long each door is tried; 0: a fixed number of examples, as in every run of the tests."""

EVERY_RUN = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

_PIECES = (
    b"",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"<",
    b">",
    b"&",
    b'"',
    b"{",
    b"[" * 50,
    b"9" * 400,
    b"\n",
    b"-1",
    b"null",
)
_pieces = st.sampled_from(_PIECES) | st.binary(max_size=6)
_edits = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 40), _pieces), min_size=1, max_size=4)


def bytewise(good: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with up to four stretches replaced, or cut off."""

    def edited(edits: list[tuple[int, int, bytes]], cut: int | None) -> bytes:
        found = good
        for place, length, piece in edits:
            start = place % (len(found) + 1)
            found = found[:start] + piece + found[start + length :]
        return found if cut is None else found[: cut % (len(found) + 1)]

    return st.builds(edited, _edits, st.none() | st.integers(0, 10**6))


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", CANARY, "9999-12-31", "0001-01-01", "2026-02-30", "\u202e", "x" * 5000, "unit:a:b", "id:x", "\x1b[2J"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a piece of JSON."""
    found = [path] if path else []
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in pairs:
        found += places(value, (*path, key))
    return found


def fieldwise(good: Any) -> st.SearchStrategy[Any]:
    """The content with up to three values replaced, left out, or an unknown one put beside them."""
    everywhere = places(good)

    def edited(edits: list[tuple[tuple[Any, ...], str, Any]]) -> Any:
        found = copy.deepcopy(good)
        for path, how, value in edits:
            _edit(found, path, how, value)
        return found

    edit = st.tuples(st.sampled_from(everywhere), st.sampled_from(["put", "drop", "beside"]), VALUES)
    return st.builds(edited, st.lists(edit, min_size=1, max_size=3))


def _edit(content: Any, path: tuple[Any, ...], how: str, value: Any) -> None:
    for key in path[:-1]:
        if not isinstance(content, dict | list) or isinstance(content, dict) and key not in content:
            return
        if isinstance(content, list) and (not isinstance(key, int) or key >= len(content)):
            return
        content = content[key]
    last = path[-1]
    if isinstance(content, dict):
        if how == "drop":
            content.pop(last, None)
        else:
            content[last if how == "put" else f"{last}2"] = value
    elif isinstance(content, list) and isinstance(last, int) and last < len(content):
        content[last] = value


def encoded(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")


def run(check: Callable[[], None]) -> None:
    """Once; or again and again, with new examples each time, for as long as is asked for."""
    check()
    until = time.monotonic() + FUZZ_SECONDS
    while time.monotonic() < until:
        check()
