"""Every result code and every exception of ldap3 ends as one of the port's errors."""

import inspect
import socket
import threading
from typing import Any

import ldap3
import pytest
from ldap3.core import exceptions, results
from ldap3.core.exceptions import LDAPException, communication_exception_factory

from connectors.targets.ldap import LdapSettings, LdapTarget
from connectors.targets.ldap.errors import Outcome, outcome_of_code, outcome_of_exception
from connectors.targets.ldap.session import Pool
from connectors.targets.port import AccountState, Disabling, Presence
from streams.contracts.errors import KallanError, Rejected, Unavailable

_SETTINGS = LdapSettings("ldap://127.0.0.1:389", "cn=admin", "x", "dc=test")
_CLASSES = sorted(
    (found for _, found in inspect.getmembers(exceptions, inspect.isclass) if issubclass(found, LDAPException)),
    key=lambda found: found.__name__,
)
_OTHERS = [TimeoutError, ConnectionResetError, IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError]


class _Socket:
    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def close(self) -> None:
        return None


class _Connection:
    """Answers the root DSE, then does what the test says."""

    def __init__(self, behaviour: "_Behaviour") -> None:
        self.socket = _Socket()
        self._behaviour = behaviour

    def search(self, base: str, *_: Any, **__: Any) -> Any:
        if base == "":
            return True, {"result": 0}, [], None
        return self._behaviour.answer()

    def modify(self, *_: Any, **__: Any) -> Any:
        return self._behaviour.answer()


class _Behaviour:
    def __init__(self, outcome: int | Exception) -> None:
        self.outcome = outcome
        self.asked = 0

    def answer(self) -> Any:
        self.asked += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome == 0, {"result": self.outcome}, [], None


class _Pool(Pool):
    def __init__(self, behaviour: _Behaviour) -> None:
        super().__init__(_SETTINGS)
        self.behaviour = behaviour
        self.opened = 0

    def _open(self, until: float) -> ldap3.Connection:
        self.opened += 1
        return _Connection(self.behaviour)


def _raised(pool: _Pool, *, write: bool, wrote: bool = False) -> KallanError | None:
    with pool.session() as session:
        session.wrote = wrote
        try:
            if write:
                session.modify("cn=x", {"title": [(ldap3.MODIFY_REPLACE, ["secret-value"])]}, set())
            else:
                session.search("dc=test", "(uid=secret-value)", ["uid"])
        except KallanError as error:
            return error
    return None


def _made(found: type[Exception]) -> Exception:
    if found is UnicodeDecodeError:
        return UnicodeDecodeError("utf-8", b"\xff", 0, 1, "secret-value")
    if issubclass(found, exceptions.LDAPOperationResult):
        error: Exception = exceptions.LDAPOperationResult(result=results.RESULT_OTHER, message="secret-value")
        return error
    return found("secret-value")


@pytest.mark.parametrize("found", [*_CLASSES, *_OTHERS], ids=lambda found: found.__name__)
def test_no_exception_of_the_library_escapes_and_no_value_with_it(found: type[Exception]) -> None:
    for write in (False, True):
        error = _raised(_Pool(_Behaviour(_made(found))), write=write)
        assert isinstance(error, Rejected | Unavailable)
        expected = {
            Outcome.REFUSED: "target.refused",
            Outcome.LOST: "target.unknown-outcome" if write else "target.unreachable",
        }
        assert error.code == expected[outcome_of_exception(_made(found))]
        assert "secret-value" not in str(error)


