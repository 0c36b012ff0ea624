"""Skatteverket's published test numbers (*testpersonnummer*), computed by rule and never typed.

Open data of Skatteverket (CC0): for births 1976-01-01 to 2013-12-31 both 238 (female) and 239 (male) are published for
every day, but for 25 numbers on 21 days. That makes 27,735 numbers which belong to nobody.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Literal

from streams.contracts.errors import Rejected
from streams.contracts.identifiers import luhn_digit

Sex = Literal["female", "male"]

FIRST_BIRTH = dt.date(1976, 1, 1)
LAST_BIRTH = dt.date(2013, 12, 31)
_BIRTH_NUMBER: dict[str, str] = {"female": "238", "male": "239"}

_NEITHER = ("1980-01-01", "1990-01-04", "1990-01-06", "1990-01-08")
_NO_FEMALE = (
    "1976-01-01",
    "1989-12-20",
    "1990-01-13",
    "2000-12-18",
    "2001-11-04",
    "2002-10-16",
    "2002-12-27",
    "2005-05-09",
    "2007-12-28",
    "2010-12-11",
    "2011-12-30",
)
_NO_MALE = ("1990-01-01", "1990-01-02", "1990-01-05", "1990-01-09", "2001-03-03", "2007-09-11")
UNPUBLISHED: frozenset[tuple[dt.date, str]] = frozenset(
    [(dt.date.fromisoformat(day), "238") for day in _NEITHER + _NO_FEMALE]
    + [(dt.date.fromisoformat(day), "239") for day in _NEITHER + _NO_MALE]
)
"""The 25 (birth, birth number) pairs that the published list lacks."""


def _number(birth: dt.date, birth_number: str, day_offset: int = 0) -> str:
    nine = f"{birth:%y%m}{birth.day + day_offset:02d}{birth_number}"
    return f"{birth.year // 100}{nine}{luhn_digit(nine)}"


def test_number(birth: dt.date, sex: Sex) -> str:
    """The published test number of that birth date and sex, twelve digits.

    Raises `Rejected("identifier.invalid")` where none is published.
    """
    birth_number = _BIRTH_NUMBER[sex]
    if not FIRST_BIRTH <= birth <= LAST_BIRTH or (birth, birth_number) in UNPUBLISHED:
        raise Rejected("identifier.invalid", "no test number is published for this birth date and sex")
    return _number(birth, birth_number)


def test_coordination_number(birth: dt.date, sex: Sex) -> str:
    """A *samordningsnummer* (day + 60) made from the test number of that birth date and sex, twelve digits.

    Skatteverket publishes hardly any, so these are computed at run time and must never be written in a file.
    """
    published = test_number(birth, sex)
    return _number(birth, published[8:11], day_offset=60)


def is_published(number: str) -> bool:
    """Whether twelve digits are a test number that the rule computes."""
    if len(number) != 12 or not (number.isascii() and number.isdigit()):
        return False
    try:
        birth = dt.date(int(number[:4]), int(number[4:6]), int(number[6:8]))
    except ValueError:
        return False
    birth_number = number[8:11]
    if birth_number not in ("238", "239") or not FIRST_BIRTH <= birth <= LAST_BIRTH:
        return False
    return (birth, birth_number) not in UNPUBLISHED and number == _number(birth, birth_number)


def all_test_numbers() -> Iterator[str]:
    """All 27,735 of them, by birth date, female first."""
    for offset in range((LAST_BIRTH - FIRST_BIRTH).days + 1):
        birth = FIRST_BIRTH + dt.timedelta(days=offset)
        for birth_number in _BIRTH_NUMBER.values():
            if (birth, birth_number) not in UNPUBLISHED:
                yield _number(birth, birth_number)


@cache
def published() -> frozenset[str]:
    """All of them as a set: for the guard that reads whole trees."""
    return frozenset(all_test_numbers())


# pytest collects functions by this prefix; these are not tests.
test_number.__test__ = False  # type: ignore[attr-defined]
test_coordination_number.__test__ = False  # type: ignore[attr-defined]
