"""Where a persona stands on a day, for the purposes of accounts, and when that will change."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from streams.contracts.claims import Segment
from streams.contracts.documents import Persona, PersonDocument
from streams.contracts.time import day_after, start_of


class Phase(StrEnum):
    EARLY = "planned"  # starts later than the lead time
    STAGED = "staged"  # starts within the lead time
    ACTIVE = "active"
    ON_LEAVE = "on-leave"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Place:
    """A persona's phase, the segment that counts, and the day that conditions are read at: today, or the first day."""

    phase: Phase
    segment: Segment | None
    on: dt.date


def place(persona: Persona, today: dt.date, lead_days: int) -> Place:
    """Dates are inclusive: the last day is a day of work."""
    state = persona.state(today)
    if state == "cancelled":
        return Place(Phase.CANCELLED, None, today)
    if state in ("active", "on-leave"):
        phase = Phase.ACTIVE if state == "active" else Phase.ON_LEAVE
        return Place(phase, persona.segment(today), today)
    if state == "closed":
        return Place(Phase.CLOSED, None, today)
    start = min(s.valid_from for s in persona.segments if s.valid_from > today)
    phase = Phase.STAGED if (start - today).days <= lead_days else Phase.EARLY
    return Place(phase, persona.segment(start), start)


def boundaries(person: PersonDocument, lead_days: Iterable[int]) -> Iterator[dt.date]:
    """Every day on which something of the person begins, comes within a lead time, or no longer holds."""
    leads = set(lead_days)
    for persona in person.personas:
        for segment in persona.segments:
            yield segment.valid_from
            yield from (_before(segment.valid_from, lead) for lead in leads)
            if segment.valid_to:
                yield day_after(segment.valid_to)
        for leave in persona.leaves:
            yield leave.valid_from
            if leave.valid_to:
                yield day_after(leave.valid_to)
    for name in person.names:
        if name.valid_from:
            yield name.valid_from
        if name.valid_to:
            yield day_after(name.valid_to)


def _before(day: dt.date, days: int) -> dt.date:
    return day - dt.timedelta(days=days) if (day - dt.date.min).days > days else dt.date.min


def first_after(days: Iterable[dt.date], today: dt.date) -> dt.datetime | None:
    """The first instant (UTC) of the first of these days that is still to come."""
    coming = min((day for day in days if day > today), default=None)
    return start_of(coming) if coming and coming < dt.date.max else None
