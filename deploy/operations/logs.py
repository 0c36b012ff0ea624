"""The log of a process: one line an event, as text for people or as a JSON object for collectors."""

import datetime as dt
import json
import logging
import sys
import threading
from types import TracebackType
from typing import TextIO

from streams.log_texts import cleaned, code_of, of_error, said, where

CHATTY = ("aiokafka", "faust", "mode", "httpx", "httpcore", "alembic", "asyncio", "ldap3", "psycopg")
"""Libraries that are heard from WARNING on, whatever the level."""
PLACES = ("topic", "partition", "offset")
"""Where in the log of events a line is about, if it is."""

log = logging.getLogger("kallan")


class TextFormat(logging.Formatter):
    """Time, level, logger, text; after it the class of an error and where it arose."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: ")

    def format(self, record: logging.LogRecord) -> str:
        record.asctime = self.formatTime(record, self.datefmt)
        error = record.exc_info[1] if record.exc_info else None
        after = f" [{of_error(error)} at {where(error)}]" if error is not None else ""
        return f"{self.formatMessage(record)}{said(record)}{after}"


class JsonFormat(logging.Formatter):
    """One object a line. Always `time` (UTC), `level`, `logger`, `worker`, `message`; where they apply `code`, `topic`,
    `partition`, `offset`, and `error` with `class` and `at`."""

    def __init__(self, worker: str) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "worker": self._worker,
            "message": said(record),
        }
        if code := code_of(record):
            line["code"] = cleaned(code)
        for name in PLACES:
            if (value := getattr(record, name, None)) is not None:
                line[name] = value if isinstance(value, int) else cleaned(str(value))
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"] = {"class": of_error(error), "at": where(error)}
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str, form: str = "text", worker: str = "", stream: TextIO | None = None) -> None:
    """Everything that is logged in this process, by us or by libraries, goes to standard error (or `stream`) in the form
    `text` or `json`; so does what nobody caught, in place of Python's traceback, whose last line quotes the error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormat(worker) if form == "json" else TextFormat())
    logging.basicConfig(level=level, handlers=[handler])
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.captureWarnings(True)
    sys.excepthook = _nobody_caught
    threading.excepthook = _no_thread_caught


def _nobody_caught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("the process ends: nobody expected this", exc_info=(kind, error, trace), extra=_UNEXPECTED)


def _no_thread_caught(told: threading.ExceptHookArgs) -> None:
    error = told.exc_value
    if error is not None and not issubclass(told.exc_type, SystemExit):
        name = told.thread.name if told.thread else "a thread"
        log.critical("%s ends: nobody expected this", name, exc_info=error, extra=_UNEXPECTED)


_UNEXPECTED = {"code": "internal.unexpected"}
