"""Plain content on the wire: msgspec JSON with the checks that every value passes before a domain sees it."""

import re
from typing import Generic, TypeVar

import msgspec

from streams.contracts.errors import Rejected

LIMIT_BYTES = 1_000_000
"""The largest plain content; Kafka's default largest record (1,048,588 bytes) leaves room for seal, key and headers."""

_NUL = b"\\u0000"
_REAL_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_PATH = re.compile(r" - at `([^`]*)`$")

T = TypeVar("T")


def has_nul(json: bytes) -> bool:
    """Whether a text in this JSON holds a NUL byte (a backslash followed by the letters u0000 is none).
    PostgreSQL stores no NUL in a text, and no source has a reason to send one."""
    return _NUL in json and _REAL_NUL.search(json) is not None


class Json(Generic[T]):
    """Encodes and decodes one msgspec type. Errors name positions and fields, never values."""

    def __init__(self, kind: type[T]) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(kind)

    def encode(self, value: T) -> bytes:
        """Raises `Rejected`: input.too-large, input.nul-byte, or input.invalid for a text that is not Unicode."""
        try:
            plain = self._encoder.encode(value)
        except UnicodeEncodeError:
            raise Rejected("input.invalid", "text is not Unicode") from None
        _check(plain)
        return plain

    def decode(self, plain: bytes) -> T:
        """Raises `Rejected`: input.too-large, input.nul-byte, input.not-decodable, or input.invalid with the path."""
        _check(plain)
        try:
            return self._decoder.decode(plain)
        except msgspec.ValidationError as error:
            path = _PATH.search(str(error))
            raise Rejected("input.invalid", path[1] if path else "$") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Rejected("input.not-decodable", "JSON") from None


def _check(plain: bytes) -> None:
    if len(plain) > LIMIT_BYTES:
        raise Rejected("input.too-large", f"{len(plain)} bytes, at most {LIMIT_BYTES}")
    if has_nul(plain):
        raise Rejected("input.nul-byte", "content")
