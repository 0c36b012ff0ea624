"""`verify`: what is wrong with a reorganisation before it takes effect, and whom it leaves behind. Pure.

A draft says what units become, whole. It is looked at over the organisation as it is otherwise, on the day that it takes
effect.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from streams.contracts.documents import UnitDocument
from streams.contracts.time import day_after, holds

Units = Mapping[str, UnitDocument]

FINDINGS: Mapping[str, tuple[str, str]] = {
    "not-ahead": ("it takes effect today or earlier", "den träder i kraft i dag eller tidigare"),
    "past-changed": ("it changes what holds before its day", "den ändrar vad som gäller före sin dag"),
    "no-name": ("the unit has no name on the day", "enheten saknar namn den dagen"),
    "parent-unknown": ("a unit above it is not known", "en överordnad enhet är inte känd"),
    "parent-closed": ("a unit above it does not exist on the day", "en överordnad enhet finns inte den dagen"),
    "cycle": ("it stands below itself", "den ligger under sig själv"),
    "holds-at-once": ("type, authority or code has no date", "typ, nämnd eller ansvarskod saknar datum"),
    "employments-left": ("employments stand on a closed unit", "anställningar står på en stängd enhet"),
}
"""Every finding, in English and Swedish."""

TOLD_ONLY = frozenset({"holds-at-once", "employments-left"})
"""What is told and keeps nothing back: HR moves people in its own time, and nobody loses an account meanwhile."""


class Finding(msgspec.Struct, frozen=True, order=True):
    """`about` names what it is about further: units above, persona keys. Never a value of a person."""

    unit: str
    code: str
    about: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        return self.code not in TOLD_ONLY


def verify(
    draft: Units, now: Units, employed: Mapping[str, frozenset[str]], takes_effect: dt.date, today: dt.date
) -> tuple[Finding, ...]:
    """Everything that is found, sorted. `draft`: the units as they would be; `now`: all units as the master holds them;
    `employed`: by unit, the keys of the personas that stand there on the day (Swedish date, inclusive)."""
    after = {**now, **draft}
    found: set[Finding] = set()
    for key, unit in draft.items():
        found.update(_alone(unit, now.get(key), takes_effect))
        if takes_effect <= today:
            found.add(Finding(key, "not-ahead"))
    for key, unit in after.items():
        if unit.exists(takes_effect):
            found.update(_above(key, after, draft, takes_effect))
        elif key in draft and employed.get(key):
            found.add(Finding(key, "employments-left", tuple(sorted(employed[key]))))
    return tuple(sorted(found))


def wrong_on(units: Units, day: dt.date) -> tuple[Finding, ...]:
    """What is wrong with the organisation as it stands on a day, sorted: circles, units below one that is closed or not
    known (yet), units without a name. Nothing crashes of it; somebody has to put it right in the source."""
    found: set[Finding] = set()
    for key, unit in units.items():
        if unit.exists(day):
            found.update(_above(key, units, units, day))
            if not _name(unit, day):
                found.add(Finding(key, "no-name"))
    return tuple(sorted(found))


def _alone(unit: UnitDocument, before: UnitDocument | None, day: dt.date) -> Iterator[Finding]:
    if unit.exists(day) and not _name(unit, day):
        yield Finding(unit.id, "no-name")
    known = before or UnitDocument(unit.id)
    if any(_on(unit, one) != _on(known, one) for one in _days(unit, known, day)):
        yield Finding(unit.id, "past-changed")
    if before is not None and _undated(unit) != _undated(before):
        yield Finding(unit.id, "holds-at-once")


def _above(key: str, after: Units, draft: Units, day: dt.date) -> Iterator[Finding]:
    """What is wrong with the line from a unit upwards, if the draft has a part in it. A line that was broken before is not
    this draft's doing."""
    line: list[str] = []
    current = key
    while current and current not in line:
        line.append(current)
        unit = after.get(current)
        if unit is None or not unit.exists(day):
            break
        current = _parent(unit, day)
    if not current or not set(line) & draft.keys():
        return
    if current not in after:
        yield Finding(key, "parent-unknown", (current,))
    elif not after[current].exists(day):
        yield Finding(key, "parent-closed", (current,))
    else:
        yield Finding(key, "cycle", tuple(sorted(line[line.index(current) :])))


def _on(unit: UnitDocument, day: dt.date) -> tuple[Any, ...]:
    """What holds of a unit on a day: whether it exists, and where and called what if it does."""
    return (True, _parent(unit, day), _name(unit, day)) if unit.exists(day) else (False,)


def _days(one: UnitDocument, other: UnitDocument, before: dt.date) -> Iterator[dt.date]:
    """The days before a day on which something may begin to differ; nothing changes between them."""
    for unit in (one, other):
        for axis in (unit.periods, unit.names, unit.parents):
            for entry in axis:
                for day in (entry.valid_from, day_after(entry.valid_to) if entry.valid_to else None):
                    if day is not None and day < before:
                        yield day


def _parent(unit: UnitDocument, day: dt.date) -> str:
    return next((one.parent for one in unit.parents if holds(one.valid_from, one.valid_to, day)), "")


def _name(unit: UnitDocument, day: dt.date) -> str:
    return next((one.name for one in unit.names if holds(one.valid_from, one.valid_to, day)), "")


def _undated(unit: UnitDocument) -> tuple[str, str, str]:
    return unit.unit_type, unit.legal_authority, unit.responsibility_code
