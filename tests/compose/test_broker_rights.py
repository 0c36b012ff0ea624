"""Rights in Kafka: derived from the catalogue, and held by a real broker that runs the compose stack's configuration."""

import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import confluent_kafka as ck
import pytest
from confluent_kafka.admin import AdminClient

from deploy.compose.kafka_rights import ADMIN, OPERATOR, SOURCES, Right, apply_logins, apply_rights, logins, rights
from deploy.wiring.groups import GROUPS
from streams.catalogue import MMD_PERSON, MMD_URGENT, SOURCE_ACCOUNT, SOURCE_PERSON, TOPICS
from streams.consume import Runner
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.envelope import Message
from streams.faust_worker import run_faust_worker
from streams.kafka import KafkaProducer, dump, lag, read_at
from streams.kafka_client import settings
from tests.compose.conftest import Guarded, Installation

Until = Callable[[Callable[[], bool]], None]


def _of(login: str) -> set[tuple[str, str, str]]:
    return {(right.kind, right.name, right.operation) for right in rights() if right.login == login}


def test_a_login_writes_and_reads_exactly_what_the_catalogue_says() -> None:
    for operation, named in (("WRITE", "writers"), ("READ", "readers")):
        for topic in TOPICS:
            allowed = {
                right.login
                for right in rights()
                if (right.kind, right.name, right.operation) == ("TOPIC", topic.name, operation)
            }
            assert allowed - {OPERATOR} == set(getattr(topic, named)) - {OPERATOR}


MASTERS = (MMD_PERSON, "mmd.organisation.v1", "mmd.place.v1", "mmd.group.v1", MMD_URGENT)


def test_a_consumer_may_use_its_own_group_and_a_writer_none() -> None:
    assert {right.name for right in rights() if right.login == "ingest-bulk" and right.kind == "GROUP"} == {
        "ingest-bulk"
    }
    assert _of("mmd-relay") == {("TOPIC", name, "WRITE") for name in MASTERS}


def test_every_worker_of_the_catalogue_has_a_login_and_the_superuser_is_none_of_them() -> None:
    assert set(logins()) == {name for topic in TOPICS for name in topic.readers + topic.writers} | {OPERATOR}
    assert ADMIN not in logins()


def _send(guarded: Guarded, login: str, topic: str, value: bytes = b"x") -> None:
    producer = KafkaProducer(guarded.as_(login), delivery_timeout=15.0)
    producer.send(Message(topic, "k", value))
    producer.flush()


def test_a_writer_of_the_catalogue_writes_and_everybody_else_is_denied(guarded: Guarded) -> None:
    _send(guarded, SOURCES, SOURCE_PERSON)
    for login in ("ingest-bulk", "mmd-relay", "iam-relay", "evaluate-urgent"):
        with pytest.raises(Unavailable, match="AUTHORIZATION"):
            _send(guarded, login, SOURCE_PERSON)
    with pytest.raises(Unavailable, match="AUTHORIZATION"):
        _send(guarded, SOURCES, SOURCE_ACCOUNT)


def test_a_reader_reads_its_topics_over_the_real_worker(guarded: Guarded, tmp_path: Path, until: Until) -> None:
    mark = uuid.uuid4().hex.encode()
    _send(guarded, SOURCES, SOURCE_PERSON, mark)
    seen: list[bytes | None] = []
    stop = threading.Event()

    class Letters:
        def add(self, group: str, message: Message, error: KallanError) -> None:
            raise error

    def handle(batch: Sequence[Message]) -> None:
        seen.extend(message.value for message in batch)

    worker = threading.Thread(
        target=run_faust_worker,
        args=(
            "ingest-bulk",
            guarded.as_("ingest-bulk"),
            GROUPS["ingest-bulk"],
            Runner(handle, Letters(), group="ingest-bulk"),
        ),
        kwargs={"data_dir": tmp_path, "stop": stop},
    )
    worker.start()
    try:
        until(lambda: mark in seen)
    finally:
        stop.set()
        worker.join(30)


def test_a_reader_sees_no_topic_of_others(guarded: Guarded) -> None:
    _send(guarded, "mmd-relay", MMD_PERSON)
    with pytest.raises(Rejected, match=SOURCE_PERSON):  # to this login it does not exist
        list(dump(guarded.as_("evaluate-bulk"), SOURCE_PERSON))
    with pytest.raises(Rejected, match=MMD_PERSON):
        list(dump(guarded.as_("ingest-bulk"), MMD_PERSON))


def test_a_reader_cannot_join_the_group_of_another(guarded: Guarded) -> None:
    consumer = ck.Consumer(settings(guarded.as_("evaluate-urgent"), {"group.id": "evaluate-bulk"}))
    try:
        consumer.subscribe([MMD_URGENT])
        codes = [error.code() for record in consumer.consume(1, 20.0) if (error := record.error())]
        assert codes == [ck.KafkaError.GROUP_AUTHORIZATION_FAILED]
    finally:
        consumer.close()


def test_an_operator_reads_the_log_again_and_asks_how_far_the_groups_have_come(guarded: Guarded) -> None:
    mark = uuid.uuid4().hex.encode()
    _send(guarded, SOURCES, SOURCE_PERSON, mark)
    found = next(message for message in dump(guarded.as_(OPERATOR), SOURCE_PERSON) if message.value == mark)
    assert read_at(guarded.as_(OPERATOR), SOURCE_PERSON, found.partition, found.offset) == found
    assert set(lag(guarded.as_(OPERATOR), GROUPS)) == {
        (group, topic) for group, topics in GROUPS.items() for topic in topics
    }


@pytest.mark.parametrize("login", ["ingest-bulk", "nobody"])
def test_a_wrong_password_and_an_unknown_login_get_no_answer(guarded: Guarded, login: str) -> None:
    broker = guarded.with_password(login, "not-the-password")
    with pytest.raises(ck.KafkaException):
        AdminClient(settings(broker)).list_topics(timeout=5.0)


def test_without_tls_there_is_no_answer(guarded: Guarded) -> None:
    with pytest.raises(ck.KafkaException):
        AdminClient(settings(guarded.address)).list_topics(timeout=5.0)


def test_applying_the_rights_again_changes_nothing_and_takes_a_foreign_right_away(guarded: Guarded) -> None:
    admin = AdminClient(settings(guarded.as_(ADMIN)))
    assert apply_rights(admin, rights()) == (0, 0)
    admin.create_acls([Right("evaluate-bulk", "TOPIC", SOURCE_PERSON, "READ").binding()])
    foreign = Right("evaluate-bulk", "TOPIC", SOURCE_PERSON, "READ")
    apply_rights(admin, rights() | {foreign})
    assert apply_rights(admin, rights()) == (0, 1)
    assert apply_rights(admin, rights()) == (0, 0)


def test_a_login_that_is_no_longer_named_is_gone(guarded: Guarded, installation: Installation, until: Until) -> None:
    admin = AdminClient(settings(guarded.as_(ADMIN)))
    passwords = {login: installation.password(login) for login in logins()}
    apply_logins(admin, passwords | {"left-over": "a-password-of-its-own"})
    left_over = guarded.with_password("left-over", "a-password-of-its-own")
    until(lambda: _answers(left_over))
    apply_logins(admin, passwords)
    until(lambda: not _answers(left_over))


def _answers(broker: object) -> bool:
    assert not isinstance(broker, str)
    try:
        AdminClient(settings(broker)).list_topics(timeout=3.0)  # type: ignore[arg-type]
    except ck.KafkaException:
        return False
    return True
