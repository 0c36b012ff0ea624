"""Whatever is logged, by us or by a library, no value of a person gets out; and every line says what it is about."""

import datetime as dt
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import ldap3.core.exceptions
import psycopg
import pytest

from deploy.operations.logs import configure_logging
from streams.client_logs import LIBRARIES, calm
from streams.contracts.errors import KallanError, Rejected
from streams.contracts.testnumbers import test_number as published_number
from streams.log_texts import said
from tests.docs.reading import ROOT

NAME, STREET = "Kanariefågel", "Kanarielyckan"
NUMBER = published_number(dt.date(1985, 3, 2), "female")
CANARIES = (NAME, STREET, NUMBER, NUMBER[2:], f"{NUMBER[:8]}-{NUMBER[8:]}")
QUOTING = f"duplicate key value violates unique constraint\nDETAIL:  Key (name)=({NAME}, {NUMBER}) already exists."
FOREIGN = (
    "faust.app",
    "mode.services",
    "aiokafka.consumer",
    "ldap3",
    "psycopg.pool",
    "asyncio",
    "uvicorn.error",
    "httpx",
)


def unique_violation() -> psycopg.Error:
    return psycopg.errors.UniqueViolation(QUOTING)


def refused_entry() -> Exception:
    error: Exception = ldap3.core.exceptions.LDAPInvalidDnError(f"invalid DN cn={NAME},ou={STREET}")
    return error


