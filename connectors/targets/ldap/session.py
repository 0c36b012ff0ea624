"""Connections to a directory: a small pool, one connection per call of the port, every failure as the port's errors."""

import math
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ldap3
from ldap3.core import results
from ldap3.operation.search import compile_filter, parse_filter
from ldap3.utils.asn1 import encode

from connectors.targets.ldap.errors import (
    EXPECTED_EXCEPTIONS,
    Outcome,
    error_for,
    outcome_of_code,
    outcome_of_exception,
)
from connectors.targets.ldap.settings import LdapSettings
from streams.contracts.errors import KallanError, Unavailable

ASSERTION = "1.3.6.1.1.12"  # RFC 4528
_PAGED = "1.2.840.113556.1.4.319"  # RFC 2696

Changes = Mapping[str, Sequence[tuple[str, Sequence[str]]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Attribute names are in lower case; values as they are stored."""

    dn: str
    values: Mapping[str, tuple[str, ...]] = field(repr=False)

    def all(self, attribute: str) -> tuple[str, ...]:
        return self.values.get(attribute.lower(), ())

    def first(self, attribute: str) -> str:
        return next(iter(self.all(attribute)), "")


def assertion(condition: str) -> tuple[str, bool, bytes]:
    """The assertion control: the server does the operation only if the entry still fits this filter."""
    tree = parse_filter(condition, None, auto_escape=False, auto_encode=True, validator=None, check_names=False)
    return (ASSERTION, True, encode(compile_filter(tree.elements[0])))


class Session:
    """One borrowed connection during one call of the port."""

    def __init__(self, pool: "Pool", connection: ldap3.Connection, fresh: bool, until: float) -> None:
        self._pool = pool
        self._settings = pool.settings
        self.connection = connection
        self._fresh = fresh  # nothing was ever sent over it but the bind
        self._until = until  # monotonic seconds: the end of the call
        self.wrote = False
        self.broken = False  # not to be used again: lost, or a request is under way

    @property
    def conditional(self) -> bool:
        return self._pool.conditional

    def search(self, base: str, condition: str, attributes: Sequence[str]) -> list[Entry]:
        """All entries in the subtree, all or an error. A base that does not exist holds none."""
        code, response, _ = self._call("search", base, condition, attributes=list(attributes))
        return self._entries(code, response)

    def search_entry(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        code, response, _ = self._call(
            "search", dn, "(objectClass=*)", search_scope=ldap3.BASE, attributes=list(attributes)
        )
        return next(iter(self._entries(code, response)), None)

    def search_pages(self, base: str, condition: str, attributes: Sequence[str]) -> Iterator[Entry]:
        """The same in pages (RFC 2696); every page has the whole deadline."""
        cookie: bytes | None = None
        while True:
            self._until = time.monotonic() + self._settings.deadline
            code, response, result = self._call(
                "search",
                base,
                condition,
                attributes=list(attributes),
                paged_size=self._settings.page_size,
                paged_cookie=cookie,
            )
            yield from self._entries(code, response)
            control = result.get("controls", {}).get(_PAGED)
            cookie = control["value"]["cookie"] if control else None
            if not cookie:
                return

    def add(self, dn: str, classes: Sequence[str], values: Mapping[str, Sequence[str]], also: set[int]) -> int:
        """The result code: success, or one of `also`; any other is raised as the port's error."""
        return self._write("add", also, dn, list(classes), {name: list(texts) for name, texts in values.items()})

    def modify(self, dn: str, changes: Changes, also: set[int], condition: str = "") -> int:
        plain = {name: [(how, list(texts)) for how, texts in steps] for name, steps in changes.items()}
        return self._write("modify", also, dn, plain, condition=condition)

    def rename(self, dn: str, rdn: str, also: set[int], condition: str = "") -> int:
        return self._write("modify_dn", also, dn, rdn, condition=condition)

    def delete(self, dn: str, also: set[int], condition: str = "") -> int:
        return self._write("delete", also, dn, condition=condition)

    # --- inside ---

    def _write(self, verb: str, also: set[int], *args: Any, condition: str = "") -> int:
        controls = [assertion(condition)] if condition and self.conditional else None
        code, _, _ = self._call(verb, *args, controls=controls)
        if code not in {results.RESULT_SUCCESS, *also}:
            outcome = outcome_of_code(code)
            may_be_done = self.wrote or outcome is Outcome.LOST
            raise self._failure(outcome, verb, f"result {code}", may_be_done=may_be_done)
        self.wrote = self.wrote or code == results.RESULT_SUCCESS
        return code

    def _entries(self, code: int, response: Any) -> list[Entry]:
        if code == results.RESULT_NO_SUCH_OBJECT:
            return []
        if code != results.RESULT_SUCCESS:
            raise self._failure(outcome_of_code(code), "search", f"result {code}", may_be_done=self.wrote)
        return [_entry(one) for one in response or () if one.get("type") == "searchResEntry"]

    def _call(self, verb: str, *args: Any, **options: Any) -> tuple[int, Any, Mapping[str, Any]]:
        """Send one request and wait for its answer. A read that meets a connection which died while it was idle is
        sent again over a new one; a write never is."""
        try:
            return self._once(verb, *args, **options)
        except EXPECTED_EXCEPTIONS as error:
            outcome = outcome_of_exception(error)
            self.broken = outcome is Outcome.LOST
            stale = outcome is Outcome.LOST and not self._fresh and not isinstance(error, TimeoutError)
            if not (stale and verb == "search" and not self.wrote and not options.get("paged_cookie")):
                may_be_done = self.wrote or verb != "search"
                raise self._failure(outcome, verb, type(error).__name__, may_be_done=may_be_done) from None
        self.connection = self._pool.reopen(self.connection, self._until)
        self._fresh, self.broken = True, False
        return self._call(verb, *args, **options)

    def _once(self, verb: str, *args: Any, **options: Any) -> tuple[int, Any, Mapping[str, Any]]:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._failure(Outcome.NOT_NOW, verb, "deadline", may_be_done=self.wrote)
        self.broken = True
        self.connection.socket.settimeout(min(left, self._settings.receive_timeout))
        _, result, response, _ = getattr(self.connection, verb)(*args, **options)
        self.broken = False
        return int(result["result"]), response, result

    def _failure(self, outcome: Outcome, verb: str, why: str, *, may_be_done: bool) -> KallanError:
        if outcome is Outcome.LOST:
            self.broken = True
        return error_for(outcome, f"{self._settings.name}: {verb}: {why}", may_be_done=may_be_done)


class Pool:
    """Thread-safe. Connections are opened when needed, used by one thread at a time, and dropped once broken."""

    def __init__(self, settings: LdapSettings) -> None:
        self.settings = settings
        self.conditional = False
        self._probed = False
        self._idle: list[ldap3.Connection] = []
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(settings.connections)

    @contextmanager
    def session(self) -> Iterator[Session]:
        until = time.monotonic() + self.settings.deadline
        if not self._room.acquire(timeout=self.settings.connect_timeout):
            raise Unavailable("target.unreachable", f"{self.settings.name}: no free connection")
        try:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            fresh = connection is None
            if connection is None:
                connection = self._open(until)
            session = Session(self, connection, fresh, until)
            try:
                self._probe(session)
                yield session
            finally:
                self._give_back(session)
        finally:
            self._room.release()

    def reopen(self, connection: ldap3.Connection, until: float) -> ldap3.Connection:
        """A new connection for a dead one; the other idle ones are of the same age and are dropped too."""
        _close(connection)
        self.close()
        return self._open(until)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            _close(connection)

    def _give_back(self, session: Session) -> None:
        if session.broken:
            _close(session.connection)
            return
        with self._lock:
            self._idle.append(session.connection)

    def _probe(self, session: Session) -> None:
        """Read once what the server can (root DSE)."""
        if self._probed:
            return
        root = session.search_entry("", ["supportedControl"])
        self.conditional = root is not None and ASSERTION in root.all("supportedControl")
        self._probed = True

    def _open(self, until: float) -> ldap3.Connection:
        settings = self.settings
        timeout = min(settings.connect_timeout, until - time.monotonic())
        if timeout <= 0:
            raise Unavailable("target.unreachable", f"{settings.name}: connect: deadline")
        over_tls = settings.url.startswith("ldaps://")
        secure = over_tls or settings.start_tls
        connection = None
        try:
            server = ldap3.Server(
                settings.url,
                use_ssl=over_tls,
                tls=_Tls(settings.ca_file) if secure else None,
                get_info=ldap3.NONE,
                connect_timeout=timeout,
            )
            connection = ldap3.Connection(
                server,
                settings.bind_dn,
                settings.password,
                client_strategy=ldap3.SAFE_SYNC,
                auto_referrals=False,
                check_names=False,
                receive_timeout=math.ceil(timeout),  # whole seconds only; every later call sets its own
            )
            connection.open()
            if settings.start_tls:
                connection.start_tls()
            _, result, _, _ = connection.bind()
        except EXPECTED_EXCEPTIONS as error:
            _close(connection)
            raise Unavailable("target.unreachable", f"{settings.name}: connect: {type(error).__name__}") from None
        if result["result"] != results.RESULT_SUCCESS:
            # Wrong credentials concern every account alike: nothing was sent, everything waits until it is put right.
            _close(connection)
            raise Unavailable("target.unreachable", f"{settings.name}: bind: result {result['result']}")
        return connection


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS with certificate and host name checked by Python's ssl: ldap3's own check uses a function that Python drops."""

    def __init__(self, ca_file: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = ssl.create_default_context(cafile=ca_file or None)

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)


def _entry(response: Mapping[str, Any]) -> Entry:
    raw: Mapping[str, Sequence[bytes]] = response["raw_attributes"]
    return Entry(
        str(response["dn"]),
        {name.lower(): tuple(value.decode("utf-8", "replace") for value in values) for name, values in raw.items()},
    )


def _close(connection: ldap3.Connection | None) -> None:
    """Close the socket without a word to the server: it may be gone, and unbind would wait for it."""
    if connection is not None and connection.socket is not None:
        connection.socket.close()
