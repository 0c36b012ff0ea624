"""One server of each kind for the whole run; the tests use keys of their own."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.targets.port import Disabling, Target
from deploy.embedded.ldap import embedded_directory
from deploy.embedded.scim import embedded_scim
from tests.contract.targets.benches import Bench, LdapBench, MemoryBench, ScimBench, ServerBench
from tests.contract.targets.servers import BASE_DN, BIND_DN, PASSWORD, Line, slapd, slapd_program


@contextlib.contextmanager
def _memory(folder: Path) -> Iterator[Bench]:
    yield MemoryBench()


@contextlib.contextmanager
def _openldap(folder: Path) -> Iterator[Bench]:
    if slapd_program() is None:
        pytest.skip("slapd (OpenLDAP) is not installed")
    with slapd(folder) as server:
        bench = LdapBench("openldap", server.port, BIND_DN, PASSWORD, BASE_DN, Disabling.LOCKED_TIME)
        yield bench
        bench.close()


@contextlib.contextmanager
def _unboundid(folder: Path) -> Iterator[Bench]:
    with embedded_directory(folder) as server:
        port = urlsplit(server.url).port or 0
        bench = LdapBench(
            "unboundid", port, server.bind_dn, server.password, server.base_dn, Disabling.PASSWORD_REMOVED
        )
        yield bench
        bench.close()


@contextlib.contextmanager
def _scim(folder: Path) -> Iterator[Bench]:
    with embedded_scim(folder) as server:
        bench = ScimBench(urlsplit(server.url).port or 0, server.token)
        yield bench
        bench.close()


_OPENERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Bench]]] = {
    "memory": _memory,
    "openldap": _openldap,
    "unboundid": _unboundid,
    "scim": _scim,
}


@pytest.fixture(scope="session", params=list(_OPENERS))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with _OPENERS[request.param](tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture
def server_bench(bench: Bench) -> ServerBench:
    """Only for tests that choose benches with a server (`indirect` parametrization)."""
    assert isinstance(bench, ServerBench)
    return bench


@pytest.fixture
def ldap_bench(bench: Bench) -> LdapBench:
    assert isinstance(bench, LdapBench)
    return bench


@pytest.fixture
def scim_bench(bench: Bench) -> ScimBench:
    assert isinstance(bench, ScimBench)
    return bench


@pytest.fixture
def reach(server_bench: ServerBench) -> Iterator[Callable[..., Target]]:
    """`reach(port, timeout=seconds)`: the target over another port, closed with the test."""
    with contextlib.ExitStack() as opened:

        def at(port: int, *, timeout: float) -> Target:
            target = server_bench.target_at(port, timeout=timeout)
            opened.callback(target.close)
            return target

        yield at


@pytest.fixture
def line(server_bench: ServerBench) -> Iterator[Line]:
    """A line to the server that can swallow answers."""
    found = Line(server_bench.port, server_bench.is_write)
    yield found
    found.close()
