"""The organisation tree: nämnd, förvaltning, avdelning, enhet."""

from dataclasses import dataclass, field
from typing import Any

from deploy.municipality.words import BRANCHES

FEWEST = 4
FOUNDED = "2015-01-01"


@dataclass(frozen=True, slots=True)
class Unit:
    """`branch` is the place of its nämnd in `words.BRANCHES`, `department` of its avdelning there."""

    id: str
    name: str
    type: str
    parent: str
    branch: int
    department: int = 0

    @property
    def jobs(self) -> tuple[tuple[str, str], ...]:
        """What people work as here: befattning and AID etikett."""
        return BRANCHES[self.branch].departments[self.department].jobs

    def row(self) -> dict[str, Any]:
        """As in the organisation export."""
        short = "".join(word[0] for word in self.name.split()).upper()
        return {
            "orgId": self.id,
            "orgName": self.name,
            "orgNameShort": short,
            "parentId": self.parent,
            "nodeFrom": FOUNDED,
            "nodeTo": None,
            "structureFrom": FOUNDED,
            "structureTo": None,
            "nameFrom": FOUNDED,
            "nameTo": None,
            "responsibilityCode": f"{self.id}0",
            "companyId": "kommun",
            "legalAuthority": BRANCHES[self.branch].board,
            "unitType": self.type,
        }


def grow(count: int) -> list[Unit]:
    """Exactly `count` units, parents before children. Raises `ValueError` for fewer than one whole branch."""
    if count < FEWEST:
        raise ValueError(f"a tree needs at least {FEWEST} units: nämnd, förvaltning, avdelning and enhet")
    used = max(1, min(len(BRANCHES), count // FEWEST))
    units: list[Unit] = []
    branches = [_Branch(units, number) for number in range(used)]
    while len(units) < count:
        min(branches, key=lambda one: (one.made, one.number)).add()
    return units


@dataclass(slots=True)
class _Branch:
    """Grows one nämnd: förvaltning, avdelning, two enheter, the next avdelning, two enheter, then enheter in turn."""

    units: list[Unit]
    number: int
    made: int = 0
    top: str = ""
    office: str = ""
    open: list[tuple[Unit, int]] = field(default_factory=list)

    def add(self) -> None:
        branch = BRANCHES[self.number]
        if self.made == 0:
            self.top = self._unit(branch.board, "namnd", "").id
        elif self.made == 1:
            self.office = self._unit(branch.office, "forvaltning", self.top).id
        elif len(self.open) < len(branch.departments) and all(leaves >= 2 for _, leaves in self.open):
            department = branch.departments[len(self.open)]
            unit = self._unit(department.name, "avdelning", self.office, len(self.open))
            self.open.append((unit, 0))
        else:
            self._leaf()
        self.made += 1

    def _leaf(self) -> None:
        place = min(range(len(self.open)), key=lambda one: (self.open[one][1], one))
        parent, leaves = self.open[place]
        names = BRANCHES[self.number].departments[place].units
        suffix = "" if leaves < len(names) else f" {leaves // len(names) + 1}"
        self._unit(names[leaves % len(names)] + suffix, "enhet", parent.id, place)
        self.open[place] = (parent, leaves + 1)

    def _unit(self, name: str, kind: str, parent: str, department: int = 0) -> Unit:
        unit = Unit(str(1001 + len(self.units)), name, kind, parent, self.number, department)
        self.units.append(unit)
        return unit
