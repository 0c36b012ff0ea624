"""A small municipality as files that can be loaded again: the first loads, and waves of changes that follow."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.municipality import cast as roles
from deploy.municipality.cast import Cast, NativeFile
from deploy.municipality.changes import Changes
from deploy.municipality.generate import EXTRACTED, generate, write_export

TODAY = EXTRACTED + dt.timedelta(days=20)
"""The business clock of a run: every file has its own stamp before it."""


@dataclass(frozen=True, slots=True)
class Town:
    """`first` are the total loads, each of `waves` changes every employee, `urgent` takes the fast lane."""

    cast: Cast
    first: tuple[NativeFile, ...]
    waves: tuple[NativeFile, ...]
    urgent: tuple[NativeFile, ...]

    @property
    def canaries(self) -> tuple[str, ...]:
        """Texts that no log may hold: names and streets of the cast, and everybody's number."""
        told = {text for member in self.cast.members.values() for text in member.canaries}
        return tuple(sorted(told | {row["personNumber"] for row in _employments(self.cast)}))


def new_town(folder: Path, *, seed: int, persons: int, units: int, waves: int = 0) -> Town:
    """The same for the same numbers: ids in a store then depend on its secrets alone."""
    cast = generate(folder, seed, persons, units)
    changes = Changes(cast)
    rows = _employments(cast)
    changed = [_wave(folder, rows, number) for number in range(1, waves + 1)]
    cast.next_number["hr"] += waves
    changes = Changes(cast)
    at = EXTRACTED + dt.timedelta(days=10)
    urgent = [
        *changes.sekretessmarkering(at),
        *changes.skyddad_folkbokforing(at + dt.timedelta(minutes=1)),
        *changes.leaver(at + dt.timedelta(minutes=2)),
    ]
    return Town(cast, cast.files, tuple(changed), tuple(urgent))


def _employments(cast: Cast) -> list[dict[str, Any]]:
    (export,) = (file.path for file in cast.files if file.source == "hr")
    lines = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "employmentId" in line]


def _wave(folder: Path, rows: list[dict[str, Any]], number: int) -> NativeFile:
    """Everybody gets a new title, every third goes to another unit: attributes and groups change in both targets."""
    units = sorted({row["orgId"] for row in rows})
    moved = [
        row
        | {"title": f"handläggare {number}"}
        | ({"orgId": units[(units.index(row["orgId"]) + number) % len(units)]} if place % 3 == 0 else {})
        for place, row in enumerate(rows)
    ]
    return write_export(folder, "hr", moved, EXTRACTED + dt.timedelta(days=number), 1 + number, total=False)


MARKED = roles.MARKED
