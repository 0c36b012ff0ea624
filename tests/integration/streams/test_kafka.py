"""The producer, the topics and the readers of the log, against a real broker."""

import signal
import socket
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import confluent_kafka as ck
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from streams import catalogue
from streams.catalogue import Topic
from streams.contracts.errors import Rejected, Unavailable
from streams.envelope import Message
from streams.kafka import KafkaProducer, LagMeter, create_topics, dump, lag, read_at

NewTopic = Callable[..., str]


@pytest.fixture
def new_topic(kafka_bootstrap: str) -> NewTopic:
    """Makes topics of their own for a test: call it, get a name."""

    def make(partitions: int = 2, like: Topic = catalogue.TOPICS[0]) -> str:
        topic = replace(like, name=f"test-{uuid.uuid4().hex[:12]}")
        create_topics(kafka_bootstrap, partitions=partitions, topics=[topic])
        return topic.name

    return make


def send(bootstrap: str, topic: str, count: int) -> list[Message]:
    producer = KafkaProducer(bootstrap)
    sent = [Message(topic, f"k{number % 7}", b"%d" % number, {"ce_id": f"ä{number}"}) for number in range(count)]
    for message in sent:
        producer.send(message)
    producer.flush()
    return sent


def commit(bootstrap: str, group: str, partitions: list[ck.TopicPartition]) -> None:
    consumer = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    consumer.commit(offsets=partitions, asynchronous=False)
    consumer.close()


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_what_was_sent_and_flushed_is_read_back_whole(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic()
    sent = send(kafka_bootstrap, topic, 1000)
    read = list(dump(kafka_bootstrap, topic))
    assert {(m.key, m.value, m.headers["ce_id"]) for m in read} == {(m.key, m.value, m.headers["ce_id"]) for m in sent}
    assert len(read) == 1000
    assert {message.partition for message in read} == {0, 1}
    for number in (0, 1):
        offsets = [message.offset for message in read if message.partition == number]
        assert offsets == list(range(len(offsets)))


def test_one_record_is_read_again_by_its_pointer(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic()
    send(kafka_bootstrap, topic, 20)
    for message in list(dump(kafka_bootstrap, topic))[::5]:
        assert read_at(kafka_bootstrap, topic, message.partition, message.offset) == message


@pytest.mark.parametrize(("partition", "offset"), [(0, 999), (7, 0), (0, -3)])
def test_a_pointer_to_nothing_is_told_so(
    kafka_bootstrap: str, new_topic: NewTopic, partition: int, offset: int
) -> None:
    topic = new_topic()
    send(kafka_bootstrap, topic, 20)
    with pytest.raises(Rejected, match=r"resource\.unknown"):
        read_at(kafka_bootstrap, topic, partition, offset)


def test_a_topic_that_does_not_exist_is_not_made_by_asking(kafka_bootstrap: str) -> None:
    for ask in (
        lambda: list(dump(kafka_bootstrap, "test-nothing")),
        lambda: lag(kafka_bootstrap, {"g": ["test-nothing"]}),
        lambda: read_at(kafka_bootstrap, "test-nothing", 0, 0),
    ):
        with pytest.raises(Rejected, match="test-nothing"):
            ask()
    assert "test-nothing" not in AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics().topics


def test_an_empty_topic_is_dumped_as_nothing(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    assert list(dump(kafka_bootstrap, new_topic())) == []


def test_lag_is_what_was_not_committed_by_group_and_topic(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    one, two = new_topic(), new_topic()
    groups = {f"g-{one}": [one], f"h-{one}": [one, two]}
    assert lag(kafka_bootstrap, groups) == {(f"g-{one}", one): 0, (f"h-{one}", one): 0, (f"h-{one}", two): 0}
    send(kafka_bootstrap, one, 100)
    send(kafka_bootstrap, two, 7)
    first = sum(message.partition == 0 for message in dump(kafka_bootstrap, one))
    commit(kafka_bootstrap, f"g-{one}", [ck.TopicPartition(one, 0, 10)])
    assert lag(kafka_bootstrap, groups) == {(f"g-{one}", one): 90, (f"h-{one}", one): 100, (f"h-{one}", two): 7}
    commit(kafka_bootstrap, f"g-{one}", [ck.TopicPartition(one, 0, first), ck.TopicPartition(one, 1, 100 - first)])
    assert lag(kafka_bootstrap, groups)[f"g-{one}", one] == 0


def test_topics_are_made_as_the_catalogue_says_and_making_them_again_changes_nothing(kafka_bootstrap: str) -> None:
    mark = uuid.uuid4().hex[:8]
    topics = [replace(topic, name=f"test-{mark}-{topic.name}") for topic in catalogue.TOPICS]
    create_topics(kafka_bootstrap, partitions=3, topics=topics)
    create_topics(kafka_bootstrap, partitions=5, topics=topics)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    present = admin.list_topics().topics
    assert {len(present[topic.name].partitions) for topic in topics} == {3}
    for topic in topics:
        resource = ConfigResource(ResourceType.TOPIC, topic.name)
        found = admin.describe_configs([resource])[resource].result(10)
        assert found["cleanup.policy"].value == topic.cleanup.value
        assert found["retention.ms"].value == str(topic.retention_ms)


def test_retention_is_brought_up_to_date_for_a_topic_that_is_there(kafka_bootstrap: str) -> None:
    topic = replace(catalogue.TOPICS[0], name=f"test-{uuid.uuid4().hex[:8]}")
    create_topics(kafka_bootstrap, partitions=1, topics=[topic])
    create_topics(kafka_bootstrap, partitions=1, topics=[replace(topic, retention_ms=3_600_000)])
    resource = ConfigResource(ResourceType.TOPIC, topic.name)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    assert admin.describe_configs([resource])[resource].result(10)["retention.ms"].value == "3600000"


def test_a_flush_that_did_not_deliver_names_the_topic_only_and_the_next_one_works(
    kafka_bootstrap: str, new_topic: NewTopic
) -> None:
    topic = new_topic()
    producer = KafkaProducer(kafka_bootstrap, delivery_timeout=1.5)
    producer.send(Message("test-nowhere", "secret-key", b"secret-value"))
    with pytest.raises(Unavailable, match="test-nowhere") as caught:
        producer.flush()
    assert "secret" not in str(caught.value)
    producer.send(Message(topic, "k", b"v"))
    producer.flush()
    producer.flush()
    assert [message.value for message in dump(kafka_bootstrap, topic)] == [b"v"]


@pytest.mark.parametrize("call", ["flush", "send"])
def test_ctrl_c_while_a_delivery_is_being_told_is_ctrl_c(kafka_bootstrap: str, new_topic: NewTopic, call: str) -> None:
    """librdkafka's binding loses what a signal's handler raises in a callback."""
    topic, producer = new_topic(), KafkaProducer(kafka_bootstrap)

    def interrupt_the_callback(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is KafkaProducer._delivered.__code__:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

    def until_told() -> None:
        while True:
            producer.send(Message(topic, "k", b"1", {}))
            if call == "flush":
                producer.flush()

    sys.setprofile(interrupt_the_callback)
    try:
        with pytest.raises(KeyboardInterrupt):
            until_told()
    finally:
        sys.setprofile(None)
    producer.flush()


def test_a_broker_that_is_away_is_said_once_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    nowhere = f"127.0.0.1:{unused_port()}"
    producer = KafkaProducer(nowhere, delivery_timeout=1.5)
    producer.send(Message("some-topic", "k", b"v"))
    with pytest.raises(Unavailable, match="some-topic"):
        producer.flush()
    assert [record.getMessage() for record in caplog.records if "does not answer" in record.getMessage()]
    assert len(caplog.records) <= 2
    for ask in (
        lambda: create_topics(nowhere, timeout=1.0),
        lambda: list(dump(nowhere, "t", timeout=1.0)),
        lambda: read_at(nowhere, "t", 0, 0, timeout=1.0),
    ):
        with pytest.raises(Unavailable):
            ask()


def test_a_value_that_is_larger_than_kafka_takes_is_refused(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic()
    producer = KafkaProducer(kafka_bootstrap)
    with pytest.raises(Rejected, match=r"input\.too-large"):
        producer.send(Message(topic, "k", b"x" * 1_100_000))
    producer.send(Message(topic, "k", b"x" * 1_000_028))
    producer.flush()


def test_more_than_the_buffer_holds_is_waited_for(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic()
    send(kafka_bootstrap, topic, 110_000)
    assert sum(1 for _ in dump(kafka_bootstrap, topic)) == 110_000


def test_a_tombstone_is_read_as_no_value(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(1, catalogue.TOPICS[5])
    producer = KafkaProducer(kafka_bootstrap)
    producer.send(Message(topic, "k", None))
    producer.flush()
    assert [message.value for message in dump(kafka_bootstrap, topic)] == [None]


def test_a_meter_that_got_no_answer_asks_by_new_clients() -> None:
    """One that was told of no brokers, as after a broker's short absence, never asks again (librdkafka, issue 5301)."""
    meter = LagMeter("127.0.0.1:1")
    try:
        before = meter._admin
        with pytest.raises(Unavailable):
            meter.read({"g": ["t"]}, timeout=0.5)
        assert meter._admin is not before
    finally:
        meter.close()
