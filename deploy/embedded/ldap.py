"""A real LDAP server in a folder: UnboundID's in-memory server, which enforces schema and parents. Loopback only.

It is started by a main class of our own (LoopbackDirectory.java, compiled in memory at each start), which answers a
change when it stands in a file: kill -9 loses nothing that was answered. Every start loads what was kept.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ldap3.core.exceptions import LDAPException

from deploy.embedded import ldap_client, server
from deploy.embedded.jars import jar_sets
from deploy.embedded.java import java, small_jvm
from deploy.embedded.ports import LOOPBACK, free_port, is_open
from deploy.embedded.processes import Program, Supervisor
from deploy.embedded.secret_files import put, secret

BASE_DN = "dc=kommun,dc=test"
BIND_DN = f"cn=admin,{BASE_DN}"
SCHEMA = Path(__file__).parent / "ldap_schema" / "kallan.ldif"
_MAIN = Path(__file__).parent / "LoopbackDirectory.java"
_INDEXED = "uid,member,kallanAccountKey"

_FIRST_ENTRIES = f"""\
dn: {BASE_DN}
objectClass: domain
dc: kommun

dn: ou=people,{BASE_DN}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE_DN}
objectClass: organizationalUnit
ou: groups
"""


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

    @property
    def directory(self) -> Directory:
        return Directory(f"ldap://{LOOPBACK}:{self._port}", BIND_DN, self._password, BASE_DN)

    def prepare(self, supervisor: Supervisor) -> None:
        self._class_path = jar_sets(self._cache)["ldap"].class_path
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._password = secret(self._password_file)
        if not self._entries_file.exists():
            put(self._entries_file, _FIRST_ENTRIES)

    def program(self) -> Program:
        self._port = free_port()
        settings = {
            "baseDN": BASE_DN,
            "port": self._port,
            "bindDN": BIND_DN,
            "password": self._password,
            "entries": self._entries_file,
            "schema": SCHEMA,
            "indexed": _INDEXED,
        }
        # In a file, not on the command line, which everybody may read.
        put(self._settings_file, "".join(f"{key}={value}\n" for key, value in settings.items()))
        argv = (
            str(java()),
            *small_jvm(160, initial_mb=32, metaspace_mb=64, code_mb=32),
            "-cp",
            self._class_path,
            "org.codehaus.janino.SimpleCompiler",
            str(_MAIN),
            _MAIN.stem,
            str(self._settings_file),
        )
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        return Program(self.name, argv, self._log, env=env, cwd=self._folder)

    def is_ready(self) -> bool:
        return is_open(self._port) and answers(self.directory)

    def finish(self) -> None:
        """Nothing is left: the first entries are in the file that it loads."""

    def entry(self) -> Mapping[str, str]:
        there = self.directory
        return {
            "address": f"{LOOPBACK}:{self._port}",
            "url": there.url,
            "bind_dn": there.bind_dn,
            "password": there.password,
            "base_dn": there.base_dn,
        }

    @property
    def _entries_file(self) -> Path:
        return self._folder / "entries.ldif"

    @property
    def _settings_file(self) -> Path:
        return self._folder / "directory.properties"


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
        yield ldap.directory
