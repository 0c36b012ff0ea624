"""How a text can hide in bytes: plain, encoded, escaped or compressed. What the leak search looks for."""

import base64
import functools
import json
import re
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_MOST_UNPACKED = 10_000_000


@functools.lru_cache
def forms(text: str) -> tuple[bytes, ...]:
    """The byte strings that a text shows as: UTF-8, Latin-1, UTF-16, JSON-escaped, percent-encoded and hexadecimal."""
    plain = text.encode()
    escaped = json.dumps(text)[1:-1].encode()
    found = {
        plain,
        text.encode("latin-1", errors="replace"),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        escaped,
        urllib.parse.quote(text).encode(),
        urllib.parse.quote_plus(text).encode(),
        plain.hex().encode(),
    }
    return tuple(sorted(form.lower() for form in found))


def holds_text(data: bytes, text: str, depth: int = 3) -> bool:
    """Whether the text can be read out of the bytes, in any of its forms, also inside base64 or compressed parts."""
    return holds_any(data, (text,), depth)


def holds_any(data: bytes, texts: Iterable[str], depth: int = 3) -> bool:
    """Whether one of the texts can: the bytes are unpacked once for all of them."""
    wanted = {form for text in texts for form in forms(text)}
    return any(form in layer for layer in map(bytes.lower, _layers(data, depth)) for form in wanted)


def _layers(data: bytes, depth: int) -> Iterator[bytes]:
    yield data
    if depth == 0:
        return
    for match in _COMPRESSED.finditer(data):
        unpacked = _unpacked(data[match.start() :])
        if unpacked:
            yield from _layers(unpacked, depth - 1)
    for match in _BASE64.finditer(data):
        run = match[0].translate(_URL_SAFE)
        for start in range(4):  # the encoded text may begin anywhere in a run of such characters
            piece = run[start : len(run) - 1 if (len(run) - start) % 4 == 1 else None]
            yield from _layers(base64.b64decode(piece + b"=" * (-len(piece) % 4)), depth - 1)


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(data, _MOST_UNPACKED)
    except zlib.error:
        return b""
