"""A release (*utlämnandebeslut*): what one reader may see, of whom, for which purpose, on which legal basis, until when."""

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from streams.contracts.documents import PersonaType, UnitDocument
from streams.contracts.errors import Rejected
from streams.contracts.time import holds

PERSON_ATTRIBUTES = frozenset(
    {
        "names",
        "agreed-name",
        "numbers",  # the current number; superseded ones tell of a number change and need the next
        "number-history",
        "birth",
        "status",
        "assurance",
        "registered-addresses",
        "special-address",
        "guardians",
        "wards",
        "personas",
        "work-phone",
        "accounts",
        "aliases",  # ids of earlier numbers; readers of all persona types get them anyway
        "marking",
    }
)
THING_ATTRIBUTES = frozenset(
    {
        "places",
        "groups",
        "group-members",  # who is in a group, of the persona types that the release covers
        "legal-organisations",
    }
)
ATTRIBUTES = PERSON_ATTRIBUTES | THING_ATTRIBUTES
"""Every attribute that can be released. What is not listed in a release is not shown."""


class Marked(StrEnum):
    """What this reader gets of a person whose marking is anything but NONE."""

    RESTRICTED = "restricted"  # that the person exists, with agreed name and personas, never why
    CLEARED = "cleared"  # the reader is cleared for protected persons: what the release says
    NOTHING = "nothing"  # the reader may not know of the person


class Release(msgspec.Struct, frozen=True):
    """One decision. Dates inclusive. `persona_types` and `units` None: all.

    With persona types, only persons who have such a persona are known to the reader, and only by it. With units, only
    personas in those units; `subtree` says that the units below them count too, which `with_units` works out.
    """

    reader: str
    purpose_sv: str
    purpose_en: str
    legal_basis: str
    attributes: frozenset[str]
    persona_types: frozenset[PersonaType] | None
    units: frozenset[str] | None
    valid_until: dt.date
    valid_from: dt.date | None = None
    subtree: bool = False
    marked: Marked = Marked.RESTRICTED

    def in_force(self, on: dt.date) -> bool:
        return holds(self.valid_from, self.valid_until, on)

    def allows(self, attribute: str) -> bool:
        return attribute in self.attributes

    def covers(self, persona_type: PersonaType) -> bool:
        return self.persona_types is None or persona_type in self.persona_types

    def covers_all(self, persona_type: PersonaType) -> bool:
        """Whether every persona of the type is covered, whatever unit it is in."""
        return self.covers(persona_type) and self.units is None

    @property
    def covers_everybody(self) -> bool:
        """Whether no persona is left out."""
        return self.persona_types is None and self.units is None

    def with_units(self, units: Iterable[UnitDocument], on: dt.date) -> "Release":
        """The same release with its subtrees worked out over the organisation as it is on a date.

        Without this a release for a subtree covers its named units only.
        """
        if self.units is None or not self.subtree:
            return self
        below: dict[str, set[str]] = {}
        for unit in units:
            for entry in unit.parents:
                if holds(entry.valid_from, entry.valid_to, on):
                    below.setdefault(entry.parent, set()).add(unit.id)
        found, todo = set(self.units), list(self.units)
        while todo:
            for child in below.get(todo.pop(), set()) - found:
                found.add(child)
                todo.append(child)
        return msgspec.structs.replace(self, units=frozenset(found))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Release":
        """Read `{reader, purpose: {sv, en}, legal_basis, attributes, persona_types, units, valid_until, ...}` as from YAML.

        `persona_types` and `units` are lists or the word `all`: nothing is open because it was left out. Raises
        `Rejected("input.missing", path)` or `Rejected("input.invalid", path)`; no legal basis, no release.
        """
        try:
            raw = msgspec.convert(data, _Raw)
        except msgspec.ValidationError as error:
            raise Rejected("input.invalid", _path(error)) from None
        for path, text in (
            ("reader", raw.reader),
            ("purpose.sv", raw.purpose.sv),
            ("purpose.en", raw.purpose.en),
            ("legal_basis", raw.legal_basis),
        ):
            if not text.strip():
                raise Rejected("input.missing", path)
        unknown = raw.attributes - ATTRIBUTES
        if unknown:
            raise Rejected("input.invalid", "attributes")
        if raw.valid_from is not None and raw.valid_until < raw.valid_from:
            raise Rejected("input.end-before-start", "valid_until")
        return cls(
            reader=raw.reader,
            purpose_sv=raw.purpose.sv,
            purpose_en=raw.purpose.en,
            legal_basis=raw.legal_basis,
            attributes=raw.attributes,
            persona_types=_persona_types(raw.persona_types),
            units=_all_or(raw.units, "units"),
            valid_until=raw.valid_until,
            valid_from=raw.valid_from,
            subtree=raw.subtree,
            marked=raw.marked,
        )


class _Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sv: str = ""
    en: str = ""


class _Raw(msgspec.Struct, forbid_unknown_fields=True):
    valid_until: dt.date
    persona_types: str | list[str]
    units: str | list[str]
    reader: str = ""
    purpose: _Purpose = _Purpose()
    legal_basis: str = ""
    attributes: frozenset[str] = frozenset()
    valid_from: dt.date | None = None
    subtree: bool = False
    marked: Marked = Marked.RESTRICTED


def _all_or(value: str | list[str], path: str) -> frozenset[str] | None:
    if isinstance(value, str):
        if value != "all":
            raise Rejected("input.invalid", path)
        return None
    if "" in value:
        raise Rejected("input.invalid", path)
    return frozenset(value)


def _persona_types(value: str | list[str]) -> frozenset[PersonaType] | None:
    listed = _all_or(value, "persona_types")
    if listed is None:
        return None
    try:
        return frozenset(PersonaType(name) for name in listed)
    except ValueError:
        raise Rejected("input.invalid", "persona_types") from None


def _path(error: msgspec.ValidationError) -> str:
    """The field that msgspec names, never the value it had."""
    text = str(error)
    _, mark, tail = text.rpartition("`$.")
    if mark:
        return tail.rstrip("`")
    _, mark, tail = text.rpartition("field `")
    return tail.rstrip("`") if mark else "release"
