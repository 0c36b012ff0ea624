"""Ids that a source gives its records. They become keys, which many see: none may hold the number of a person."""

import re

from connectors.sources.posts import Context
from streams.contracts.identifiers import luhn_digit

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What an id may look like as it stands."""

_NUMBER = re.compile(
    r"(?=([0-9]{2}(?:0[0-9]|1[0-2])(?:0[0-9]|[1-2][0-9]|3[01]|[6-8][0-9]|9[01]))[-+]?([0-9]{4}|[TRSUWXJKLMN][0-9]{3}|TF[0-9]{2}))"
)
_INTERIM_DIGIT = "1"  # what the letter of an interim number counts as


def holds_number(text: str) -> bool:
    """Whether a personnummer, samordningsnummer, interim or TF number stands anywhere in a text, with or without century
    and hyphen. By form and check digit alone, never by today's date: an id that was none yesterday is none tomorrow."""
    return any(_is_number(birth, last) for birth, last in _NUMBER.findall(text))


def _is_number(birth: str, last: str) -> bool:
    if last.startswith("TF"):
        return True
    serial = last[:3] if last[0].isdigit() else _INTERIM_DIGIT + last[1:3]
    return luhn_digit(birth + serial) == int(last[3])


def plain(text: str, context: Context) -> str:
    """The id as it may be seen: a keyed hash of it where it holds a number or is no id by its form."""
    return text if ID.fullmatch(text) and not holds_number(text) else f"h{context.digest_of(text)}"
