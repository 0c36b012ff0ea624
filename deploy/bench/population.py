"""The employees that accounts and latencies are measured with: native source files, official test numbers, by a seed."""

import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path

from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.registry import load
from connectors.sources.report import LoadState
from deploy.municipality.cast import NativeFile
from deploy.municipality.generate import write_export
from deploy.municipality.people import Job, Numbers, Person, jobs, people
from deploy.municipality.tree import Unit, grow
from deploy.replay.live import LiveWorld
from streams.contracts.errors import Unavailable
from streams.contracts.time import STOCKHOLM, local_date


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody with one employment."""

    person: Person
    job: Job


@dataclass(slots=True)
class Population:
    """Writes and loads the files. Files of a source are numbered on without gaps."""

    folder: Path
    world: LiveWorld
    units: tuple[Unit, ...]
    employees: tuple[Employee, ...]
    _numbers: dict[str, int] = field(default_factory=lambda: {"organisation": 1, "navet": 1, "hr": 1})

    @classmethod
    def grown(cls, folder: Path, world: LiveWorld, *, employees: int, units: int, seed: int) -> "Population":
        """So many employees, the leaders of the units among them and first. None of them is loaded yet."""
        folder.mkdir(parents=True, exist_ok=True)
        chance = random.Random(seed)  # noqa: S311  # reproducible on purpose
        tree = tuple(grow(units))
        grown = people(chance, Numbers(chance), employees, 0)
        first: dict[str, Job] = {}
        for job in jobs(chance, tree, grown, 1):
            first.setdefault(job.person, job)
        return cls(folder, world, tree, tuple(Employee(one, first[one.number]) for one in grown))

    @property
    def staff(self) -> list[Employee]:
        """Those who lead nobody: what happens to a manager concerns the staff too, and is more than a single change."""
        return [one for one in self.employees if not one.job.responsibility]

    def load_units(self) -> None:
        rows = [unit.row() for unit in self.units]
        now = self.world.edge.now()
        self._load(write_export(self.folder, "organisation", rows, now, self._next("organisation"), total=True))

    def load(self, first: int, count: int) -> None:
        """The posts and the employments of some of the employees."""
        some = self.employees[first : first + count]
        now = self.world.edge.now()
        self._load(self._navet([one.person.post(now.astimezone(STOCKHOLM)) for one in some], now))
        rows = [one.job.row(one.person) for one in some]
        self._load(write_export(self.folder, "hr", rows, now, self._next("hr"), total=False))

    def end(self, employee: Employee, now: dt.datetime) -> None:
        """The employment ended yesterday: a revocation."""
        row = employee.job.row(employee.person, endDate=local_date(now) - dt.timedelta(days=1))
        self._load(write_export(self.folder, "hr", [row], now, self._next("hr"), total=False))

    def mark(self, employee: Employee, now: dt.datetime) -> None:
        """A sekretessmarkering in the population register."""
        post = employee.person.post(now.astimezone(STOCKHOLM), Sekretessmarkering="J", SkyddadFolkbokforing="N")
        self._load(self._navet([post], now))

    def _navet(self, posts: list[dict[str, object]], now: dt.datetime) -> NativeFile:
        number = self._next("navet")
        path = self.folder / f"navet-{number:05d}-001.xml"
        path.write_bytes(file_bytes(posts, FileHeader(number=number), now))
        return NativeFile("navet", path)

    def _load(self, file: NativeFile) -> None:
        report = load(file.source, file.path, self.world.edge)
        if report.state is LoadState.ABORTED or report.rejected:
            raise Unavailable("service.unavailable", f"bench: a file of {file.source} was not taken: {report.reason}")

    def _next(self, source: str) -> int:
        number = self._numbers[source]
        self._numbers[source] = number + 1
        return number