@pytest.mark.parametrize("code", sorted(results.RESULT_CODES))
def test_every_result_code_has_a_meaning(code: int) -> None:
    searched, modified = (_raised(_Pool(_Behaviour(code)), write=write) for write in (False, True))
    outcome = outcome_of_code(code)
    if code == results.RESULT_SUCCESS:
        assert searched is modified is None
        return
    assert modified is not None
    assert outcome is not Outcome.DONE
    expected = {
        Outcome.REFUSED: "target.refused",
        Outcome.NOT_NOW: "target.unreachable",
        Outcome.LOST: "target.unknown-outcome",
    }
    assert modified.code == expected[outcome]
    assert searched is None or searched.code != "target.unknown-outcome"
    after = _raised(_Pool(_Behaviour(code)), write=True, wrote=True)
    assert after is not None
    assert after.code == ("target.refused" if outcome is Outcome.REFUSED else "target.unknown-outcome")


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (results.RESULT_BUSY, Outcome.NOT_NOW),
        (results.RESULT_UNAVAILABLE, Outcome.NOT_NOW),
        (results.RESULT_OTHER, Outcome.LOST),
        (results.RESULT_CONSTRAINT_VIOLATION, Outcome.REFUSED),
        (results.RESULT_OBJECT_CLASS_VIOLATION, Outcome.REFUSED),
        (results.RESULT_INSUFFICIENT_ACCESS_RIGHTS, Outcome.REFUSED),
        (results.RESULT_SIZE_LIMIT_EXCEEDED, Outcome.REFUSED),
        (results.RESULT_REFERRAL, Outcome.REFUSED),
    ],
)
def test_the_codes_that_matter_mean_what_they_should(code: int, outcome: Outcome) -> None:
    assert outcome_of_code(code) is outcome


def test_a_connection_that_was_lost_is_not_used_again_and_one_that_refused_is() -> None:
    lost = _Pool(_Behaviour(ConnectionResetError()))
    _raised(lost, write=True)
    _raised(lost, write=True)
    assert lost.opened == 2
    refused = _Pool(_Behaviour(results.RESULT_CONSTRAINT_VIOLATION))
    _raised(refused, write=True)
    _raised(refused, write=True)
    assert refused.opened == 1


def test_a_read_over_a_dead_idle_connection_is_sent_again_once_and_a_write_never() -> None:
    dead = _Pool(_Behaviour(0))
    _raised(dead, write=False)
    dead.behaviour.outcome = communication_exception_factory(
        exceptions.LDAPSocketReceiveError, ConnectionResetError("x")
    )("x")
    asked = dead.behaviour.asked
    assert _raised(dead, write=False) is not None
    assert dead.behaviour.asked == asked + 2
    dead.behaviour.outcome = 0
    _raised(dead, write=False)
    dead.behaviour.outcome = ConnectionResetError()
    asked = dead.behaviour.asked
    assert _raised(dead, write=True) is not None
    assert dead.behaviour.asked == asked + 1


def test_a_read_that_times_out_is_not_sent_again() -> None:
    slow = _Pool(_Behaviour(0))
    _raised(slow, write=False)
    slow.behaviour.outcome = communication_exception_factory(exceptions.LDAPSocketReceiveError, TimeoutError("x"))("x")
    asked = slow.behaviour.asked
    assert _raised(slow, write=False) is not None
    assert slow.behaviour.asked == asked + 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x00",
        b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04",
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\xff" * 40,
        b"",
    ],
)
def test_a_server_that_does_not_speak_ldap_is_unreachable(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            connection, _ = door.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"ldap://127.0.0.1:{door.getsockname()[1]}"
        target = LdapTarget(LdapSettings(url, "cn=admin", "x", "dc=test", connect_timeout=1, deadline=2))
        with pytest.raises(Unavailable) as raised:
            target.ensure(AccountState("k", Presence.ENABLED, "u"))
        assert raised.value.code == "target.unreachable"
        thread.join(5)


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://127.0.0.1"},
        {"url": "ldap://"},
        {"url": "ldap://127.0.0.1:99999"},
        {"url": "ldaps://127.0.0.1", "start_tls": True},
        {"disabling": Disabling.ACCOUNT_CONTROL},
        {"password": ""},
        {"receive_timeout": 0.0},
    ],
)
def test_settings_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    good: dict[str, Any] = {"url": "ldap://127.0.0.1", "bind_dn": "cn=a", "password": "secret-value", "base_dn": "dc=t"}
    with pytest.raises(Rejected) as refused:
        LdapSettings(**{**good, **options})
    assert refused.value.code == "settings.invalid"
    assert "secret-value" not in repr(LdapSettings(**good))
