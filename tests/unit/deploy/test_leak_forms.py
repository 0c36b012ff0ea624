"""The leak search finds a planted text however it was wrapped, and does not cry for nothing."""

import base64
import gzip
import json
import urllib.parse
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.replay.hidden import holds_any, holds_text

CANARY = "Öråsen-Kanariefågel"
PLAIN = CANARY.encode()
WRAPPED: dict[str, Callable[[], bytes]] = {
    "plain": lambda: b"xx" + PLAIN + b"yy",
    "latin-1": lambda: CANARY.encode("latin-1"),
    "utf-16": lambda: CANARY.encode("utf-16-le"),
    "json escapes": lambda: json.dumps({"a": CANARY}).encode(),
    "percent-encoded": lambda: urllib.parse.quote(CANARY).encode(),
    "lower percent-encoded": lambda: urllib.parse.quote(CANARY).lower().encode(),
    "hexadecimal": lambda: PLAIN.hex().encode(),
    "base64": lambda: b"key=" + base64.b64encode(b"some text before " + PLAIN + b" and after"),
    "base64, shifted": lambda: base64.b64encode(b"some text before it " + PLAIN),
    "url-safe base64": lambda: base64.urlsafe_b64encode(b"\xff\xfe\xfd" * 3 + PLAIN),
    "gzip": lambda: b"head" + gzip.compress(PLAIN * 3),
    "zlib in base64": lambda: base64.b64encode(zlib.compress(b"before " + PLAIN)),
    "base64 in gzip": lambda: gzip.compress(base64.b64encode(PLAIN + b" tail")),
}


@pytest.mark.parametrize("wrap", sorted(WRAPPED))
def test_a_planted_text_is_found(wrap: str) -> None:
    assert holds_text(WRAPPED[wrap](), CANARY)


@given(st.binary(max_size=300))
def test_what_is_not_there_is_not_found(data: bytes) -> None:
    assert not holds_text(data, CANARY)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_found_wherever_it_stands_in_base64(before: bytes, after: bytes) -> None:
    assert holds_text(b"," + base64.b64encode(before + PLAIN + after) + b",", CANARY)


def test_several_texts_are_found_in_one_look() -> None:
    data = base64.b64encode(b"some text before " + PLAIN)
    assert holds_any(data, ("Someone Else", CANARY))
    assert not holds_any(data, ("Someone Else", "Nobody"))
    assert not holds_any(data, ())
