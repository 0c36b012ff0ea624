"""Personnummer, samordningsnummer and their check digit (facts: SKV 704, SKV 707). Numbers are made when the tests run."""

import datetime as dt

import pytest

from streams.contracts.errors import Rejected
from streams.contracts.identifiers import IdentifierType, luhn_digit, parse_identifier
from streams.contracts.testnumbers import all_test_numbers

TODAY = dt.date(2026, 11, 22)
NUMBER = next(iter(all_test_numbers()))


def coordination(month: str, day: int) -> str:
    """A samordningsnummer of 1980 with this month and day, 60 not yet added."""
    nine = f"80{month}{day + 60:02d}238"
    return f"19{nine}{luhn_digit(nine)}"


def refused(text: str, today: dt.date = TODAY) -> str:
    with pytest.raises(Rejected) as raised:
        parse_identifier(text, today)
    assert text not in str(raised.value)
    return raised.value.code


def test_any_other_check_digit_is_refused() -> None:
    assert parse_identifier(NUMBER, TODAY).type is IdentifierType.PERSONNUMMER
    others = {str(digit) for digit in range(10)} - {NUMBER[-1]}
    assert {refused(NUMBER[:-1] + digit) for digit in others} == {"identifier.invalid"}


@pytest.mark.parametrize(("month", "day"), [("05", 17), ("00", 17), ("05", 0), ("00", 0)])
def test_a_samordningsnummer_may_lack_month_and_day(month: str, day: int) -> None:
    assert parse_identifier(coordination(month, day), TODAY).type is IdentifierType.SAMORDNINGSNUMMER


@pytest.mark.parametrize(("month", "day"), [("13", 1), ("02", 31), ("04", 31)])
def test_a_samordningsnummer_of_a_day_that_there_is_not_is_refused(month: str, day: int) -> None:
    assert refused(coordination(month, day)) == "identifier.invalid"


def test_a_personnummer_may_lack_neither() -> None:
    for middle in (NUMBER[4:6] + "00", "00" + NUMBER[6:8]):
        nine = NUMBER[2:4] + middle + NUMBER[8:11]
        assert refused(f"{NUMBER[:2]}{nine}{luhn_digit(nine)}") == "identifier.invalid"


def test_nobody_is_born_tomorrow() -> None:
    birth = dt.date(int(NUMBER[:4]), int(NUMBER[4:6]), int(NUMBER[6:8]))
    assert refused(NUMBER, birth - dt.timedelta(days=1)) == "identifier.invalid"
    assert parse_identifier(NUMBER, birth).value == NUMBER


def test_ten_digits_are_told_apart_from_rubbish() -> None:
    assert refused(NUMBER[2:]) == "identifier.ambiguous"
    assert refused(f"{NUMBER[2:8]}+{NUMBER[8:]}") == "identifier.ambiguous"
    assert refused(NUMBER[1:]) == "identifier.invalid"
