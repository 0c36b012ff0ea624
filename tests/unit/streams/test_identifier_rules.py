"""The rules of Swedish identifiers with the traps that public libraries fall into. Numbers are made when the tests run."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.errors import Rejected
from streams.contracts.identifiers import (
    Identifier,
    IdentifierType,
    luhn_digit,
    parse_foreign,
    parse_identifier,
    parse_organisation_number,
)
from streams.contracts.testnumbers import all_test_numbers

TODAY = dt.date(2026, 11, 22)
NUMBER = next(iter(all_test_numbers()))
COORDINATION = Path(__file__).parents[4] / "shared" / "data" / "testsamordningsnummer.txt"
INTERIM_LETTERS = "TRSUWXJKLMN"

births = st.dates(dt.date(1890, 1, 1), TODAY)


def numbered(birth: dt.date, three: str, *, day: int = 0) -> str:
    """Twelve digits of a birth date (`day` is added to the day) and three digits, with their check digit."""
    nine = f"{birth.year % 100:02d}{birth.month:02d}{birth.day + day:02d}{three}"
    return f"{birth.year // 100}{nine}{luhn_digit(nine)}"


def interim(birth: dt.date, letter: str, two: str) -> str:
    nine = f"{birth:%y%m%d}1{two}"
    return f"{birth:%Y%m%d}{letter}{two}{luhn_digit(nine)}"


def refused(text: str, today: dt.date = TODAY) -> str:
    with pytest.raises(Rejected) as raised:
        parse_identifier(text, today, issuer="an issuer")
    assert not text.strip() or text not in str(raised.value)
    return raised.value.code


def kind(text: str) -> IdentifierType:
    return parse_identifier(text, TODAY, issuer="an issuer").type


# --- what every number of a kind is ---
@given(births, st.integers(1, 999))
def test_a_personnummer_of_any_birth_until_today_is_read_with_and_without_hyphen(birth: dt.date, three: int) -> None:
    text = numbered(birth, f"{three:03d}")
    found = parse_identifier(text, TODAY)
    assert found == Identifier(IdentifierType.PERSONNUMMER, text)
    assert parse_identifier(f"{text[:8]}-{text[8:]}", TODAY) == found


@given(births, st.integers(0, 999), st.sampled_from(["", "month", "day", "both"]))
def test_a_samordningsnummer_has_sixty_more_days_and_may_not_know_month_or_day(
    birth: dt.date, three: int, unknown: str
) -> None:
    month = "00" if unknown in ("month", "both") else f"{birth.month:02d}"
    day = 60 if unknown in ("day", "both") else birth.day + 60
    nine = f"{birth:%y}{month}{day:02d}{three:03d}"
    assert kind(f"{birth.year // 100}{nine}{luhn_digit(nine)}") is IdentifierType.SAMORDNINGSNUMMER


@given(births, st.sampled_from(INTERIM_LETTERS), st.integers(0, 99))
def test_an_interim_number_counts_its_letter_as_one(birth: dt.date, letter: str, two: int) -> None:
    text = interim(birth, letter, f"{two:02d}")
    assert kind(text) is IdentifierType.INTERIM
    other = str((int(text[-1]) + 1) % 10)
    assert refused(text[:-1] + other) == "identifier.invalid"


@given(births, st.integers(0, 99))
def test_a_tf_number_has_no_check_digit_and_belongs_to_its_issuer(birth: dt.date, two: int) -> None:
    text = f"{birth:%Y%m%d}TF{two:02d}"
    first, second = (parse_identifier(text, TODAY, issuer=school) for school in ("school-a", "school-b"))
    assert first.type is IdentifierType.TF
    assert first != second


@given(births, st.sampled_from(INTERIM_LETTERS), st.integers(0, 99))
def test_a_number_that_each_issuer_gives_out_by_itself_is_nobodys_without_its_issuer(
    birth: dt.date, letter: str, two: int
) -> None:
    """Two schools' or two employers' are two persons: which of them is guessed by nobody."""
    for text in (f"{birth:%Y%m%d}TF{two:02d}", interim(birth, letter, f"{two:02d}")):
        with pytest.raises(Rejected) as raised:
            parse_identifier(text, TODAY)
        assert (raised.value.code, raised.value.detail) == ("identifier.ambiguous", "issuer")
        assert parse_identifier(text, TODAY, issuer="kommun").issuer == "kommun"


@given(births, st.integers(1, 999), st.integers(0, 11), st.sampled_from("0123456789"))
def test_one_changed_digit_is_never_the_same_number(birth: dt.date, three: int, place: int, digit: str) -> None:
    """A slip is refused, or it is another number (of another century, or a samordningsnummer): never the same person."""
    text = numbered(birth, f"{three:03d}")
    slip = text[:place] + digit + text[place + 1 :]
    if slip == text:
        return
    try:
        found = parse_identifier(slip, TODAY)
    except Rejected:
        return
    assert found.value == slip != text
    assert place < 2  # the check digit does not cover the century, and notices every other single slip


@given(st.text(max_size=14))
def test_no_text_does_anything_but_be_read_as_it_stands_or_be_refused(text: str) -> None:
    try:
        found = parse_identifier(text, TODAY)
    except Rejected:
        return
    assert found.value == text.replace("-", "")


# --- the traps (facts 2.2) ---
@pytest.mark.parametrize("tail", ["\n", " ", "\r", "\0", "\u2028"])
def test_a_trailing_line_end_or_space_is_refused(tail: str) -> None:
    assert refused(NUMBER + tail) == "identifier.invalid"
    assert refused(tail + NUMBER) == "identifier.invalid"


def test_digits_of_other_scripts_are_refused() -> None:
    arabic = NUMBER.translate({ord("0") + n: 0x0660 + n for n in range(10)})
    wide = NUMBER.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    for text in (arabic, wide, NUMBER[:10] + arabic[10:]):
        assert refused(text) == "identifier.invalid"


@pytest.mark.parametrize("century", ["16", "17", "21", "00"])
def test_other_centuries_than_18_19_and_20_are_refused(century: str) -> None:
    assert refused(century + NUMBER[2:]) == "identifier.invalid"


def test_births_in_the_future_are_refused_in_every_form() -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    for text in (
        numbered(tomorrow, "238"),
        numbered(tomorrow, "238", day=60),
        interim(tomorrow, "T", "23"),
        f"{tomorrow:%Y%m%d}TF01",
    ):
        assert refused(text) == "identifier.invalid"


def test_the_birth_number_000_is_nobodys() -> None:
    assert refused(numbered(dt.date(1990, 5, 4), "000")) == "identifier.invalid"


def test_ten_digits_do_not_tell_the_century_not_even_with_a_sign() -> None:
    """The sign tells whether somebody turns 100 this year or has; systems that always write a hyphen would give the number
    of a centenarian to a child (decision 0251)."""
    for sign in ("", "-", "+"):
        assert refused(f"{NUMBER[2:8]}{sign}{NUMBER[8:]}") == "identifier.ambiguous"
    assert refused(f"{NUMBER[:8]}+{NUMBER[8:]}") == "identifier.invalid"


def test_the_same_ten_digits_of_two_centuries_are_two_persons() -> None:
    old, young = (numbered(dt.date(year, 3, 4), "238") for year in (1915, 2015))
    assert old[2:] == young[2:]
    assert parse_identifier(old, TODAY) != parse_identifier(young, TODAY)


def test_the_leap_day_is_a_day_in_leap_years_only() -> None:
    assert kind(numbered(dt.date(2000, 2, 29), "238")) is IdentifierType.PERSONNUMMER
    nine = "010229238"
    assert refused(f"20{nine}{luhn_digit(nine)}") == "identifier.invalid"


@pytest.mark.parametrize("day", [32, 59, 92, 99])
def test_days_between_and_beyond_those_of_the_two_kinds_are_refused(day: int) -> None:
    nine = f"8005{day:02d}238"
    assert refused(f"19{nine}{luhn_digit(nine)}") == "identifier.invalid"


def test_a_letter_that_is_no_interim_letter_is_refused() -> None:
    for letter in sorted(set("ABCDEFGHIJKLMNOPQRSTUVWXYZ") - set(INTERIM_LETTERS)):
        assert refused(interim(dt.date(1990, 5, 4), letter, "23")) == "identifier.invalid"
    assert refused(interim(dt.date(1990, 5, 4), "t", "23")) == "identifier.invalid"


@pytest.mark.skipif(not COORDINATION.exists(), reason="Skatteverket's published samordningsnummer are not at hand")
def test_published_samordningsnummer_are_read() -> None:
    for text in COORDINATION.read_text(encoding="utf-8").split():
        assert kind(text) is IdentifierType.SAMORDNINGSNUMMER


# --- organisations ---
def organisation(nine: str) -> str:
    return f"{nine}{luhn_digit(nine)}"


@given(st.integers(0, 99), st.integers(20, 99), st.integers(0, 99_999))
def test_an_organisation_number_is_read_with_hyphen_and_with_prefix_16(first: int, middle: int, last: int) -> None:
    text = organisation(f"{first:02d}{middle:02d}{last:05d}")
    forms = (text, f"{text[:6]}-{text[6:]}", f"16{text}", f"16{text[:6]}-{text[6:]}")
    assert {parse_organisation_number(form) for form in forms} == {Identifier(IdentifierType.ORGANISATIONSNUMMER, text)}


@pytest.mark.parametrize("text", ["", "-", "21200013550", "2120001355\n", "17212000135", "２１２０００１３５５"])
def test_what_is_no_organisation_number_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        parse_organisation_number(text)


def test_a_hyphen_stands_before_the_last_four_of_an_organisation_number_and_nowhere_else() -> None:
    text = organisation("212000135")
    for form in (f"2-{text[1:]}", f"{text[:6]}--{text[6:]}", f"-{text}", f"{text}-", f"16-{text}"):
        with pytest.raises(Rejected):
            parse_organisation_number(form)


def test_a_third_digit_below_two_and_a_wrong_check_digit_are_no_organisation() -> None:
    for text in (organisation("211200013"), organisation("212000135")[:-1] + "9"):
        with pytest.raises(Rejected):
            parse_organisation_number(text)


def test_a_sole_traders_personnummer_is_a_person_and_no_organisation() -> None:
    with pytest.raises(Rejected):
        parse_organisation_number(NUMBER)
    with pytest.raises(Rejected):
        parse_organisation_number(NUMBER[2:])


def test_an_organisation_number_is_no_person() -> None:
    assert refused("16" + organisation("212000135")) == "identifier.invalid"


# --- foreign eID ---
def test_a_foreign_identifier_belongs_to_its_issuer() -> None:
    found = parse_foreign("DE/SE/ab-12.3", issuer="eidas")
    assert (found.type, found.value, found.issuer) == (IdentifierType.FOREIGN, "DE/SE/ab-12.3", "eidas")
    assert found != parse_foreign("DE/SE/ab-12.3", issuer="another")


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "å", "a\0", "x" * 129])
def test_what_is_no_plain_text_is_no_foreign_identifier(text: str) -> None:
    with pytest.raises(Rejected, match="identifier.invalid"):
        parse_foreign(text, issuer="eidas")
    with pytest.raises(Rejected, match="identifier.invalid"):
        parse_foreign("DE/SE/1", issuer=text)


def test_a_swedish_number_is_not_taken_for_a_foreign_one() -> None:
    with pytest.raises(Rejected):
        parse_foreign(NUMBER, issuer="eidas")
    with pytest.raises(Rejected):
        parse_foreign(f"{NUMBER[2:8]}-{NUMBER[8:]}", issuer="eidas")
    with pytest.raises(Rejected):
        parse_foreign("DE/SE/1", issuer=NUMBER)


def test_an_identifier_never_shows_its_number() -> None:
    for one in (parse_identifier(NUMBER, TODAY), parse_foreign("DE/SE/12345", issuer="eidas")):
        assert one.value not in f"{one} {one!r}"
