"""The guard: no personnummer in the tree but Skatteverket's published test numbers.

Every 10- or 12-digit number that is Luhn-valid and date-valid counts, as *personnummer* or *samordningsnummer*, with or
without hyphen, in any tracked file and in any file name. Findings tell file and line, never the number.
"""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.checks.files import tracked
from streams.contracts.identifiers import luhn_digit
from streams.contracts.testnumbers import published

_NUMBER = re.compile(r"(?<![0-9])(18|19|20)?([0-9]{6})([-+]?)([0-9]{4})(?![0-9])")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX_TOKEN = re.compile(r"[0-9a-fA-F]{16,}")
_WORD = re.compile(r"[0-9A-Za-z+/_]+={0,2}")
_LONG_TOKEN = 40
"""A run of letters and digits this long is a hash or encoded data, not writing."""


def find(root: Path) -> list[str]:
    """`path:line` of everything at `root` that looks like a personnummer and is no published test number."""
    today = dt.datetime.now(dt.UTC).date()
    found: list[str] = []
    for path in tracked(root):
        relative = path.relative_to(root).as_posix()
        if _holds_one(relative, today):
            found.append(f"{_masked(relative)}:0: a file name holds a personnummer")
        if path.is_file() and not path.is_symlink():
            for number, line in enumerate(_lines(path.read_bytes()), start=1):
                if _holds_one(line, today):
                    found.append(f"{_masked(relative)}:{number}: a personnummer that is not a published test number")
    return found


def _lines(content: bytes) -> list[str]:
    """Latin-1 never fails and keeps digits; UTF-16 is recognised by its mark."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    return content.decode(encoding, errors="replace").split("\n")


def _masked(text: str) -> str:
    return _NUMBER.sub("*", text)


def _holds_one(line: str, today: dt.date) -> bool:
    candidates = [match for match in _NUMBER.finditer(line) if _is_number(match, today)]
    if not candidates:
        return False
    codes = [match.span() for match in _codes(line)]
    return any(not any(start <= m.start() and m.end() <= end for start, end in codes) for m in candidates)


def _codes(line: str) -> Iterator[re.Match[str]]:
    """The parts of a line that are UUIDs, hashes or encoded data."""
    yield from _UUID.finditer(line)
    for pattern in (_HEX_TOKEN, _WORD):
        for match in pattern.finditer(line):
            text = match.group()
            if pattern is _WORD and len(text) < _LONG_TOKEN:
                continue
            if not text.isdigit():
                yield match


def _is_number(match: re.Match[str], today: dt.date) -> bool:
    century, six, _, four = match.groups()
    if four[:3] == "000" or luhn_digit(six + four[:3]) != int(four[3]):
        return False
    before = match.string[max(0, match.start() - 2) : match.start()]
    if century is None and len(before) == 2 and before[0].isdigit() and before[1] == ".":
        return False  # the decimals of a number
    centuries = [century] if century else ["18", "19", "20"]
    dated = [c for c in centuries if _is_date(int(c + six[:2]), int(six[2:4]), int(six[4:]), today)]
    return bool(dated) and not any(c + six + four in published() for c in dated)


def _is_date(year: int, month: int, day: int, today: dt.date) -> bool:
    """A date of birth, also of a samordningsnummer (day + 60, month or day unknown)."""
    if day >= 60:
        month, day = month or 1, (day - 60) or 1
    try:
        return dt.date(year, month, day) <= today
    except ValueError:
        return False
