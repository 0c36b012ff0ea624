"""Every HTTP status and every httpx exception ends as one of the port's errors."""

import inspect
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from connectors.targets.port import AccountState, Presence
from connectors.targets.scim import ScimSettings, ScimTarget
from connectors.targets.scim.errors import (
    EXPECTED_EXCEPTIONS,
    HttpFailure,
    Outcome,
    error_for,
    outcome_of_exception,
    outcome_of_status,
)
from connectors.targets.scim.models import Account
from connectors.targets.scim.session import Session
from streams.contracts.errors import KallanError, Rejected, Unavailable

_CLASSES = [
    found
    for _, found in inspect.getmembers(httpx, inspect.isclass)
    if issubclass(found, Exception) and found.__module__ == "httpx"
]


@pytest.mark.parametrize("found", _CLASSES, ids=lambda found: found.__name__)
def test_every_exception_of_the_library_is_expected(found: type[Exception]) -> None:
    assert issubclass(found, EXPECTED_EXCEPTIONS)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("x"), Outcome.NOT_NOW),
        (httpx.ConnectTimeout("x"), Outcome.NOT_NOW),
        (httpx.PoolTimeout("x"), Outcome.NOT_NOW),
        (httpx.ReadTimeout("x"), Outcome.LOST),
        (httpx.WriteTimeout("x"), Outcome.LOST),
        (httpx.ReadError("x"), Outcome.LOST),
        (httpx.RemoteProtocolError("x"), Outcome.LOST),
        (httpx.DecodingError("x"), Outcome.LOST),
    ],
)
def test_only_what_was_never_sent_counts_as_not_sent(error: Exception, outcome: Outcome) -> None:
    assert outcome_of_exception(error) is outcome


def test_every_status_has_a_meaning() -> None:
    for status in range(100, 600):
        assert (outcome_of_status(status) is Outcome.DONE) == (200 <= status < 300)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((408, 500, 502, 504, 599), Outcome.LOST),
        ((101, 301, 400, 403, 413, 422, 501), Outcome.REFUSED),
        ((401, 429, 503), Outcome.NOT_NOW),
        ((404,), Outcome.MISSING),
        ((409,), Outcome.CLASH),
        ((412,), Outcome.WRITTEN_BETWEEN),
    ],
)
def test_the_statuses_that_matter_mean_what_they_should(statuses: tuple[int, ...], outcome: Outcome) -> None:
    assert {outcome_of_status(status) for status in statuses} == {outcome}


@pytest.mark.parametrize("outcome", [found for found in Outcome if found is not Outcome.DONE])
def test_after_a_write_nothing_is_called_unreachable(outcome: Outcome) -> None:
    error = error_for(outcome, "x", may_be_done=True)
    assert isinstance(error, Rejected | Unavailable)
    assert error.code in {"target.refused", "target.unknown-outcome"}


class _Client:
    """Stands for the engine: every request raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def query(self, *_: Any, **__: Any) -> Any:
        raise self._error

    delete = query


@pytest.mark.parametrize("outcome", [found for found in Outcome if found is not Outcome.DONE])
def test_no_failure_of_a_request_escapes_a_session(outcome: Outcome) -> None:
    settings = ScimSettings("http://127.0.0.1:1", "x")
    client: Any = _Client(HttpFailure(outcome, "status"))
    session = Session(client, settings)
    with pytest.raises(KallanError) as read:
        session.find_all(Account, "externalId pr")
    assert read.value.code in {"target.refused", "target.unreachable"}
    if outcome is Outcome.MISSING:
        assert session.configuration() is None
        assert session.get("1") is None
    else:
        with pytest.raises(KallanError):
            session.configuration()
    if outcome is not Outcome.MISSING:
        with pytest.raises(KallanError) as written:
            session.delete(Any, "1")  # type: ignore[arg-type]
        expected = "target.unknown-outcome" if outcome is Outcome.LOST else read.value.code
        assert written.value.code == expected


@contextmanager
def _server(*answers: bytes) -> Iterator[int]:
    """Gives these answers, one a connection, whatever is asked."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            with suppress(OSError):  # the door is closed while nobody comes
                for answer in answers:
                    connection, _ = door.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield door.getsockname()[1]


def _answer(status: str, body: str, kind: str = "application/scim+json") -> bytes:
    text = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return head.encode() + text


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (_answer("200 OK", "<html>secret-value</html>", "text/html"), "target.refused"),
        (_answer("200 OK", '{"schemas": ["x"], "secret-value": 1}'), "target.refused"),
        (_answer("200 OK", "[1, 2"), "target.refused"),
        (_answer("401 Unauthorized", ""), "target.unreachable"),
        (_answer("404 Not Found", "secret-value"), "target.refused"),
        (_answer("302 Found", ""), "target.refused"),
        (_answer("500 Oops", '{"detail": "secret-value"}'), "target.unreachable"),
        (b"secret-value\r\n\r\n", "target.unreachable"),
        (b"", "target.unreachable"),
    ],
)
def test_an_answer_that_is_not_scim_becomes_an_error_without_its_text(answer: bytes, code: str) -> None:
    with _server(answer, answer) as port:
        target = ScimTarget(ScimSettings(f"http://127.0.0.1:{port}", "x", read_timeout=2))
        with pytest.raises(KallanError) as raised:
            target.ensure(AccountState("k", Presence.ENABLED, "u"))
        assert raised.value.code == code
        assert "secret-value" not in str(raised.value)
        assert raised.value.__cause__ is None
        target.close()


def test_an_answer_that_never_ends_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = door.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/scim+json\r\nContent-Length: 1000\r\n\r\n"
                )
                while not stop.wait(0.05):
                    connection.sendall(b" ")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        target = ScimTarget(ScimSettings(url, "x", deadline=0.4, read_timeout=0.3))
        with pytest.raises(Unavailable) as raised:
            target.read("k")
        assert raised.value.code == "target.unreachable"
        stop.set()
        thread.join(5)
        target.close()


@pytest.mark.parametrize(
    "options", [{"url": "ldap://x"}, {"url": "https://"}, {"url": "https://a:b@x"}, {"token": ""}, {"deadline": 0.0}]
)
def test_settings_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    good: dict[str, Any] = {"url": "https://x/v2", "token": "secret-value"}
    with pytest.raises(Rejected) as refused:
        ScimSettings(**{**good, **options})
    assert refused.value.code == "settings.invalid"
    assert "secret-value" not in repr(ScimSettings(**good))
