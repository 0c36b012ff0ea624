"""The published test numbers, by rule and against Skatteverket's list where it is present."""

import datetime as dt
from pathlib import Path

import pytest

from streams.contracts import testnumbers
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import IdentifierType, parse_identifier
from streams.contracts.testnumbers import (
    UNPUBLISHED,
    all_test_numbers,
    is_published,
    test_coordination_number,
    test_number,
)

TODAY = dt.date(2026, 1, 15)
LIST = Path(__file__).parents[4] / "shared" / "data" / "testpersonnummer.txt"


def test_there_are_27_735_test_numbers_and_each_is_a_valid_personnummer() -> None:
    numbers = list(all_test_numbers())
    assert len(numbers) == len(set(numbers)) == 27_735
    assert all(is_published(number) for number in numbers)
    for number in numbers[::97]:
        assert parse_identifier(number, TODAY).type is IdentifierType.PERSONNUMMER


def test_the_25_numbers_that_the_list_lacks_are_refused() -> None:
    assert len(UNPUBLISHED) == 25
    for birth, birth_number in UNPUBLISHED:
        with pytest.raises(Rejected):
            test_number(birth, "female" if birth_number == "238" else "male")


@pytest.mark.parametrize("birth", [dt.date(1975, 12, 31), dt.date(2014, 1, 1)])
def test_births_outside_the_years_of_the_rule_are_refused(birth: dt.date) -> None:
    with pytest.raises(Rejected):
        test_number(birth, "female")


def test_a_number_with_another_check_digit_or_birth_number_is_not_published() -> None:
    number = test_number(dt.date(1984, 2, 29), "male")
    assert is_published(number)
    assert not is_published(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not is_published(number[:8] + "240" + number[11:])
    assert not is_published(number[2:])


def test_a_coordination_number_has_its_day_raised_by_60_and_a_valid_check_digit() -> None:
    number = test_coordination_number(dt.date(1991, 5, 3), "female")
    assert number[6:8] == "63"
    assert parse_identifier(number, TODAY).type is IdentifierType.SAMORDNINGSNUMMER


@pytest.mark.skipif(not LIST.exists(), reason=f"Skatteverket's list is not here: {LIST.name}")
def test_every_computed_number_is_on_the_published_list_and_none_of_its_kind_is_missing() -> None:
    listed = set(LIST.read_text(encoding="ascii").split())
    assert testnumbers.published() <= listed
    of_the_rule = {n for n in listed if "1976" <= n[:4] <= "2013" and n[8:11] in ("238", "239")}
    assert of_the_rule == testnumbers.published()
