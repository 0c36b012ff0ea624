"""LDIF by RFC 2849: every value comes back as it was, whatever bytes it holds."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.embedded.ldif import Entry, to_ldif


def read(record: bytes) -> list[tuple[str, bytes]]:
    """A reader of its own, by the RFC's grammar for lines without folding."""
    found = []
    for line in record.split(b"\n"):
        if line:
            name, _, rest = line.partition(b":")
            value = base64.b64decode(rest[2:]) if rest.startswith(b": ") else rest[1:]
            found.append((name.decode(), value))
    return found


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
@example([b"", b" x", b"x ", b":x", b"<x", b"a\nb", b"a\rb", b"a\x00b", "Åsa".encode()])
def test_every_value_comes_back_as_it_was(values: list[bytes]) -> None:
    record = to_ldif(Entry("uid=x,dc=test", {"description": values}))
    assert read(record) == [("dn", b"uid=x,dc=test"), *(("description", value) for value in values)]


@pytest.mark.parametrize("value", [b" x", b"x ", b":x", b"<x", b"a\nb", b"a\x00b", "Åsa".encode()])
def test_what_is_no_safe_string_is_encoded(value: bytes) -> None:
    assert b"cn:: " in to_ldif(Entry("dc=test", {"cn": [value]}))


def test_a_plain_value_stays_readable_and_a_record_ends_with_an_empty_line() -> None:
    assert to_ldif(Entry("dc=test", {"cn": [b"Anna B"]})) == b"dn: dc=test\ncn: Anna B\n\n"
