"""Entries as LDIF (RFC 2849)."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SAFE = re.compile(rb"\A[!-9;=-~][ -~]*(?<! )\Z")
"""SAFE-STRING, stricter at both ends: printable ASCII that begins with no space, colon or less-than and ends in no space."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory entry: its DN and its attributes' values as bytes."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]]


def to_ldif(entry: Entry) -> bytes:
    """One record. A file is records after each other, parents before children."""
    lines = [_line("dn", entry.dn.encode())]
    for name, values in entry.attributes.items():
        lines.extend(_line(name, value) for value in values)
    return b"".join(lines) + b"\n"


def _line(name: str, value: bytes) -> bytes:
    if not value:
        return f"{name}:\n".encode()
    if _SAFE.match(value):
        return f"{name}: ".encode() + value + b"\n"
    return f"{name}:: ".encode() + base64.b64encode(value) + b"\n"
