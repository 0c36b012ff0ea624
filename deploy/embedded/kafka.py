"""A real Apache Kafka broker in a folder: KRaft, one node that is broker and controller, loopback only."""

import base64
import contextlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.embedded import server
from deploy.embedded.jars import jar_sets
from deploy.embedded.java import java, small_jvm
from deploy.embedded.ports import LOOPBACK, free_port, is_open
from deploy.embedded.processes import Program, Supervisor
from streams.contracts.errors import Unavailable

_LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.started.name = kafka.server.KafkaRaftServer
logger.started.level = info
"""

_SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",  # topics come from the catalogue
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "6",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # After kill -9 the new broker may register only when the old one's session is over.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "initial.broker.registration.timeout.ms": "30000",
    # One small machine: less preallocated memory and fewer threads than the defaults for a server of its own.
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.cleaner.io.buffer.size": "262144",
    "log.index.size.max.bytes": "1048576",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
}


def cluster_id(random: Callable[[], bytes] = lambda: uuid.uuid4().bytes) -> str:
    """A new cluster's id, from 16 random bytes. None that begins with a hyphen: Kafka's own program takes that for an
    option, and one new folder in 64 could not be formatted."""
    while (found := base64.urlsafe_b64encode(random()).decode().rstrip("=")).startswith("-"):
        continue
    return found


class KafkaServer:
    """One broker with its data in `folder`."""

    name = "kafka"

    def __init__(self, folder: Path, log: Path, cache: Path | None = None) -> None:
        self._folder = folder.resolve()
        self._log = log
        self._cache = cache
        self._port = 0
        self._class_path = ""

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._port}"

    def prepare(self, supervisor: Supervisor) -> None:
        self._class_path = jar_sets(self._cache)["kafka"].class_path
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        (self._folder / "log4j2.properties").write_text(_LOGGING)
        if (self._data / "meta.properties").exists():
            return
        self._write_settings(1, 2)
        argv = self._java("kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", str(self._settings_file))
        status = supervisor.run(self._program("kafka-format", argv, restart=False), 60.0)
        if status != 0:
            raise Unavailable(
                "service.unavailable", f"Kafka's folder cannot be formatted; {server.last_words(self._log)}"
            )

    def program(self) -> Program:
        self._port = free_port()
        self._write_settings(self._port, free_port())
        return self._program(self.name, self._java("kafka.Kafka", str(self._settings_file)))

    def is_ready(self) -> bool:
        return is_open(self._port) and answers(self.bootstrap)

    def finish(self) -> None:
        """Nothing is left: topics are made by the catalogue's own step."""

    def entry(self) -> Mapping[str, str]:
        return {"address": self.bootstrap}

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _settings_file(self) -> Path:
        return self._folder / "server.properties"

    def _write_settings(self, port: int, controller: int) -> None:
        settings = {
            **_SETTINGS,
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
            "log.dirs": str(self._data),
        }
        self._settings_file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def _java(self, *arguments: str) -> tuple[str, ...]:
        return (
            str(java()),
            *small_jvm(384, initial_mb=192, metaspace_mb=128, code_mb=64),
            "-XX:MaxDirectMemorySize=128m",
            f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}",
            f"-Dkafka.logs.dir={self._folder}",
            f"-Djava.io.tmpdir={self._folder}",
            "-cp",
            self._class_path,
            *arguments,
        )

    def _program(self, name: str, argv: tuple[str, ...], *, restart: bool = True) -> Program:
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        return Program(name, argv, self._log, env=env, cwd=self._folder, restart=restart)


def answers(bootstrap: str, seconds: float = 2.0) -> bool:
    """A broker answers at this address, in Kafka's own protocol."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": int(seconds * 1000)})
    try:
        return bool(admin.list_topics(timeout=seconds).brokers)
    except KafkaException:
        return False


@dataclass(frozen=True, slots=True)
class Broker:
    bootstrap: str


@contextlib.contextmanager
def embedded_kafka(folder: Path) -> Iterator[Broker]:
    """A broker of its own for as long as the block runs. The data stays in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kafka = KafkaServer(folder, folder / "kafka.log")
    with Supervisor(folder / "supervisor.log") as supervisor:
        server.start(kafka, supervisor)
        yield Broker(kafka.bootstrap)
