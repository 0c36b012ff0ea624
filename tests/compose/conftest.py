"""The compose file as data, the secrets of an installation, and a real broker guarded as the compose stack's is."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka.admin import AdminClient

from deploy.compose.consumers import kafka_password
from deploy.compose.kafka_rights import ADMIN, apply_logins, apply_rights, logins, rights
from deploy.compose.secrets import hand_out, make
from deploy.embedded.jars import jar_sets
from deploy.embedded.java import java
from deploy.embedded.ports import free_port
from streams.broker import Broker
from streams.clock import SystemClock
from streams.kafka_client import settings as client_settings
from streams.kafka_topics import create_topics

ROOT = Path(__file__).parents[2]

Services = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session")
def services() -> Services:
    """Of docker-compose.yml, with its anchors merged."""
    found: Services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return found


@dataclass(frozen=True, slots=True)
class Installation:
    """The authority's folder, and the containers' under `out`."""

    authority: Path
    out: Path

    def password(self, login: str) -> str:
        return (self.authority / kafka_password(login)).read_text()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("installation")
    made = Installation(folder / "authority", folder / "out")
    make(made.authority, SystemClock().now())
    hand_out(made.authority, made.out)
    return made


class Guarded:
    """A broker that runs the compose stack's own server.properties, on loopback, with logins and rights applied."""

    def __init__(self, address: str, given: Installation) -> None:
        self.address = address
        self._given = given

    def as_(self, login: str) -> Broker:
        return self.with_password(login, self._given.password(login))

    def with_password(self, login: str, password: str) -> Broker:
        return Broker(self.address, login, password, str(self._given.authority / "ca.pem"))


@pytest.fixture(scope="session")
def guarded(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("kafka")
    client, controller, node = free_port(), free_port(), free_port()
    given = installation.out / "kafka"
    properties = (ROOT / "deploy/images/kafka/server.properties").read_text()
    for written, here in (
        ("CLIENT://:9092", f"CLIENT://127.0.0.1:{client}"),
        ("CLIENT://kafka:9092", f"CLIENT://localhost:{client}"),
        ("localhost:9093", f"localhost:{controller}"),
        ("localhost:9094", f"localhost:{node}"),
        ("/run/secrets", str(given)),
        ("/var/lib/kafka/data", str(folder)),
    ):
        assert written in properties
        properties = properties.replace(written, here)
    settings = folder / "server.properties"
    settings.write_text(properties)
    argv = [str(java()), "-Xmx384m", "-XX:+UseSerialGC", "-cp", jar_sets()["kafka"].class_path]
    argv.insert(1, f"-Dlog4j2.configurationFile={ROOT / 'deploy/images/kafka/log4j2.properties'}")
    admin_login = (given / "admin.scram").read_text()
    cluster = (given / "cluster.id").read_text()
    format_it = ["format", "--config", str(settings), "--cluster-id", cluster, "--add-scram", admin_login]
    subprocess.run([*argv, "kafka.tools.StorageTool", *format_it], check=True, capture_output=True, timeout=60)
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen([*argv, "kafka.Kafka", str(settings)], stdout=log, stderr=log)
    try:
        made = Guarded(f"localhost:{client}", installation)
        create_topics(made.as_(ADMIN), partitions=1, timeout=120.0)
        admin = AdminClient(client_settings(made.as_(ADMIN)))
        apply_logins(admin, {login: installation.password(login) for login in logins()})
        apply_rights(admin, rights())
        yield made
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits for something to become true."""

    def wait(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60.0
        while not true():
            assert time.monotonic() < deadline, "it never became true"
            time.sleep(0.1)

    return wait
