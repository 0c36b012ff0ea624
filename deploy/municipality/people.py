"""The people of the synthetic municipality: adults, families, and who works where. All by one seed.

Births are 1976-2013, the years for which test numbers can be computed: so the youngest child, which a demo takes for a
preschool child, was born in 2013.
"""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from deploy.municipality.tree import Unit
from deploy.municipality.words import (
    COUNTY_CODE,
    FAMILY,
    GIVEN_FEMALE,
    GIVEN_MALE,
    MANAGER_AID,
    MANAGER_RESPONSIBILITY,
    MANAGER_TITLE,
    MUNICIPALITY_CODE,
    PHONES,
    PLACES,
    STREETS,
)
from streams.contracts.testnumbers import all_test_numbers

LATEST_ADULT_BIRTH = "2004"
EARLIEST_CHILD_BIRTH = "2009"
_ADULT_NUMBERS = 19_000
_CHILD_NUMBERS = 3_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the population register. `wards` and `guardians` are numbers."""

    number: str = field(repr=False)
    given: str
    family: str
    street: str
    postal_code: str
    locality: str
    since: dt.date
    call_mark: str = "10"
    secrecy: bool = False
    wards: tuple[str, ...] = field(default=(), repr=False)
    guardians: tuple[str, ...] = field(default=(), repr=False)

    @property
    def call_name(self) -> str:
        return self.given.split()[int(self.call_mark[0]) - 1]

    def post(self, changed: dt.datetime, **other: Any) -> dict[str, Any]:
        """The whole post, marked total, as the Navet writer takes it. `changed` is Swedish time."""
        relations = [_relation("V", number, self.number) for number in self.guardians]
        relations += [_relation("VF", number, number) for number in self.wards]
        post: dict[str, Any] = {
            "andringstidpunkt": f"{changed:%Y%m%d%H%M%S}",
            "totalpost": True,
            "PersonNr": self.number,
            "Fodelsedatum": self.number[:8],
            "Fornamn": self.given,
            "Efternamn": self.family,
            "Tilltalsnamnsmarkering": self.call_mark,
            "Folkbokforingsdatum": self.since,
            "LanKod": COUNTY_CODE,
            "KommunKod": MUNICIPALITY_CODE,
            "Folkbokforingsadress": {
                "Utdelningsadress2": self.street,
                "PostNr": self.postal_code,
                "Postort": self.locality,
            },
            "CivilstandKod": "OG",
            "MedborgarskapslandKod": "SE",
            "Relationer": relations,
        }
        if self.secrecy:
            post["Sekretessmarkering"] = "J"
        return {name: value for name, value in (post | other).items() if value is not ...}


def _relation(kind: str, other: str, child: str) -> dict[str, Any]:
    return {"PersonNr": other, "Relationstyp": kind, "RelationFromdatum": child[:8]}


@dataclass(frozen=True, slots=True)
class Job:
    """One employment; `rows` beyond the first are earlier contracts."""

    id: str
    person: str = field(repr=False)
    unit: str
    title: str
    aid: str
    start: dt.date
    end: dt.date | None = None
    responsibility: str = ""
    extent: float | None = 100.0
    form: str | None = "1"
    manager: str = field(default="", repr=False)
    phone: str = ""
    agreed_name: str | None = None

    def row(self, person: Person, row_id: str = "1", **other: Any) -> dict[str, Any]:
        """As in the HR export."""
        return {
            "employmentId": self.id,
            "empRowId": row_id,
            "companyId": "kommun",
            "personNumber": self.person,
            "givenname": person.given,
            "lastname": person.family,
            "friendlyGivenname": person.call_name,
            "agreedDisplayName": self.agreed_name,
            "isClassified": person.secrecy,
            "startDate": self.start,
            "endDate": self.end,
            "title": self.title,
            "aid": self.aid,
            "aidResponsibility": self.responsibility,
            "formOfEmploymentId": self.form,
            "extentPercent": self.extent,
            "orgId": self.unit,
            "manager": {"personNumber": self.manager} if self.manager else None,
            "workPhone": self.phone or None,
            "leave": [],
        } | other


class Numbers:
    """Official test numbers, each given out once."""

    def __init__(self, chance: random.Random) -> None:
        every = list(all_test_numbers())
        self._adults = [number for number in every if number[:4] <= LATEST_ADULT_BIRTH]
        self._children = [number for number in every if number[:4] >= EARLIEST_CHILD_BIRTH]
        chance.shuffle(self._adults)
        chance.shuffle(self._children)

    def adult(self) -> str:
        return self._adults.pop()

    def child(self) -> str:
        return self._children.pop()


def people(chance: random.Random, numbers: Numbers, adults: int, children: int) -> list[Person]:
    """Adults first, then children who live with one or two of them. Raises `ValueError` beyond the test numbers."""
    if adults > _ADULT_NUMBERS or children > _CHILD_NUMBERS:
        raise ValueError(f"test numbers suffice for {_ADULT_NUMBERS} adults and {_CHILD_NUMBERS} children")
    grown = [_person(chance, numbers.adult()) for _ in range(adults)]
    born: list[Person] = []
    for _ in range(children if grown else 0):
        guardians = chance.sample(range(len(grown)), k=min(len(grown), chance.choice((1, 2))))
        first = grown[guardians[0]]
        child = replace(
            _person(chance, numbers.child()),
            family=first.family,
            street=first.street,
            postal_code=first.postal_code,
            locality=first.locality,
            guardians=tuple(grown[one].number for one in guardians),
        )
        for one in guardians:
            grown[one] = replace(grown[one], wards=(*grown[one].wards, child.number))
        born.append(child)
    return grown + born


def _person(chance: random.Random, number: str) -> Person:
    given = chance.sample(GIVEN_FEMALE if number[8:11] == "238" else GIVEN_MALE, k=chance.choice((1, 2, 2)))
    code, locality = chance.choice(PLACES)
    earliest = max(dt.date(1995, 1, 1), dt.date(int(number[:4]), int(number[4:6]), int(number[6:8])))
    return Person(
        number=number,
        given=" ".join(given),
        family=chance.choice(FAMILY),
        street=f"{chance.choice(STREETS)} {chance.randint(1, 89)}",
        postal_code=code,
        locality=locality,
        since=earliest + dt.timedelta(days=chance.randint(0, 4000)),
        call_mark=f"{chance.randint(1, len(given))}0",
    )


def jobs(chance: random.Random, units: Sequence[Unit], employees: Sequence[Person], first_id: int) -> list[Job]:
    """One employment each, a second one for some; the first employees are the managers of the units, top first."""
    managers = {unit.id: person.number for unit, person in zip(units, employees, strict=False)}
    places = {unit.id: unit for unit in units}
    leaves = [unit for unit in units if unit.type == "enhet"] or list(units)
    made: list[Job] = []
    for index, person in enumerate(employees):
        unit = units[index] if index < len(units) else chance.choice(leaves)
        made.append(_job(chance, f"E{first_id + len(made)}", person, unit, managers, places, leads=index < len(units)))
        if index >= len(units) and chance.random() < 0.04:
            other = chance.choice(leaves)
            second = _job(chance, f"E{first_id + len(made)}", person, other, managers, places, leads=False)
            made.append(replace(second, extent=25.0))
    return made


def _job(
    chance: random.Random,
    job_id: str,
    person: Person,
    unit: Unit,
    managers: dict[str, str],
    places: dict[str, Unit],
    *,
    leads: bool,
) -> Job:
    title, aid = chance.choice(unit.jobs)
    above = unit
    while managers.get(above.id, person.number) == person.number and above.parent:
        above = places[above.parent]
    manager = managers.get(above.id, "")
    hourly = not leads and chance.random() < 0.05
    earliest = max(dt.date(2015, 1, 1), dt.date(int(person.number[:4]) + 18, 1, 1))
    return Job(
        id=job_id,
        person=person.number,
        unit=unit.id,
        title=MANAGER_TITLE[unit.type] if leads else title,
        aid=MANAGER_AID if leads else aid,
        start=earliest + dt.timedelta(days=chance.randint(0, (dt.date(2025, 6, 1) - earliest).days)),
        responsibility=MANAGER_RESPONSIBILITY[unit.type] if leads else "",
        extent=0.0 if hourly else chance.choice((100.0, 100.0, 75.0, 50.0)),
        form=None if hourly else chance.choice(("1", "1", "1", "2")),
        manager="" if manager == person.number else manager,
        phone=chance.choice(PHONES) if chance.random() < 0.6 else "",
    )
