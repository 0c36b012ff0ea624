"""The embedded broker: real, and its log survives."""

import os
import signal
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.embedded import server
from deploy.embedded.kafka import KafkaServer
from deploy.embedded.processes import Supervisor
from tests.integration.embedded.watch import eventually

QUIET = {"log_level": 0}


def send(bootstrap: str, topic: str, value: bytes) -> None:
    failures: list[object] = []

    def delivered(error: object, message: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.timeout.ms": 20000, **QUIET})
    producer.produce(topic, value, callback=delivered)
    assert producer.flush(25) == 0
    assert not failures


def read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "auto.offset.reset": "earliest", **QUIET}
    )
    consumer.subscribe([topic])
    found = consumer.consume(count, timeout=20)
    consumer.close()
    return [message.value() for message in found]


def test_messages_survive_kill_9_and_the_next_start(tmp_path: Path) -> None:
    kafka = KafkaServer(tmp_path / "kafka", tmp_path / "log")
    with Supervisor(tmp_path / "supervisor.log") as supervisor:
        server.start(kafka, supervisor)
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap, **QUIET})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(10)
        send(kafka.bootstrap, "kept", b"before")
        first = supervisor.pid("kafka")
        assert first
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: supervisor.pid("kafka") not in {None, first})
        assert eventually(kafka.is_ready, 30)
        send(kafka.bootstrap, "kept", b"after")
        assert read(kafka.bootstrap, "kept", 2) == [b"before", b"after"]
    log = (tmp_path / "log").read_text()
    assert "Kafka Server started" in log
    assert "SLF4J" not in log
