"""The named cast: the people of the reference architecture to whom something happens in the demo.

Their names and streets occur nowhere else, so that a search for them finds exactly them.
"""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.municipality.people import Job, Numbers, Person
from deploy.municipality.tree import Unit

MEMBERS = 11
"""How many of the `persons` are cast (the joiner included, who is not there from the start)."""

JOINER, MOVER, LEAVER = "joiner", "mover", "leaver"
NAME_CHANGER, MARKED, PROTECTED, CONFLICT = "name-changer", "marked", "protected", "conflict"
GUARDIAN, CHILD = "guardian", "child"
PROTECTED_GUARDIAN, PROTECTED_CHILD = "protected-guardian", "protected-child"
EMPLOYED = (JOINER, MOVER, LEAVER, NAME_CHANGER, MARKED, PROTECTED, CONFLICT, GUARDIAN)

_NAMES = {
    JOINER: ("Tindra Viola", "Nyhamre", "Karyatidgränd 3"),
    MOVER: ("Vilgot", "Flyttevik", "Bomullsstigen 12"),
    LEAVER: ("Sixten", "Slutarp", "Avskedsbacken 7"),
    NAME_CHANGER: ("Ebba Saga", "Gammelnäs", "Pergamentvägen 21"),
    MARKED: ("Ylva", "Skymningsdal", "Kanarielyckan 17"),
    PROTECTED: ("Torun", "Dunkelholm", "Siskelyckan 4"),
    CONFLICT: ("Rut", "Konfliktbäck", "Vågskålsgatan 9"),
    GUARDIAN: ("Hedda", "Vårdkvist", "Pulkabacken 2"),
    CHILD: ("Lo", "Vårdkvist", "Pulkabacken 2"),
    PROTECTED_GUARDIAN: ("Alva", "Tystberga", "Viskargränden 5"),
    PROTECTED_CHILD: ("Mio", "Tystberga", "Viskargränden 5"),
}


@dataclass(frozen=True, slots=True)
class NativeFile:
    """A source and a file in its native format, ready for `connectors.sources.registry.load`."""

    source: str
    path: Path


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast. `job` is None for those who are not employed; the joiner's is the one to come."""

    role: str
    person: Person
    job: Job | None = None

    @property
    def number(self) -> str:
        return self.person.number

    @property
    def canaries(self) -> tuple[str, ...]:
        """Texts that tell who this is or where, and that occur for nobody else (families share some)."""
        return (self.person.family, self.person.street, self.person.number)


@dataclass(frozen=True, slots=True)
class Cast:
    """What was generated. `files` in the order to load them; `next_number` per source for the deltas that follow."""

    folder: Path
    members: dict[str, Member]
    files: tuple[NativeFile, ...]
    units: tuple[Unit, ...]
    persons: int
    employees: int
    next_number: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, role: str) -> Member:
        return self.members[role]


def make_cast(chance: random.Random, numbers: Numbers, units: Sequence[Unit]) -> dict[str, Member]:
    """The cast before anything happened to them."""
    people = {role: _person(role, numbers) for role in _NAMES}
    for adult, child in ((GUARDIAN, CHILD), (PROTECTED_GUARDIAN, PROTECTED_CHILD)):
        people[child] = replace(people[child], guardians=(people[adult].number,))
        people[adult] = replace(people[adult], wards=(people[child].number,))
    people[PROTECTED_CHILD] = replace(people[PROTECTED_CHILD], secrecy=True)
    homes = [unit for unit in units if ("undersköterska", "207008") in unit.jobs and unit.type == "enhet"] or list(
        units
    )
    jobs = {role: _job(number, people[role], chance.choice(homes)) for number, role in enumerate(EMPLOYED)}
    return {role: Member(role, person, jobs.get(role)) for role, person in people.items()}


def _person(role: str, numbers: Numbers) -> Person:
    given, family, street = _NAMES[role]
    number = numbers.child() if role in (CHILD, PROTECTED_CHILD) else numbers.adult()
    return Person(number, given, family, street, "99910", "EXEMPELBY", dt.date(2016, 8, 1))


def _job(number: int, person: Person, unit: Unit) -> Job:
    return Job(
        id=f"E{101 + number}",
        person=person.number,
        unit=unit.id,
        title="undersköterska",
        aid="207008",
        start=dt.date(2023, 2, 1),
        phone=f"031-39006{90 + number}",
    )
