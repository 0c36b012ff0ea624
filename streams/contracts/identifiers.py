"""Person and organisation identifiers: the rules of Skatteverket's numbers, strict and ASCII only.

Sources: personnummer and samordningsnummer by Skatteverket (Luhn over the nine digits after the century), TF numbers by
SS 12000:2020, interim numbers by the personnummer specification 3.1, organisationsnummer with third digit 2 or more.
Public libraries accept a trailing newline, Arabic digits, century 16 and births in the future; this module does not.
"""

import datetime as dt
import re
from enum import StrEnum

import msgspec

from streams.contracts.errors import Rejected


class IdentifierType(StrEnum):
    PERSONNUMMER = "personnummer"
    SAMORDNINGSNUMMER = "samordningsnummer"
    INTERIM = "interim"
    TF = "tf"
    ORGANISATIONSNUMMER = "organisationsnummer"
    FOREIGN = "foreign"
    ROBOT = "robot"


class Identifier(msgspec.Struct, frozen=True):
    """A validated identifier in canonical form: twelve characters for Swedish numbers, ten digits for organisations.

    `issuer` is set only for types that are unique within an issuer (interim, TF, foreign eID, software robot).
    """

    type: IdentifierType
    value: str
    issuer: str = ""

    def __repr__(self) -> str:  # a number never reaches a log through a repr
        return f"Identifier({self.type.value}, ...)"

    __str__ = __repr__


_TWELVE = re.compile(r"(18|19|20)([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{4})")
_TF = re.compile(r"(18|19|20)([0-9]{2})([0-9]{2})([0-9]{2})TF([0-9]{2})")
_INTERIM = re.compile(r"(18|19|20)([0-9]{2})([0-9]{2})([0-9]{2})[TRSUWXJKLMN]([0-9]{3})")
_TEN = re.compile(r"[0-9]{6}[-+]?[0-9]{4}")
_HYPHENED = re.compile(r"[0-9]{8}-[0-9]{4}")
_PLAIN = re.compile(r"[!-~]{1,128}")
_ORGNR = re.compile(r"(?:16)?([0-9]{2}[2-9][0-9]{3})-?([0-9]{4})")


def luhn_digit(nine: str) -> int:
    """The check digit (modulus 10, weights 2, 1, 2 ...) of nine digits."""
    total = 0
    for position, char in enumerate(nine):
        product = int(char) * (2 - position % 2)
        total += product - 9 if product > 9 else product
    return -total % 10


def _real_date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def parse_identifier(text: str, today: dt.date, *, issuer: str = "") -> Identifier:
    """Read one identifier; hyphens are accepted in twelve-character forms (`YYYYMMDD-NNNC`).

    Raises `Rejected("identifier.invalid")`, or `Rejected("identifier.ambiguous")` for what may be several persons' number:
    ten digits without a century, with a sign or without (decision 0251), and a TF or interim number without its issuer.
    """
    if not isinstance(text, str) or not text.isascii() or len(text) > 13:
        raise Rejected("identifier.invalid", "form")
    plain = text
    if len(text) == 13 and text[8] == "-":
        plain = text[:8] + text[9:]
    if match := _TWELVE.fullmatch(plain):
        return _swedish(plain, match, today)
    if match := _TF.fullmatch(plain):
        return _dated(IdentifierType.TF, plain, match, today, issuer)
    if match := _INTERIM.fullmatch(plain):
        nine = plain[2:8] + "1" + plain[9:11]
        if luhn_digit(nine) != int(plain[11]):
            raise Rejected("identifier.invalid", "check digit")
        return _dated(IdentifierType.INTERIM, plain, match, today, issuer)
    if _TEN.fullmatch(text):
        raise Rejected("identifier.ambiguous", "ten digits")
    raise Rejected("identifier.invalid", "form")


def _swedish(plain: str, match: re.Match[str], today: dt.date) -> Identifier:
    century, year2, month, day, _ = match.groups()
    if luhn_digit(plain[2:11]) != int(plain[11]):
        raise Rejected("identifier.invalid", "check digit")
    year, month_number, day_number = int(century + year2), int(month), int(day)
    if day_number >= 60:
        return _coordination(plain, year, month_number, day_number - 60, today)
    birth = _real_date(year, month_number, day_number)
    if birth is None or birth > today or plain[8:11] == "000":
        raise Rejected("identifier.invalid", "date")
    return Identifier(IdentifierType.PERSONNUMMER, plain)


def _coordination(plain: str, year: int, month: int, day: int, today: dt.date) -> Identifier:
    """A samordningsnummer: day + 60; month or day may be unknown (00), as in Skatteverket's published test numbers."""
    known = _real_date(year, month or 1, day or 1)
    if known is None or known > today:
        raise Rejected("identifier.invalid", "date")
    return Identifier(IdentifierType.SAMORDNINGSNUMMER, plain)


def _dated(kind: IdentifierType, plain: str, match: re.Match[str], today: dt.date, issuer: str) -> Identifier:
    century, year2, month, day = match.groups()[:4]
    birth = _real_date(int(century + year2), int(month), int(day))
    if birth is None or birth > today:
        raise Rejected("identifier.invalid", "date")
    if not issuer:
        raise Rejected("identifier.ambiguous", "issuer")
    return Identifier(kind, plain, issuer)


def parse_organisation_number(text: str) -> Identifier:
    """Ten digits, third digit 2 or more, Luhn; the twelve-digit form with prefix 16 is read too."""
    if not isinstance(text, str) or not text.isascii():
        raise Rejected("identifier.invalid", "form")
    match = _ORGNR.fullmatch(text)
    ten = "".join(match.groups()) if match else ""
    if not ten or luhn_digit(ten[:9]) != int(ten[9]):
        raise Rejected("identifier.invalid", "organisation number")
    return Identifier(IdentifierType.ORGANISATIONSNUMMER, ten)


def parse_foreign(text: str, *, issuer: str) -> Identifier:
    """An identifier that another country's eID scheme gave (eIDAS: `DE/SE/...`), one person's within its issuer only.

    Printable ASCII without spaces, at most 128 characters, issuer too. Neither may have the form of a Swedish number, for
    that would be the same person under two names. Raises `Rejected("identifier.invalid")`.
    """
    for part in (text, issuer):
        if not isinstance(part, str) or not _PLAIN.fullmatch(part):
            raise Rejected("identifier.invalid", "foreign")
        if any(form.fullmatch(part) for form in (_TEN, _TWELVE, _TF, _INTERIM)) or _HYPHENED.fullmatch(part):
            raise Rejected("identifier.invalid", "foreign: the form of a Swedish number")
    return Identifier(IdentifierType.FOREIGN, text, issuer)
