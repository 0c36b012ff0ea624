"""Conflicts by the information owner (*informationsägare*) who is to see to them."""

import datetime as dt
from collections.abc import Iterable

from mmd.domain.register import SourceRegister
from mmd.store.conflicts import ConflictEntry
from streams.contracts.time import holds

NOBODY = "no information owner is decided"


def by_owner(entries: Iterable[ConflictEntry], register: SourceRegister, on: dt.date) -> dict[str, list[ConflictEntry]]:
    """Owners by name; entries in the order given. An attribute that no source is designated for has no owner."""
    owners = {one.attribute: one.owner for one in register.designations if holds(one.valid_from, one.valid_to, on)}
    found: dict[str, list[ConflictEntry]] = {}
    for entry in entries:
        found.setdefault(owners.get(entry.attribute, NOBODY), []).append(entry)
    return dict(sorted(found.items()))
