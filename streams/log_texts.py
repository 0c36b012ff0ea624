"""What a log record may say: everything that is written to a log passes here, ours and what libraries say alike.

The text of a foreign exception may quote values (PostgreSQL tells the row that broke a constraint, a directory the entry
that it refused), so of an exception only its class and the places in the program are told. A library's message is
its fixed text; what it fills in is left out but for numbers, and a text that was put together before is not told at all.
"""

import datetime as dt
import enum
import logging
import re
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from uuid import UUID

from streams.contracts.errors import KallanError

OURS = frozenset(("connectors", "deploy", "iam", "kallan", "mmd", "streams"))
"""First names of loggers whose texts are written here."""
_FIXED = frozenset(("uvicorn.error",))
"""Loggers whose texts without arguments are fixed texts."""

LEFT_OUT = "..."
_PLAIN = (bool, int, float, str, UUID, PurePath, dt.date, dt.timedelta, type(None))
_NUMBER = re.compile(r"(?<![0-9A-Za-z-])(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}(?![0-9A-Za-z-])")
_SPACE = re.compile(r"[\x00-\x20\x7f]+")
_MOST = 1000
_FRAMES = 4


def said(record: logging.LogRecord) -> str:
    """The message in one line, without a value of a person."""
    ours = record.name.partition(".")[0] in OURS
    if not isinstance(record.msg, str):
        text = of_error(record.msg) if isinstance(record.msg, BaseException) else type(record.msg).__name__
    elif record.args:
        text = _filled(record.msg, record.args, ours=ours)
    elif ours or record.name in _FIXED:
        text = record.msg
    else:
        text = f"(text left out, said at {record.module}:{record.lineno})"
    return cleaned(text)


def cleaned(text: str) -> str:
    """One line, not endless, and nothing in it that has the form of a personnummer."""
    return _NUMBER.sub("[...]", _SPACE.sub(" ", text)).strip()[:_MOST]


def of_error(error: BaseException) -> str:
    """An error of ours by code and detail, any other by its class (and PostgreSQL's five-letter state)."""
    if isinstance(error, KallanError):
        return cleaned(str(error))
    state = getattr(error, "sqlstate", None)
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"{name} {state}" if isinstance(state, str) else name


def where(error: BaseException) -> str:
    """The last places of the program that the error came through, the innermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def code_of(record: logging.LogRecord) -> str:
    """The stable code that a record is about; empty: none."""
    given = getattr(record, "code", "")
    if given:
        return str(given)
    values = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
    errors = [*values, record.msg, record.exc_info[1] if record.exc_info else None]
    return next((one.code for one in errors if isinstance(one, KallanError)), "")


def _filled(template: str, arguments: tuple[object, ...] | Mapping[str, object], *, ours: bool) -> str:
    filled: Any
    if isinstance(arguments, Mapping):
        filled = {name: _told(value, ours=ours) for name, value in arguments.items()}
    else:
        filled = tuple(_told(value, ours=ours) for value in arguments)
    try:
        return str(template % filled)
    except (TypeError, ValueError, KeyError):
        return template


def _told(value: object, *, ours: bool) -> object:
    if isinstance(value, BaseException):
        return of_error(value)
    if isinstance(value, enum.Enum):
        return value.value if ours else LEFT_OUT
    if isinstance(value, bool | int | float):
        return value
    if ours and isinstance(value, _PLAIN):
        return value
    return type(value).__name__ if ours else LEFT_OUT
