"""What happens in a municipality over many days, drawn by a seed: files of HR and of the population register, in order."""

import datetime as dt
import json
import random
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.sources.navet.writer import FileHeader, file_bytes
from deploy.municipality.cast import Cast, NativeFile
from deploy.municipality.generate import EXTRACTED, write_export
from deploy.municipality.people import Person
from streams.contracts.time import STOCKHOLM

START = EXTRACTED + dt.timedelta(days=1)
BETWEEN = dt.timedelta(minutes=10)
"""From one wave of files to the next, as they are stamped."""

_SHARE_OF_POSTS = 0.3
_FAMILY = ("Nyström", "Åkerberg", "Öhman", "Lindqvist-Sjö", "Ek", "Zetterlund")


@dataclass
class History:
    """`events` source records in all, the first loads not counted; the same for the same cast and seed.

    Each wave is an HR delta and a Navet delta. People get titles and telephones, move between units, end, come back,
    have an employment taken back, change name and address, and a few are marked. Things happen only to employments that
    the first load has as going on, and it must be settled before the waves: whoever comes and goes between two looks gets
    no account and no name, so that what is left would depend on how fast everything was.
    """

    cast: Cast
    seed: int
    events: int
    per_wave: int
    _chance: random.Random = field(init=False)
    _rows: dict[str, dict[str, Any]] = field(init=False)
    _people: dict[str, Person] = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        (export,) = (file.path for file in self.cast.files if file.source == "hr")
        lines = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
        rows = [line for line in lines if "employmentId" in line]
        others = {row["employmentId"] for row in rows if row["empRowId"] != "1" or row["endDate"] is not None}
        self._rows = {row["employmentId"]: row for row in rows if row["employmentId"] not in others}
        self._people = {
            row["personNumber"]: Person(
                row["personNumber"],
                row["givenname"],
                row["lastname"],
                "Kyrkogatan 1",
                "99910",
                "EXEMPELBY",
                dt.date(2016, 8, 1),
                secrecy=bool(row["isClassified"]),
            )
            for row in self._rows.values()
        }

    def waves(self) -> list[tuple[NativeFile, NativeFile]]:
        """Files in the order of their stamps."""
        made = []
        posts = int(self.per_wave * _SHARE_OF_POSTS)
        for number in range(-(-self.events // self.per_wave)):
            at = START + number * BETWEEN
            made.append((self._hr(at, number, self.per_wave - posts), self._navet(at, number, posts)))
        return made

    def _hr(self, at: dt.datetime, number: int, count: int) -> NativeFile:
        chosen = self._chance.sample(sorted(self._rows), k=min(count, len(self._rows)))
        units = sorted({row["orgId"] for row in self._rows.values()})
        for one in chosen:
            row = self._rows[one]
            kind = self._chance.choices(("title", "phone", "move", "end", "back", "cancel"), (5, 3, 4, 2, 3, 1))[0]
            yesterday = (at.date() - dt.timedelta(days=1)).isoformat()
            change: dict[str, Any] = {
                "title": {"title": f"{row['title'].split(' ')[0]} {number}"},
                "phone": {"workPhone": f"031-390{self._chance.randrange(6900, 6999)}"},
                "move": {"orgId": self._chance.choice(units)},
                "end": {"endDate": yesterday},
                "back": {"endDate": None, "cancelled": False},
                "cancel": {"cancelled": True},
            }[kind]
            self._rows[one] = row | change
        rows = [self._rows[one] for one in chosen]
        file = self.cast.next_number["hr"] + number
        return write_export(self.cast.folder, "hr", rows, at, file, total=False)

    def _navet(self, at: dt.datetime, number: int, count: int) -> NativeFile:
        posts = []
        for one in self._chance.sample(sorted(self._people), k=min(count, len(self._people))):
            person = self._people[one]
            kind = self._chance.choices(("name", "address", "mark"), (5, 5, 1))[0]
            if kind == "name":
                person = replace(person, family=self._chance.choice(_FAMILY))
            elif kind == "address":
                person = replace(person, street=f"Ringvägen {self._chance.randint(1, 99)}")
            else:
                person = replace(person, secrecy=True)
            self._people[one] = person
            posts.append(person.post(at.astimezone(STOCKHOLM)))
        file = self.cast.next_number["navet"] + number
        path = self.cast.folder / f"navet-{file:05d}-001.xml"
        path.write_bytes(file_bytes(posts, FileHeader(number=file), at))
        return NativeFile("navet", path)
