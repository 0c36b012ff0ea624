"""A real LDAP server in a folder: UnboundID's in-memory server, which enforces schema and parents. Loopback only.

It keeps its entries in memory; a keeper writes them to a file within a second of every change, and every start, also one
after kill -9, loads that file. What the last second changed can be lost then: reconciliation with the target mends it.
"""

import contextlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ldap3.core.exceptions import LDAPException

from deploy.embedded import ldap_client, server
from deploy.embedded.jars import jar_sets
from deploy.embedded.java import java, small_jvm
from deploy.embedded.ldif import Entry, to_ldif
from deploy.embedded.ldif_keeper import LdifKeeper
from deploy.embedded.ports import LOOPBACK, free_port, is_open
from deploy.embedded.processes import Program, Supervisor
from deploy.embedded.secret_files import secret

BASE_DN = "dc=kommun,dc=test"
BIND_DN = f"cn=admin,{BASE_DN}"
SCHEMA = Path(__file__).parent / "ldap_schema" / "kallan.ldif"
_INDEXED = ("uid", "member", "kallanAccountKey")
_STANDARD_SCHEMA = "com/unboundid/ldap/sdk/schema/standard-schema.ldif"
_REMEMBERED_CHANGES = "20000"

_FIRST_ENTRIES = (
    Entry(BASE_DN, {"objectClass": (b"top", b"domain"), "dc": (b"kommun",)}),
    Entry(f"ou=people,{BASE_DN}", {"objectClass": (b"top", b"organizationalUnit"), "ou": (b"people",)}),
    Entry(f"ou=groups,{BASE_DN}", {"objectClass": (b"top", b"organizationalUnit"), "ou": (b"groups",)}),
)


@dataclass(frozen=True, slots=True)
class Directory:
    """How to reach the directory."""

    url: str
    bind_dn: str
    password: str
    base_dn: str


class LdapServer:
    """One directory with its entries in `folder`."""

    name = "ldap"

    def __init__(self, folder: Path, log: Path, password_file: Path | None = None, cache: Path | None = None) -> None:
        self._folder = folder.resolve()
        self._log = log
        self._password_file = password_file or self._folder / "password"
        self._cache = cache
        self._port = 0
        self._password = ""
        self._class_path = ""
        self._keeper: LdifKeeper | None = None

    @property
    def directory(self) -> Directory:
        return Directory(f"ldap://{LOOPBACK}:{self._port}", BIND_DN, self._password, BASE_DN)

    def prepare(self, supervisor: Supervisor) -> None:
        self._class_path = jar_sets(self._cache)["ldap"].class_path
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._write_schema()
        self._password = secret(self._password_file)
        with contextlib.suppress(FileNotFoundError):
            self._arguments_file.unlink()
        handle = os.open(self._arguments_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:  # the password is never on a command line, which everybody may read
            file.write(f"additionalBindDN={BIND_DN}\nadditionalBindPassword={self._password}\n")
        if not self._ldif_file.exists():
            self._ldif_file.write_bytes(b"".join(map(to_ldif, _FIRST_ENTRIES)))
            self._ldif_file.chmod(0o600)

    def program(self) -> Program:
        self._port = free_port()
        arguments = {
            "--propertiesFilePath": self._arguments_file,
            "--baseDN": BASE_DN,
            "--port": self._port,
            "--ldifFile": self._ldif_file,
            "--useSchemaFile": self._folder / "schema",
            "--maxChangeLogEntries": _REMEMBERED_CHANGES,
            "--defaultPasswordEncoding": "SSHA256",
        }
        argv = (
            str(java()),
            *small_jvm(160, initial_mb=32, metaspace_mb=64, code_mb=32),
            "-cp",
            self._class_path,
            "com.unboundid.ldap.listener.InMemoryDirectoryServerTool",
            "--suppressPropertiesFileComment",
            "--doNotValidateSchemaDefinitions",  # it warns of identifiers below 2.25 (UUIDs), which need more than 32 bits
            *(str(part) for pair in arguments.items() for part in pair),
            *(part for name in _INDEXED for part in ("--equalityIndex", name)),
            *(
                part
                for kind in ("add", "compare", "delete", "modify", "modify-dn", "search")
                for part in ("--authenticationRequiredOperationType", kind)
            ),
        )
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        return Program(self.name, argv, self._log, env=env, cwd=self._folder)

    def is_ready(self) -> bool:
        return is_open(self._port) and answers(self.directory)

    def finish(self) -> None:
        """From now on the entries are kept."""
        if self._keeper is None:
            there = self.directory
            self._keeper = LdifKeeper(there.url, there.bind_dn, there.password, there.base_dn, self._ldif_file)
            self._keeper.start()

    def save(self) -> None:
        """Write the entries once more and stop keeping them: before the server is stopped. Idempotent."""
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None

    def entry(self) -> Mapping[str, str]:
        there = self.directory
        return {
            "address": f"{LOOPBACK}:{self._port}",
            "url": there.url,
            "bind_dn": there.bind_dn,
            "password": there.password,
            "base_dn": there.base_dn,
        }

    def _write_schema(self) -> None:
        """The server's own standard schema and ours beside it: it takes either the standard one or a folder."""
        folder = self._folder / "schema"
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(self._class_path.split(os.pathsep)[0]) as jar:
            (folder / "00-standard.ldif").write_bytes(jar.read(_STANDARD_SCHEMA))
        (folder / "10-kallan.ldif").write_bytes(SCHEMA.read_bytes())

    @property
    def _ldif_file(self) -> Path:
        return self._folder / "entries.ldif"

    @property
    def _arguments_file(self) -> Path:
        return self._folder / "arguments.properties"


def answers(directory: Directory, seconds: float = 2.0) -> bool:
    """The directory accepts our bind."""
    connection = ldap_client.connection(directory.url, directory.bind_dn, directory.password, seconds)
    try:
        return bool(connection.bind()[0])
    except LDAPException:
        return False
    finally:
        ldap_client.close(connection)


@contextlib.contextmanager
def embedded_directory(folder: Path) -> Iterator[Directory]:
    """A directory of its own for as long as the block runs. The entries stay in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ldap = LdapServer(folder, folder / "ldap.log")
    with Supervisor(folder / "supervisor.log") as supervisor:
        server.start(ldap, supervisor)
        try:
            yield ldap.directory
        finally:
            ldap.save()
