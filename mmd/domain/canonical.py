"""The canonical form of a document: what two stores that heard the same must agree on, to the byte (invariant 5)."""

import types
import typing
from functools import cache
from typing import Any

import msgspec

from streams.contracts.claims import thing_of
from streams.contracts.documents import PersonDocument, Stamp, Thing


def canonical_bytes(document: PersonDocument | Thing) -> bytes:
    """Ids, aliases, timelines, markings and values, each with its designating source; JSON with sorted keys.

    Left out: versions, record keys, times of recording and event ids, all of which a replay may give anew.
    """
    return canonical_of(document, _encoder.encode(document))


def canonical_of(document: PersonDocument | Thing, encoded: bytes) -> bytes:
    """As `canonical_bytes`, where the document is `encoded` as JSON already."""
    return thing_of(document.id).encode() + b"\n" + _sorted.encode(_decoder(type(document)).decode(encoded))


class _Source(msgspec.Struct, frozen=True):
    """What of a `Stamp` belongs to the document: the rest is read past."""

    source: str


_encoder = msgspec.json.Encoder()
_sorted = msgspec.json.Encoder(order="sorted")


@cache
def _decoder(document: type) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_without_recording(document))


@cache
def _without_recording(kind: Any) -> Any:
    """The same type with `_Source` wherever it has a `Stamp`."""
    if kind is Stamp:
        return _Source
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        fields = [
            (one.name, _without_recording(hints[one.name]), one.default)
            if one.default is not msgspec.NODEFAULT
            else (one.name, _without_recording(hints[one.name]))
            for one in msgspec.structs.fields(kind)
        ]
        tag = kind.__struct_config__.tag
        return msgspec.defstruct(kind.__name__, fields, frozen=True, omit_defaults=True, tag=tag, kw_only=True)
    arguments = tuple(_without_recording(one) for one in typing.get_args(kind))
    if not arguments or arguments == typing.get_args(kind):
        return kind
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.Union[arguments]  # noqa: UP007
    return kind.__origin__[arguments]
