"""Real servers for the contract tests: OpenLDAP as Debian ships it, and a line that can be cut."""

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ldap3

from deploy.embedded.ports import free_port

SCHEMA = Path(__file__).parents[3] / "deploy" / "embedded" / "ldap_schema" / "kallan.schema"
BASE_DN = "dc=kommun,dc=test"
BIND_DN = f"cn=admin,{BASE_DN}"
PASSWORD = "only-for-this-test"
_MODULES = Path("/usr/lib/ldap")


def slapd_program() -> str | None:
    return shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/lib/openldap:/usr/bin")


@dataclass(frozen=True)
class Slapd:
    port: int
    tls_port: int


@contextlib.contextmanager
def slapd(folder: Path, certificates: Path | None = None) -> Iterator[Slapd]:
    """slapd with mdb, memberof, refint and ppolicy on loopback, empty but for its containers and the default policy."""
    program = slapd_program()
    assert program is not None
    (folder / "data").mkdir()
    config = folder / "slapd.conf"
    config.write_text(_configuration(folder, certificates))
    port, tls_port = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{port}" + (f" ldaps://127.0.0.1:{tls_port}" if certificates else "")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-f", str(config), "-h", urls, "-d", "0"], stdout=log, stderr=log)
    try:
        _fill(port, process, folder / "log")
        yield Slapd(port, tls_port)
    finally:
        process.terminate()
        process.wait(10)


def _configuration(folder: Path, certificates: Path | None) -> str:
    schemas = [f"/etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "inetorgperson")]
    lines = [f"include {path}" for path in (*schemas, SCHEMA)]
    lines += [f"pidfile {folder}/pid", f"modulepath {_MODULES}"]
    lines += [f"moduleload {name}" for name in ("back_mdb", "memberof", "refint", "ppolicy")]
    if certificates:
        lines += [f"TLSCACertificateFile {certificates}/ca.pem", f"TLSCertificateFile {certificates}/server.pem"]
        lines += [f"TLSCertificateKeyFile {certificates}/server.key"]
    lines += ["database mdb", f"suffix {BASE_DN}", f"rootdn {BIND_DN}", f"rootpw {PASSWORD}"]
    lines += [f"directory {folder}/data", "dbnosync", "index objectClass,uid,kallanAccountKey,member,cn eq"]
    lines += ["overlay memberof", "overlay refint", "refint_attributes member manager"]
    lines += ["overlay ppolicy", f"ppolicy_default cn=policy,{BASE_DN}"]
    return "\n".join(lines) + "\n"


def _fill(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    connection = ldap3.Connection(
        ldap3.Server(f"ldap://127.0.0.1:{port}", get_info=ldap3.NONE),
        BIND_DN,
        PASSWORD,
        client_strategy=ldap3.SAFE_SYNC,
        check_names=False,
    )
    end = time.monotonic() + 20
    while not _is_open(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, "slapd does not answer"
        time.sleep(0.05)
    assert connection.bind()[0]
    policy = {"cn": "policy", "pwdAttribute": "userPassword", "pwdLockout": "TRUE", "pwdMaxFailure": "5"}
    entries: list[tuple[str, list[str], dict[str, str]]] = [
        (BASE_DN, ["organization", "dcObject"], {"o": "Kommun", "dc": "kommun"}),
        (f"ou=people,{BASE_DN}", ["organizationalUnit"], {"ou": "people"}),
        (f"ou=groups,{BASE_DN}", ["organizationalUnit"], {"ou": "groups"}),
        (f"cn=policy,{BASE_DN}", ["organizationalRole", "pwdPolicy"], policy),
    ]
    for dn, classes, values in entries:
        status, result, _, _ = connection.add(dn, classes, values)
        assert status, result["description"]
    connection.unbind()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Line:
    """A TCP proxy. Once armed it lets a request that `is_write` through, and swallows everything that comes back. `heard`:
    what clients sent, as it came."""

    def __init__(self, port: int, is_write: Callable[[bytes], bool]) -> None:
        self._to = port
        self._is_write = is_write
        self.armed = False
        self.heard: list[bytes] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self._open: list[socket.socket] = [self._door]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def hang_up(self) -> None:
        """Close what is open; new connections are served."""
        for one in self._open[1:]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [client, server]
                cut = threading.Event()
                threading.Thread(target=self._there, args=(client, server, cut), daemon=True).start()
                threading.Thread(target=self._back, args=(server, client, cut), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while request := client.recv(65536):
                self.heard.append(request)
                if self.armed and self._is_write(request):
                    cut.set()
                server.sendall(request)

    def _back(self, server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while answer := server.recv(65536):
                if not cut.is_set():
                    client.sendall(answer)
