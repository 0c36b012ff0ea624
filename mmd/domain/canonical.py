"""The canonical form of a document: what two stores that heard the same must agree on, to the byte (invariant 5)."""

from typing import Any

import msgspec

from streams.contracts.claims import thing_of
from streams.contracts.documents import PersonDocument, Thing


def canonical_bytes(document: PersonDocument | Thing) -> bytes:
    """Ids, aliases, timelines, markings and values, each with its designating source; JSON with sorted keys.

    Left out: versions, record keys, times of recording and event ids, all of which a replay may give anew.
    """
    content = _without_recording(msgspec.to_builtins(document))
    content["document"] = thing_of(document.id)
    return msgspec.json.encode(content, order="sorted")


def _without_recording(value: Any) -> Any:
    if isinstance(value, dict):
        found = {}
        for name, content in value.items():
            if name in {"stamp", "node_stamp"}:
                found["source"] = content["source"] if content else ""
            elif name == "members_stamp":
                found["members_source"] = content["source"] if content else ""
            elif name == "marking_stamps":
                found["marking_sources"] = [stamp["source"] for stamp in content]
            elif isinstance(content, dict | list | tuple):
                found[name] = _without_recording(content)
            else:
                found[name] = content
        return found
    if isinstance(value, list | tuple):
        return [_without_recording(content) for content in value]
    return value
