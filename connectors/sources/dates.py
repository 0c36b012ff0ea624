"""Dates as sources write them: whole, incomplete (*ofullständigt datum*), or as an instant."""

import datetime as dt
import re

from streams.contracts.errors import Rejected
from streams.contracts.time import STOCKHOLM, IncompleteDate

_EIGHT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T00:00(?::00(?:\.0+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?")
_STAMP = re.compile(r"[0-9]{14}")


def incomplete(text: str, field: str) -> IncompleteDate | None:
    """`YYYYMMDD` where month or day may be 00 (not known): `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. Zero: None.

    Raises `Rejected("input.invalid")`.
    """
    if not (text.isascii() and text.isdigit()):
        raise Rejected("input.invalid", field)
    if not text.strip("0"):
        return None
    year, month, day = text[:4], text[4:6], text[6:]
    if len(text) != 8 or year == "0000":
        raise Rejected("input.invalid", field)
    if month == "00":
        return year
    try:
        dt.date(int(year), int(month), int(day) or 1)
    except ValueError:
        raise Rejected("input.invalid", field) from None
    return f"{year}-{month}" if day == "00" else f"{year}-{month}-{day}"


def earliest(date: IncompleteDate) -> dt.date:
    """The first day that an incomplete date can mean."""
    parts = [int(part) for part in date.split("-")]
    return dt.date(*(parts + [1, 1])[:3])


def latest(date: IncompleteDate) -> dt.date:
    """The last day that an incomplete date can mean."""
    parts = [int(part) for part in date.split("-")]
    if len(parts) == 3:
        return dt.date(*parts)
    if len(parts) == 1:
        return dt.date(parts[0], 12, 31)
    if parts[1] == 12:
        return dt.date(parts[0], 12, 31)
    return dt.date(parts[0], parts[1] + 1, 1) - dt.timedelta(days=1)


def as_written(date: IncompleteDate | None) -> IncompleteDate | None:
    """The date where it is incomplete, to be kept beside the day that it is read as; None for a whole one."""
    return None if date is None or date.count("-") == 2 else date


def iso_date(value: object, field: str) -> dt.date | None:
    """`YYYY-MM-DD`, also as an instant at midnight; None and "" are no date. Raises `Rejected("input.invalid")`."""
    if value is None or value == "":
        return None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    match = _ISO.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if match is None:
        raise Rejected("input.invalid", field)
    try:
        return dt.date.fromisoformat(match[1])
    except ValueError:
        raise Rejected("input.invalid", field) from None


def local_stamp(text: str) -> dt.datetime | None:
    """Navet's `YYYYMMDDhhmmss` without a zone, read as Swedish time; None where it is no such thing."""
    if not _STAMP.fullmatch(text) or text < "1900":
        return None
    try:
        return dt.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=STOCKHOLM)
    except ValueError:
        return None


def as_stamp(instant: dt.datetime) -> str:
    """An instant as fourteen digits of UTC: sorts as text."""
    return f"{instant.astimezone(dt.UTC):%Y%m%d%H%M%S}"
