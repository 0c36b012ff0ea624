"""Writes the synthetic municipality as native source files. The same seed gives the same bytes."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from connectors.sources import jsonlines
from connectors.sources.hr.reader import FORMAT as HR_FORMAT
from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.organisation.reader import FORMAT as ORGANISATION_FORMAT
from deploy.municipality.cast import EMPLOYED, JOINER, MEMBERS, Cast, Member, NativeFile, make_cast
from deploy.municipality.people import Job, Numbers, Person, jobs, people
from deploy.municipality.tree import grow
from streams.contracts.time import STOCKHOLM

EXTRACTED = dt.datetime(2025, 9, 1, 1, 0, tzinfo=dt.UTC)
"""When the first files were made: fixed, so that the bytes are."""

NAVET_FILES = 3
_CHILD_SHARE, _EMPLOYED_SHARE = 0.15, 0.7


def generate(folder: Path, seed: int, persons: int, units: int) -> Cast:
    """Organisation, population register (in several files) and HR as total loads, in `folder` (made if needed).

    `persons` counts everybody but the joiner, about 70 % of them employed. Raises `ValueError` for fewer persons than
    the cast, more than test numbers suffice for, or fewer than four units.
    """
    if persons < MEMBERS:
        raise ValueError(f"at least {MEMBERS} persons: the cast")
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)  # noqa: S311  (reproducible on purpose, nothing here is a secret)
    numbers, tree = Numbers(chance), grow(units)
    members = make_cast(chance, numbers, tree)
    others = persons - (MEMBERS - 1)
    children = int(others * _CHILD_SHARE)
    crowd = people(chance, numbers, others - children, children)
    employees = crowd[: min(others - children, max(0, int(persons * _EMPLOYED_SHARE) - len(EMPLOYED) + 1))]
    work = jobs(chance, tree, employees, 1001)
    managers = {job.unit: job.person for job in work if job.responsibility}
    members = {role: _with_manager(member, managers) for role, member in members.items()}
    present = [member for role, member in members.items() if role != JOINER]
    residents = [member.person for member in present] + crowd
    chance.shuffle(residents)
    work = [member.job for member in present if member.job is not None] + work
    files = (
        _organisation(folder, [unit.row() for unit in tree]),
        *_navet(folder, chance, residents),
        _hr(folder, chance, work, {person.number: person for person in residents}),
    )
    started = {"organisation": 2, "navet": 2, "hr": 2}
    return Cast(folder, members, files, tuple(tree), len(residents), len({job.person for job in work}), started)


def write_questions(folder: Path, member: Member) -> None:
    """`number.txt`, the number of one person as a command reads it, and `search.json`, the same as the API reads it."""
    (folder / "number.txt").write_text(f"{member.number}\n", encoding="utf-8")
    (folder / "search.json").write_bytes(msgspec.json.encode({"identifier": member.number}))


def _with_manager(member: Member, managers: dict[str, str]) -> Member:
    if member.job is None:
        return member
    return replace(member, job=replace(member.job, manager=managers.get(member.job.unit, "")))


def _organisation(folder: Path, rows: Sequence[dict[str, Any]]) -> NativeFile:
    return write_export(folder, "organisation", rows, EXTRACTED, 1, total=True)


def write_export(
    folder: Path, source: str, rows: Sequence[dict[str, Any]], at: dt.datetime, number: int, *, total: bool
) -> NativeFile:
    """One file of our own JSON Lines formats (`hr` or `organisation`)."""
    name = {"hr": HR_FORMAT, "organisation": ORGANISATION_FORMAT}[source]
    path = folder / f"{source}-{number:05d}.jsonl"
    path.write_bytes(jsonlines.write(name, rows, at, number, total))
    return NativeFile(source, path)


def _navet(folder: Path, chance: random.Random, residents: Sequence[Person]) -> list[NativeFile]:
    posts = [person.post(_changed(chance, person)) for person in residents]
    size = -(-len(posts) // NAVET_FILES)
    parts = [posts[start : start + size] for start in range(0, len(posts), size)]
    found = []
    for index, part in enumerate(parts, start=1):
        header = FileHeader(number=1, total=True, file=index, files=len(parts), posts_in_all=len(posts))
        path = folder / f"navet-00001-{index:03d}.xml"
        path.write_bytes(file_bytes(part, header, EXTRACTED))
        found.append(NativeFile("navet", path))
    return found


def _changed(chance: random.Random, person: Person) -> dt.datetime:
    """When the post was last changed: some time between the person's moving in and the extraction."""
    moved = dt.datetime.combine(person.since, dt.time(8), STOCKHOLM)
    return moved + dt.timedelta(seconds=chance.randint(0, int((EXTRACTED - moved).total_seconds()) - 1))


def _hr(folder: Path, chance: random.Random, work: Sequence[Job], residents: dict[str, Person]) -> NativeFile:
    """One row an employment; some have an earlier contract as a row of its own, some are on leave."""
    rows: list[dict[str, Any]] = []
    for job in work:
        person = residents[job.person]
        split = job.start + dt.timedelta(days=365)
        if split < EXTRACTED.date() and int(job.id[1:]) > 1000 and chance.random() < 0.1:
            rows.append(job.row(person, "1", endDate=split - dt.timedelta(days=1), formOfEmploymentId="2"))
            rows.append(job.row(person, "2", startDate=split))
        elif int(job.id[1:]) > 1000 and chance.random() < 0.02:
            leave = {"code": "FL", "fromDate": dt.date(2025, 6, 1), "toDate": dt.date(2026, 5, 31)}
            rows.append(job.row(person, leave=[leave]))
        else:
            rows.append(job.row(person))
    return write_export(folder, "hr", rows, EXTRACTED, 1, total=True)
