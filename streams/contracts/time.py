"""Dates and instants: inclusive dates in Europe/Stockholm, instants in UTC, incomplete dates kept as such."""

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

STOCKHOLM = ZoneInfo("Europe/Stockholm")

IncompleteDate = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$(?!\n)")]
"""`YYYY`, `YYYY-MM` or `YYYY-MM-DD`: precision is what the source knew, never filled in. (Python's `$` also stands before a
line end.)"""


def local_date(instant: dt.datetime) -> dt.date:
    """The date in Sweden at a UTC instant."""
    return instant.astimezone(STOCKHOLM).date()


def start_of(day: dt.date) -> dt.datetime:
    """The first instant of a Swedish day, as UTC. Right on daylight-saving days too (23 or 25 hours)."""
    return dt.datetime.combine(day, dt.time(), STOCKHOLM).astimezone(dt.UTC)


def day_after(day: dt.date) -> dt.date:
    """The first day on which something with an inclusive end no longer holds."""
    return day + dt.timedelta(days=1) if day < dt.date.max else day


def holds(valid_from: dt.date | None, valid_to: dt.date | None, on: dt.date) -> bool:
    """Inclusive at both ends; None is open."""
    return (valid_from is None or valid_from <= on) and (valid_to is None or on <= valid_to)


def months_after(start: dt.date, months: int) -> dt.date:
    """The last day (inclusive) of so many whole months from `start`: twelve from 1 March end on the last of February."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return dt.date.max
    try:
        return dt.date(year, month + 1, start.day) - dt.timedelta(days=1)
    except ValueError:  # the day that the month lacks: its last day is the last one
        return dt.date(year, month + 2, 1) - dt.timedelta(days=1)
