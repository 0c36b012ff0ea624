"""The dated axes that units, places, groups and legal organisations share: when it exists, and what it is called."""

import datetime as dt
from collections.abc import Iterable, Sequence

from mmd.domain.timeline import Span, adjoins, coalesce, without_overlap
from streams.contracts.claims import DatedName, UnitPeriod
from streams.contracts.documents import Stamp, UnitNameEntry


def merged(periods: Sequence[UnitPeriod]) -> tuple[UnitPeriod, ...]:
    """The days on which something exists: sorted, overlapping and adjoining periods as one."""
    found: list[UnitPeriod] = []
    for period in sorted(periods, key=lambda p: (p.valid_from, p.valid_to or dt.date.max)):
        end = None if period.valid_to == dt.date.max else period.valid_to
        if end is not None and end < period.valid_from:
            continue
        last = found[-1] if found else None
        if last is None or (
            last.valid_to is not None
            and last.valid_to < period.valid_from
            and not adjoins(last.valid_to, period.valid_from)
        ):
            found.append(UnitPeriod(period.valid_from, end))
        elif last.valid_to is not None and (end is None or end > last.valid_to):
            found[-1] = UnitPeriod(last.valid_from, end)
    return tuple(found)


def dated_names(names: Iterable[DatedName], stamp: Stamp) -> tuple[UnitNameEntry, ...]:
    """Names without overlap, in order of start: where two overlap, the one that started last holds."""
    spans = [Span(n.valid_from, n.valid_to, n) for n in names]
    cut = coalesce(without_overlap(spans, lambda n: f"{n.name}\n{n.short}"), _same_name)
    return tuple(UnitNameEntry(n.name, stamp, n.short, start, end) for start, end, n in cut)


def _same_name(a: DatedName, b: DatedName) -> bool:
    return (a.name, a.short) == (b.name, b.short)
