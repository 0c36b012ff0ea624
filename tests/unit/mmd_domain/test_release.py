"""A release is a decision: without purpose, legal basis, scope and end there is none."""

import datetime as dt
from typing import Any

import pytest

from mmd.domain.release import Marked, Release
from streams.contracts.documents import PersonaType, Stamp, UnitDocument, UnitParentEntry
from streams.contracts.errors import Rejected
from tests.unit.mmd_domain.making import NOW, TODAY


def data(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "reader": "school",
        "purpose": {"sv": "Skolans register", "en": "The school's register"},
        "legal_basis": "skollagen",
        "attributes": ["names", "personas"],
        "persona_types": ["employee"],
        "units": ["unit:k:1"],
        "valid_until": "2026-12-31",
    }
    whole.update(changes)
    return {name: value for name, value in whole.items() if value is not None}


def test_a_release_says_what_of_whom_for_which_purpose_until_when() -> None:
    release = Release.from_data(data())
    assert release.persona_types == frozenset({PersonaType.EMPLOYEE})
    assert release.units == frozenset({"unit:k:1"})
    assert release.marked is Marked.RESTRICTED
    assert release.in_force(dt.date(2026, 12, 31))
    assert not release.in_force(dt.date(2027, 1, 1))


def test_all_must_be_said() -> None:
    release = Release.from_data(data(persona_types="all", units="all"))
    assert release.persona_types is None
    assert release.units is None


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"legal_basis": None}, "input.missing", "legal_basis"),
        ({"legal_basis": " "}, "input.missing", "legal_basis"),
        ({"purpose": {"sv": "x"}}, "input.missing", "purpose.en"),
        ({"reader": None}, "input.missing", "reader"),
        ({"valid_until": None}, "input.invalid", "valid_until"),
        ({"persona_types": None}, "input.invalid", "persona_types"),
        ({"units": None}, "input.invalid", "units"),
        ({"units": "most"}, "input.invalid", "units"),
        ({"persona_types": ["visitor"]}, "input.invalid", "persona_types"),
        ({"attributes": ["shoe-size"]}, "input.invalid", "attributes"),
        ({"marked": "open"}, "input.invalid", "marked"),
        ({"more": 1}, "input.invalid", "more"),
        ({"valid_from": "2027-01-01"}, "input.end-before-start", "valid_until"),
    ],
)
def test_a_decision_that_lacks_or_invents_something_is_refused(changes: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        Release.from_data(data(**changes))
    assert (caught.value.code, caught.value.detail) == (code, path)


def test_a_subtree_is_worked_out_over_the_organisation_of_the_day() -> None:
    def unit(number: int, parent: int, until: dt.date | None = None) -> UnitDocument:
        entry = UnitParentEntry(f"unit:k:{parent}", Stamp("org", str(number), "1", NOW), None, until)
        return UnitDocument(f"unit:k:{number}", parents=(entry,))

    units = [unit(2, 1), unit(3, 2), unit(4, 9), unit(5, 1, TODAY - dt.timedelta(days=1)), unit(1, 3)]
    release = Release.from_data(data(subtree=True)).with_units(units, TODAY)
    assert release.units == frozenset({"unit:k:1", "unit:k:2", "unit:k:3"})
    assert Release.from_data(data()).with_units(units, TODAY).units == frozenset({"unit:k:1"})
