"""What still counts of a record that does not decode as a whole: one claim of an unknown shape must not take a marking or
the end of an employment with it.

Only the content is looked at; whoever calls has opened the seal, and checks the outcome as any other record.
"""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from streams.contracts.claims import Claim, Protection, SourceRecord
from streams.contracts.identifiers import Identifier
from streams.wire import has_nul

PROTECTION = "protection"

T = TypeVar("T")


class _Outline(msgspec.Struct):
    """A record whose parts are not decoded yet."""

    source: str
    source_key: str
    version: str
    subject: str
    claims: tuple[msgspec.Raw, ...]
    identifier: msgspec.Raw = msgspec.Raw(b"null")
    together: msgspec.Raw = msgspec.Raw(b"[]")


class _Kind(msgspec.Struct):
    kind: str


class _AnyClaim(msgspec.Struct):
    body: _Kind


_outlines = msgspec.json.Decoder(_Outline)
_claims = msgspec.json.Decoder(Claim)
_kinds = msgspec.json.Decoder(_AnyClaim)
_identifiers = msgspec.json.Decoder(Identifier | None)


def usable_part(plain: bytes) -> SourceRecord | None:
    """The record with the claims that can be read; None where there are none, or where not even its outline can be.

    A protection claim that cannot be read counts as an unknown token, which raises. Where the identifier cannot be read,
    only protection claims are left: the others would stand for a person without a number. So it is where the record brings
    other units: of a reorganisation all counts or nothing.
    """
    outline = _decoded(_outlines, plain)
    if outline is None or any("\0" in text for text in _texts(outline)):
        return None
    claims, identifier = tuple(_readable(outline.claims)), None
    if not has_nul(bytes(outline.identifier)):
        identifier = _decoded(_identifiers, outline.identifier)
    nameless = identifier is None and bytes(outline.identifier) != b"null"
    if nameless or bytes(outline.together) != b"[]":
        claims = tuple(claim for claim in claims if isinstance(claim.body, Protection))
    return SourceRecord(*_texts(outline), claims, identifier) if claims else None


def _texts(outline: _Outline) -> tuple[str, str, str, str]:
    return outline.source, outline.source_key, outline.version, outline.subject


def _readable(claims: tuple[msgspec.Raw, ...]) -> Iterator[Claim]:
    for raw in claims:
        claim = None if has_nul(bytes(raw)) else _decoded(_claims, raw)
        if claim is not None:
            yield claim
        elif (known := _decoded(_kinds, raw)) is not None and known.body.kind == PROTECTION:
            yield Claim(Protection(unknown_token=True))


def _decoded(decoder: msgspec.json.Decoder[T], content: bytes | msgspec.Raw) -> T | None:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
