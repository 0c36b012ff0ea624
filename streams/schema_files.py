"""The published JSON Schemas, generated from the types and kept in the tree so that others can read them there."""

import json
from pathlib import Path
from typing import Any

import msgspec

from streams.catalogue import PUBLISHED_SCHEMA, RECORD_SCHEMA
from streams.contracts.claims import SourceRecord
from streams.contracts.documents import Published

FOLDER = Path(__file__).parent / "schemas"

_TYPES: dict[str, tuple[type[msgspec.Struct], str]] = {
    RECORD_SCHEMA: (SourceRecord, "One record of a source, on `source.*.v1`"),
    PUBLISHED_SCHEMA: (Published, "A document of the master, on `mmd.*.v1`"),
}


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) of each schema name of the catalogue."""
    return {name: _schema(name, kind, title) for name, (kind, title) in _TYPES.items()}


def _schema(name: str, kind: type[msgspec.Struct], title: str) -> dict[str, Any]:
    made = msgspec.json.schema(kind)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:kallan:schema:{name}"}
    return {**head, "title": title, **made}


def _files() -> dict[str, str]:
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        for name, schema in schemas().items()
    }


def write(folder: Path = FOLDER) -> None:
    """Write every schema; a file that belongs to none is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in _files():
            path.unlink()
    for name, text in _files().items():
        (folder / name).write_text(text, encoding="utf-8")


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of files that are missing, differ from the types, or belong to no schema."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    wanted = _files()
    return sorted(name for name in present.keys() | wanted.keys() if present.get(name) != wanted.get(name))
