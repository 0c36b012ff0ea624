"""Cursors are opaque, bound to their release, and never guessed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.store.cursor import read_cursor, write_cursor
from streams.contracts.errors import Rejected

SECRET = b"c" * 32


@given(st.text(max_size=40), st.integers(0, 2**63 - 1))
def test_a_cursor_gives_back_its_place(release: str, place: int) -> None:
    assert read_cursor(SECRET, release, write_cursor(SECRET, release, place)) == place


def test_the_empty_cursor_is_the_beginning() -> None:
    assert read_cursor(SECRET, "reader", "") == 0


@given(st.text(min_size=1, max_size=60))
def test_any_other_text_is_refused_with_its_code(text: str) -> None:
    with pytest.raises(Rejected, match="cursor.invalid"):
        read_cursor(SECRET, "reader", text)


def test_a_cursor_whose_place_was_changed_is_refused() -> None:
    content = base64.urlsafe_b64decode(write_cursor(SECRET, "reader", 7) + "==")
    forged = base64.urlsafe_b64encode(content[:-1] + b"\x08").decode()
    with pytest.raises(Rejected, match="cursor.invalid"):
        read_cursor(SECRET, "reader", forged)


def test_a_cursor_of_another_release_is_refused() -> None:
    with pytest.raises(Rejected, match="cursor.invalid"):
        read_cursor(SECRET, "another", write_cursor(SECRET, "reader", 7))
