"""Time and haste: when a document changes by the clock alone, and whether a new version may wait behind the bulk."""

import datetime as dt
from collections.abc import Iterator

from mmd.domain.protection import LEVEL
from mmd.domain.status import DECEASED
from streams.contracts.claims import Marking
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    Persona,
    PersonDocument,
    PlaceDocument,
    RelationEntry,
    Thing,
    UnitDocument,
)
from streams.contracts.time import day_after, local_date, start_of

URGENT = "urgent"
BULK = "bulk"

_IN_FORCE = frozenset({"active", "on-leave"})
_OVER = frozenset({"closed", "cancelled"})


def next_change(document: PersonDocument | Thing, after: dt.datetime) -> dt.datetime | None:
    """The first Swedish midnight (as UTC) later than `after` (UTC) at which what holds changes by date; None: never.

    Something that starts changes on its first day, something that ends on the day after its inclusive last one.
    """
    today = local_date(after)
    first: dt.date | None = None
    for start, end in _periods(document):
        for day in (start, day_after(end) if end is not None and end < dt.date.max else None):
            if day is not None and day > today and (first is None or day < first):
                first = day
    return None if first is None else start_of(first)


def _periods(document: PersonDocument | Thing) -> Iterator[tuple[dt.date | None, dt.date | None]]:
    if not isinstance(document, PersonDocument):
        yield from ((item.valid_from, item.valid_to) for item in document.periods)
    yield from ((item.valid_from, item.valid_to) for item in document.names)
    match document:
        case UnitDocument():
            yield from ((item.valid_from, item.valid_to) for item in document.parents)
        case PlaceDocument():
            yield from ((item.valid_from, item.valid_to) for item in document.units)
        case GroupDocument():
            yield from ((item.valid_from, item.valid_to) for item in document.members)
        case LegalOrganisationDocument():
            yield from ((item.valid_from, item.valid_to) for item in document.seats)
        case PersonDocument():
            yield from _of_person(document)


def _of_person(document: PersonDocument) -> Iterator[tuple[dt.date | None, dt.date | None]]:
    yield from ((item.valid_from, item.valid_to) for item in document.registered_addresses)
    yield from ((item.valid_from, item.valid_to) for item in (*document.guardians, *document.wards))
    if document.special_address is not None:
        yield document.special_address.valid_from, document.special_address.valid_to
    for persona in document.personas:
        yield from ((item.valid_from, item.valid_to) for item in persona.segments)
        yield from ((item.valid_from, item.valid_to) for item in persona.leaves)


def lane(before: PersonDocument | None, after: PersonDocument, on: dt.date) -> str:
    """`urgent` where the new version protects or revokes, else `bulk`. `on` is the Swedish date today.

    Urgent: what may be shown shrank (the marking rose; a person nobody knew counts as UNVERIFIED before), the person
    died, or a basis of access ended: a persona or a custody relation that is gone, cancelled, no longer in force, or
    whose last day was moved to today or earlier.
    """
    if _level(after) > (LEVEL[Marking.UNVERIFIED] if before is None else _level(before)):
        return URGENT
    if before is None:
        return BULK
    if _deceased(after) and not _deceased(before):
        return URGENT
    if before.personas != after.personas:
        now = {persona.key: persona for persona in after.personas}
        if any(_revoked(persona, now.get(persona.key), on) for persona in before.personas):
            return URGENT
    if _relation_ended(before.wards, after.wards, on) or _relation_ended(before.guardians, after.guardians, on):
        return URGENT
    return BULK


def _level(document: PersonDocument) -> int:
    return LEVEL[document.marking or Marking.UNVERIFIED]


def _deceased(document: PersonDocument) -> bool:
    return document.status is not None and document.status.state == DECEASED


def _revoked(before: Persona, after: Persona | None, on: dt.date) -> bool:
    was = before.state(on)
    if was in _OVER:
        return False
    if after is None or after.cancelled:
        return True
    state = after.state(on)
    if state in _OVER or (was in _IN_FORCE and state not in _IN_FORCE):
        return True
    end = _last_day(after)
    return end <= on and end < _last_day(before)


def _last_day(persona: Persona) -> dt.date:
    return max((s.valid_to or dt.date.max for s in persona.segments), default=dt.date.min)


def _relation_ended(before: tuple[RelationEntry, ...], after: tuple[RelationEntry, ...], on: dt.date) -> bool:
    if before == after:
        return False
    last: dict[str, dt.date] = {}
    for entry in after:
        last[entry.person] = max(last.get(entry.person, dt.date.min), entry.valid_to or dt.date.max)
    for entry in before:
        end = entry.valid_to or dt.date.max
        moved_to = last.get(entry.person, dt.date.min)
        if end >= on and moved_to <= on and moved_to < end:
            return True
    return False
