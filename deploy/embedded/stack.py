"""The whole stack in one folder: the four servers, the workers that are handed in, and `stack.json` that tells of them."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

from deploy.embedded import secret_files, server
from deploy.embedded.folder_lock import FolderLock
from deploy.embedded.given import Given
from deploy.embedded.kafka import KafkaServer
from deploy.embedded.ldap import Directory, LdapServer
from deploy.embedded.postgres import PostgresServer
from deploy.embedded.processes import Event, Program, Supervisor, log, wait_until
from deploy.embedded.scim import Scim, ScimServer
from deploy.embedded.stack_file import StackFile
from streams.contracts.errors import KallanError, Unavailable

_WORKER_PATIENCE = 5.0
_WORKER_STAGE = 1
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of ours: started when the servers are ready, started again when it crashes, stopped before the servers.

    `service` lists it in stack.json among the services with these fields (the API with its url), else it is a worker.
    `metrics` is the address of its metrics and readiness.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    service: Mapping[str, str] | None = None
    metrics: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """How to reach the servers, embedded or given."""

    database_url: str
    kafka: str
    ldap: Directory
    scim: Scim


class Stack:
    """Runs everything for as long as the block lasts; nothing is left afterwards, not even when this process is killed.

    home        data, logs, secrets and stack.json; one stack at a time (`KallanError("stack.in-use")`)
    given       servers that exist already and are used instead of embedded ones
    keys        names of secret files (64 hexadecimal digits) made in home/secrets on first use
    throwaway   the folder is removed afterwards: no fsync, nothing left outside the folder
    cache       where the Java libraries are; None: KALLAN_CACHE or the user's cache folder

    Ctrl-C and SIGTERM raise KeyboardInterrupt at any moment, also while it starts; all has stopped within 10 s.
    """

    def __init__(
        self,
        home: Path,
        given: Given | None = None,
        *,
        keys: Sequence[str] = (),
        throwaway: bool = False,
        cache: Path | None = None,
    ) -> None:
        self.home = home.absolute()
        self.secrets = self.home / "secrets"
        self.logs = self.home / "logs"
        self._given = given or Given()
        self._keys = tuple(keys)
        self._throwaway = throwaway
        self._cache = cache
        self._servers: dict[str, server.Server] = {}
        self._programs: dict[str, Program] = {}
        self._workers: dict[str, Worker] = {}
        self._file = StackFile(self.home / "stack.json")
        self._supervisor: Supervisor | None = None
        self._services: Services | None = None
        self._cleanup = contextlib.ExitStack()

    @property
    def services(self) -> Services:
        if self._services is None:
            raise KallanError("service.unavailable", "the stack is not started")
        return self._services

    @property
    def supervisor(self) -> Supervisor:
        if self._supervisor is None:
            raise KallanError("service.unavailable", "the stack is not started")
        return self._supervisor

    def __enter__(self) -> Self:
        self._cleanup.enter_context(_terminate_is_interrupt())
        try:
            self._start()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    @property
    def worker_names(self) -> tuple[str, ...]:
        """Those that were handed in, running or not."""
        return tuple(self._workers)

    def start_workers(self, workers: Sequence[Worker]) -> None:
        """Start worker processes; each has its own log file. Returns when they run, not when they are ready."""
        for worker in workers:
            self._workers[worker.name] = worker
            env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **worker.env}
            program = Program(
                worker.name,
                worker.argv,
                self.log_of(worker.name),
                env=env,
                cwd=self.home,
                stage=_WORKER_STAGE,
                patience=_WORKER_PATIENCE,
            )
            self._programs[worker.name] = program
            self.supervisor.start(program)
            self._tell(worker.name)

    def stop_process(self, name: str) -> None:
        """Stop one server or worker until `start_process`: its clients see it absent."""
        self.supervisor.stop(name)

    def start_process(self, name: str) -> None:
        """Start again what was stopped, on the same port with the same data; a server is waited for."""
        self.supervisor.start(self._programs[name])
        it = self._servers.get(name)
        if it is not None:
            if not wait_until(it.is_ready, 60.0):
                raise Unavailable(
                    "service.unavailable", f"{name} does not start; {server.last_words(self.log_of(name))}"
                )
            it.finish()

    def pid(self, name: str) -> int | None:
        """The process id of a server or worker, None while it is not running."""
        return self.supervisor.pid(name)

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def wait(self) -> NoReturn:
        """Wait for Ctrl-C or SIGTERM (KeyboardInterrupt). Raises Unavailable if the supervisor is lost."""
        while True:
            if self.supervisor.lost:
                raise Unavailable("service.unavailable", "the supervisor is gone, and every server with it")
            time.sleep(0.2)

    def _start(self) -> None:
        began = time.monotonic()
        self._make_folders()
        lock = FolderLock(self.home)
        self._cleanup.callback(lock.release)
        self._file.remove()
        for name in self._keys:
            secret_files.key(self.secrets / name)
        self._servers = self._needed()
        self._supervisor = Supervisor(self.log_of("supervisor"), self._on_event, hold=(lock.handle,))
        self._cleanup.callback(self._stop)
        self._start_servers()
        self._given.wait()
        self._services = self._reached()
        self._file.show(self._entries())
        log.info("all servers are ready after %.1f s", time.monotonic() - began)

    def _make_folders(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        # Root's PostgreSQL belongs to another account, which must be able to pass through.
        self.home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.secrets, self.logs):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def _needed(self) -> dict[str, server.Server]:
        given, servers = self._given, dict[str, server.Server]()
        if not given.kafka:
            servers["kafka"] = KafkaServer(self.home / "kafka", self.log_of("kafka"), self._cache)
        if not given.database_url:
            password = self.secrets / "postgres.password"
            postgres = PostgresServer(
                self.home / "postgres", self.log_of("postgres"), password, durable=not self._throwaway
            )
            servers["postgres"] = postgres
            if self._throwaway:
                self._cleanup.callback(postgres.discard)
        if given.ldap:
            secret_files.put(self.secrets / "ldap.password", given.ldap.password)
        else:
            password = self.secrets / "ldap.password"
            servers["ldap"] = LdapServer(self.home / "ldap", self.log_of("ldap"), password, self._cache)
        if given.scim:
            secret_files.put(self.secrets / "scim.token", given.scim.token)
        else:
            servers["scim"] = ScimServer(self.home / "scim", self.log_of("scim"), self.secrets / "scim.token")
        return servers

    def _start_servers(self) -> None:
        """All at once. The threads are daemons: when this one is interrupted, nobody waits for them."""
        failures: list[BaseException] = []

        def run(it: server.Server) -> None:
            try:
                self._programs[it.name] = server.start(it, self.supervisor)
            except (KallanError, OSError) as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(it,), daemon=True) for it in self._servers.values()]
        for thread in threads:
            thread.start()
        end = time.monotonic() + _START_SECONDS
        while any(thread.is_alive() for thread in threads) and not failures:
            if time.monotonic() > end:
                raise Unavailable("service.unavailable", f"the servers are not ready after {_START_SECONDS:.0f} s")
            time.sleep(0.05)
        if failures:
            raise failures[0]

    def _reached(self) -> Services:
        entries = {**self._given.entries(), **{name: dict(it.entry()) for name, it in self._servers.items()}}
        ldap, scim = entries["ldap"], entries["scim"]
        return Services(
            entries["postgres"]["url"],
            entries["kafka"]["address"],
            Directory(ldap["url"], ldap["bind_dn"], ldap["password"], ldap["base_dn"]),
            Scim(scim["url"], scim["token"]),
        )

    def _entries(self) -> dict[str, dict[str, object]]:
        entries: dict[str, dict[str, object]] = {name: dict(e) for name, e in self._given.entries().items()}
        for name, it in self._servers.items():
            entries[name] = {**it.entry(), "pid": self.supervisor.pid(name), "log": str(self.log_of(name))}
        return entries

    def _on_event(self, event: Event) -> None:
        if event.kind == "started":
            try:
                self._file.pid(event.name, event.pid)
            except OSError as error:  # a full disk must not stop the watching
                log.error("stack.json cannot be written: %s", error.strerror)

    def _tell(self, name: str) -> None:
        worker = self._workers[name]
        about: dict[str, object] = {"pid": self.supervisor.pid(name), "log": str(self.log_of(name))}
        if worker.metrics:
            about["metrics"] = worker.metrics
        if worker.service is not None:
            self._file.add_service(name, {**worker.service, **about})
        else:
            self._file.add_worker(name, about)

    def _stop(self) -> None:
        """The supervisor stops the workers first, then the servers."""
        began = time.monotonic()
        self.supervisor.close()
        self._file.remove()
        log.info("everything is stopped after %.1f s", time.monotonic() - began)


@contextlib.contextmanager
def _terminate_is_interrupt() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does (only the main thread can say so)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
