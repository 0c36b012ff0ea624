"""Timelines: dated values without overlap. Dates are inclusive; None is open at that end."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from streams.contracts.time import day_after

T = TypeVar("T")


class Span(NamedTuple, Generic[T]):
    """One value and the days it holds."""

    valid_from: dt.date | None
    valid_to: dt.date | None
    value: T


def day_before(day: dt.date) -> dt.date:
    """The last day on which something still holds that is replaced on `day`."""
    return day - dt.timedelta(days=1) if day > dt.date.min else day


def close(spans: Sequence[Span[T]]) -> list[Span[T]]:
    """Each later valid-from closes the earlier value the day before; an end that came sooner stands, and leaves a gap.

    The spans start on different days, in any order. One whose end is before its start is left out.
    """
    ordered = sorted((s for s in spans if _real(s)), key=_start)
    found = []
    for span, following in zip(ordered, ordered[1:], strict=False):
        last = day_before(_start(following))
        found.append(span if span.valid_to is not None and span.valid_to <= last else span._replace(valid_to=last))
    return found + ordered[-1:]


def overlay(levels: Sequence[Sequence[Span[T]]]) -> list[Span[T]]:
    """What holds each day where the levels, best first, are laid over each other: a lower one fills what is left."""
    if len(levels) == 1:
        return list(levels[0])
    found: list[Span[T]] = []
    for level in levels:
        taken = sorted(found, key=_start)
        for span in level:
            found.extend(_outside(span, taken))
    return sorted(found, key=_start)


def coalesce(spans: Sequence[Span[T]], same: Callable[[T, T], bool]) -> list[Span[T]]:
    """Spans that follow each other without a gap and say the same become one, with the later one's value (its stamp is
    the newest confirmation). In and out in order of start."""
    found: list[Span[T]] = []
    for span in spans:
        last = found[-1] if found else None
        if last is not None and adjoins(last.valid_to, span.valid_from) and same(last.value, span.value):
            found[-1] = Span(last.valid_from, span.valid_to, span.value)
        else:
            found.append(span)
    return found


def adjoins(valid_to: dt.date | None, valid_from: dt.date | None) -> bool:
    """Whether what starts on `valid_from` follows on `valid_to` without a gap."""
    return valid_to is not None and valid_from is not None and day_after(valid_to) == valid_from


def _start(span: Span[T]) -> dt.date:
    return span.valid_from or dt.date.min


def _end(span: Span[T]) -> dt.date:
    return span.valid_to or dt.date.max


def _real(span: Span[T]) -> bool:
    return _start(span) <= _end(span)


def _outside(span: Span[T], taken: Sequence[Span[T]]) -> list[Span[T]]:
    """The parts of a span that none of `taken` (in order of start, not overlapping) covers."""
    parts: list[Span[T]] = []
    start, end = _start(span), _end(span)
    for other in taken:
        if _end(other) < start or _start(other) > end:
            continue
        if _start(other) > start:
            parts.append(_part(start, day_before(_start(other)), span.value))
        if _end(other) >= end:
            return parts
        start = day_after(_end(other))
    parts.append(_part(start, end, span.value))
    return parts


def _part(start: dt.date, end: dt.date, value: T) -> Span[T]:
    return Span(None if start == dt.date.min else start, None if end == dt.date.max else end, value)


def without_overlap(items: Sequence[Span[T]], weight: Callable[[T], str]) -> list[Span[T]]:
    """The same days with the same values, sorted and cut so that nothing overlaps; gaps are kept.

    Where items overlap, the one that started last holds, then the one of greatest weight (`Persona.segment` reads
    overlapping segments in the same way). Items that end before they start are left out.
    """
    real = sorted((item for item in items if _real(item)), key=_start)
    if all(_end(a) < _start(b) for a, b in zip(real, real[1:], strict=False)):
        return real
    starts = {_start(item) for item in real} | {day_after(_end(item)) for item in real if _end(item) < dt.date.max}
    edges = sorted(starts)
    found: list[Span[T]] = []
    for index, start in enumerate(edges):
        holding = [item for item in real if _start(item) <= start <= _end(item)]
        if holding:
            end = day_before(edges[index + 1]) if index + 1 < len(edges) else dt.date.max
            best = max(holding, key=lambda item: (_start(item), weight(item.value)))
            found.append(_part(start, end, best.value))
    return found
