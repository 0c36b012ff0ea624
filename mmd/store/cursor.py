"""Opaque cursors of change feeds: a place in one release's sequence, bound to that release by a keyed hash."""

import base64
import binascii
import hashlib
import hmac

from streams.contracts.errors import Rejected

_MAC_BYTES = 12


def _mac(secret: bytes, release: str, place: bytes) -> bytes:
    return hmac.new(secret, b"cursor\n" + release.encode() + b"\n" + place, hashlib.sha256).digest()[:_MAC_BYTES]


def write_cursor(secret: bytes, release: str, seq: int) -> str:
    place = seq.to_bytes(8, "big")
    return base64.urlsafe_b64encode(_mac(secret, release, place) + place).decode().rstrip("=")


def read_cursor(secret: bytes, release: str, cursor: str) -> int:
    """The place; the empty cursor is the beginning. Raises `Rejected("cursor.invalid")` for anything but a cursor that
    `write_cursor` gave for this release."""
    if not cursor:
        return 0
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("cursor.invalid") from None
    mac, place = content[:_MAC_BYTES], content[_MAC_BYTES:]
    if len(place) != 8 or not hmac.compare_digest(mac, _mac(secret, release, place)):
        raise Rejected("cursor.invalid")
    return int.from_bytes(place, "big")