@pytest.fixture(params=["text", "json"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stream(form: str) -> Iterator[io.StringIO]:
    """A worker's log as it is set up, in place of pytest's; everything is as before afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    kept = {name: (one.handlers[:], one.level, one.propagate) for name in LIBRARIES if (one := logging.getLogger(name))}
    root.handlers = []
    for name in kept:  # a test that ran a worker in this process has given them a handler of their own
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
        library.setLevel(logging.NOTSET)
    try:
        configure_logging("DEBUG", form, "ingest-bulk", stream)
        yield stream
    finally:
        logging.captureWarnings(False)
        root.handlers, sys.excepthook, threading.excepthook = before[0], before[2], before[3]
        root.setLevel(before[1])
        for name, (handlers, level, propagate) in kept.items():
            library = logging.getLogger(name)
            library.handlers, library.propagate = handlers, propagate
            library.setLevel(level)


def raised(error: Exception, values: object = STREET) -> Exception:
    """With a traceback whose frames hold canaries."""
    try:
        raise error
    except type(error) as found:
        return found


def holds_no_canary(stream: io.StringIO) -> bool:
    return not any(canary in stream.getvalue() for canary in CANARIES)


@pytest.mark.parametrize("error", [unique_violation(), refused_entry(), ValueError(NAME), KeyError(NUMBER)], ids=repr)
@pytest.mark.parametrize("logger", ["mmd.ingest", "iam.execute", "connectors.targets", *FOREIGN])
def test_the_text_of_an_exception_gets_out_nowhere(stream: io.StringIO, logger: str, error: Exception) -> None:
    log = logging.getLogger(logger)
    found = raised(error)
    log.error("it failed: %s", found)
    log.error("it failed: %r and %s", found, found)
    log.error("it failed: %(error)s", {"error": found})
    log.error(found)
    log.error("it failed", exc_info=found)
    log.error("it failed", exc_info=raised(RuntimeError(NAME)), stack_info=True)
    assert type(error).__name__ in stream.getvalue()
    assert "test_logs.py:" in stream.getvalue()
    assert holds_no_canary(stream)


@pytest.mark.parametrize("logger", FOREIGN)
def test_what_a_library_fills_in_gets_out_nowhere(stream: io.StringIO, logger: str) -> None:
    log = logging.getLogger(logger)
    log.error("record %s of %r at %d", NAME, {"name": STREET}, 7)
    log.error("record %(name)s", {"name": NAME})
    if logger != "uvicorn.error":  # whose texts without arguments are fixed
        log.error(f"put together before: {NAME} {NUMBER}")
    assert "at 7" in stream.getvalue()
    assert holds_no_canary(stream)


def test_a_text_with_too_few_values_is_told_without_them() -> None:
    record = logging.LogRecord("psycopg.pool", logging.ERROR, "x.py", 1, "too few: %s %s", (NAME,), None)
    assert said(record) == "too few: %s %s"


def test_a_number_of_a_person_in_a_text_of_ours_is_taken_out(stream: io.StringIO) -> None:
    log = logging.getLogger("mmd.ingest")
    for number in CANARIES[2:]:
        log.warning("number %s and again", number)
        log.warning(f"number {number}")
    log.warning("account %s, offset %d", "0f8fad5b-d9cb-869f-a165-708677289500", 4711)
    assert holds_no_canary(stream)
    assert "account 0f8fad5b-d9cb-869f-a165-708677289500, offset 4711" in stream.getvalue()


def test_only_plain_values_are_filled_into_our_texts(stream: io.StringIO) -> None:
    class Document:
        def __str__(self) -> str:
            return NAME

    logging.getLogger("mmd.ingest").warning("document %s, claims %s", Document(), {"family": NAME})
    assert "document Document, claims dict" in stream.getvalue()
    assert holds_no_canary(stream)


def test_what_nobody_caught_is_one_line_without_its_text(stream: io.StringIO) -> None:
    error = raised(unique_violation())
    sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=lambda: (_ for _ in ()).throw(unique_violation()), name="timers")
    thread.start()
    thread.join()
    assert len(stream.getvalue().splitlines()) == 2
    assert "UniqueViolation" in stream.getvalue()
    assert holds_no_canary(stream)


def test_warnings_of_python_go_the_same_way(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(f"about {NAME}", UserWarning, stacklevel=1)
    assert len(stream.getvalue().splitlines()) == 1
    assert holds_no_canary(stream)


def test_faust_and_its_client_go_the_same_way(stream: io.StringIO) -> None:
    calm()
    for name in ("faust.livecheck", "mode.services.worker", "aiokafka.fetcher"):
        logging.getLogger(name).error("crashed: %r %s", unique_violation(), NAME)
        logging.getLogger(name).error(f"cannot decode {NAME}")
        logging.getLogger(name).exception("crashed", exc_info=unique_violation())
    assert "streams.client_logs" in stream.getvalue()
    assert holds_no_canary(stream)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("form", ["json"])
def test_a_json_line_has_the_standard_fields(stream: io.StringIO) -> None:
    log = logging.getLogger("streams.consume")
    log.warning(
        "set aside: %s", Rejected("code.unknown", "claims[0]"), extra={"topic": "t", "partition": 3, "offset": 41}
    )
    log.error("broken\nin two", exc_info=raised(unique_violation()))
    log.info("plain")
    aside, broken, plain = lines(stream)
    assert dt.datetime.fromisoformat(aside["time"]).utcoffset() == dt.timedelta(0)
    assert {name: aside[name] for name in aside if name != "time"} == {
        "level": "WARNING",
        "logger": "streams.consume",
        "worker": "ingest-bulk",
        "code": "code.unknown",
        "message": "set aside: code.unknown: claims[0]",
        "topic": "t",
        "partition": 3,
        "offset": 41,
    }
    assert broken["message"] == "broken in two"
    assert broken["error"]["class"] == "psycopg.errors.UniqueViolation 23505"
    assert broken["error"]["at"].startswith("test_logs.py:")
    assert plain.keys() == {"time", "level", "logger", "worker", "message"}


@pytest.mark.parametrize("form", ["text"])
def test_a_text_line_is_for_people(stream: io.StringIO) -> None:
    logging.getLogger("streams.consume").error("set aside", exc_info=raised(KallanError("code.unknown", "claims[0]")))
    (line,) = stream.getvalue().splitlines()
    assert " ERROR   streams.consume: set aside [code.unknown: claims[0] at test_logs.py:" in line


def test_a_worker_that_dies_of_something_unexpected_prints_no_text_of_it() -> None:
    """As a process: what Python itself would print."""
    code = (
        "import psycopg; from deploy.operations.logs import configure_logging; configure_logging('INFO', 'json', 'relay');"
        f"raise psycopg.errors.UniqueViolation({QUOTING!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["code"] == "internal.unexpected"
    assert not any(canary in done.stderr + done.stdout for canary in CANARIES)
