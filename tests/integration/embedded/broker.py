"""A producer and a consumer for the tests of the broker."""

from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

QUIET = {"log_level": 0}


def make_topic(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(10)


def topics(bootstrap: str) -> set[str]:
    return set(AdminClient({"bootstrap.servers": bootstrap, **QUIET}).list_topics(timeout=10).topics)


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
