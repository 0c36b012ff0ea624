"""The Faust worker over a real broker: what is committed when, and how it stops."""

import logging
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from streams import catalogue
from streams.consume import Runner
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.envelope import Message
from streams.kafka import KafkaProducer, create_topics, dump, lag
from tests.faust_workers import Box, Handler, NewWorker, send, workers
from tests.waiting import HANGS_SECONDS, eventually

CANARY = "Kanariefågel"


@pytest.fixture
def broker(kafka_bootstrap: str, topic: str) -> str:
    create_topics(kafka_bootstrap, partitions=4, topics=[replace(catalogue.TOPICS[0], name=topic)])
    return kafka_bootstrap


@pytest.fixture
def topic() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def new_worker(broker: str) -> Iterator[NewWorker]:
    with workers(broker) as make:
        yield make


def test_a_stopped_worker_finishes_its_batch_commits_it_and_the_next_one_goes_on_after_it(
    broker: str, topic: str, new_worker: NewWorker, tmp_path: Path
) -> None:
    send(broker, topic, 40)
    entered, go_on = threading.Event(), threading.Event()

    def slow(_: Sequence[Message]) -> None:
        entered.set()
        go_on.wait(3.0)  # it is asked to stop meanwhile

    first, second = Handler(slow), Handler()
    worker = new_worker(Runner(first, Box(), group=f"g-{topic}"), tmp_path, topic, batch=10)
    assert entered.wait(HANGS_SECONDS)
    worker.end()
    assert first.done
    left = sum(lag(broker, {f"g-{topic}": [topic]}).values())
    assert left == 40 - len(first.done)
    worker = new_worker(Runner(second, Box(), group=f"g-{topic}"), tmp_path, topic)
    eventually(lambda: len(second.done) >= left)
    worker.end()
    assert {m.pointer for m in first.done}.isdisjoint({m.pointer for m in second.done})
    assert len({m.pointer for m in first.done + second.done}) == 40


def test_a_batch_that_failed_is_not_committed_and_the_worker_raises_without_the_text(
    broker: str, topic: str, new_worker: NewWorker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send(broker, topic, 40)
    count = 0

    def fails_later(_: Sequence[Message]) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise KallanError("settings.invalid", "master key")

    first, second = Handler(fails_later), Handler()
    worker = new_worker(Runner(first, Box(), group=f"g-{topic}"), tmp_path, topic, batch=10)
    worker.join()
    assert isinstance(worker.error, KallanError)
    assert worker.error.code == "settings.invalid"
    worker = new_worker(Runner(second, Box(), group=f"g-{topic}"), tmp_path, topic)
    eventually(lambda: len({m.pointer for m in first.done + second.done}) == 40)
    worker.end()


def test_a_record_that_is_refused_becomes_a_dead_letter_and_is_committed(
    broker: str, topic: str, new_worker: NewWorker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    producer = KafkaProducer(broker)
    for number in range(30):
        producer.send(
            Message(topic, f"{CANARY}{number}", b"bad" if number == 7 else CANARY.encode(), {"ce_id": CANARY})
        )
    producer.flush()
    (bad,) = [message for message in dump(broker, topic) if message.value == b"bad"]

    def refuses(batch: Sequence[Message]) -> None:
        if any(message.value == b"bad" for message in batch):
            raise Rejected("input.invalid", "claims[0]")

    handler, box = Handler(refuses), Box()
    worker = new_worker(Runner(handler, box, group=f"g-{topic}"), tmp_path, topic)
    eventually(lambda: sum(lag(broker, {f"g-{topic}": [topic]}).values()) == 0)
    worker.end()
    assert box.found == [(bad.pointer, "input.invalid")]
    assert len({message.pointer for message in handler.done}) == 29
    assert CANARY not in caplog.text


def test_a_worker_that_waits_for_a_database_stops_without_waiting_on_and_commits_nothing(
    broker: str, topic: str, new_worker: NewWorker, tmp_path: Path
) -> None:
    send(broker, topic, 5)
    entered = threading.Event()

    def away(_: Sequence[Message]) -> None:
        entered.set()
        raise Unavailable("service.unavailable", "PostgreSQL")

    worker = new_worker(
        Runner(Handler(away), Box(), group=f"g-{topic}", first_wait=3600, longest_wait=3600), tmp_path, topic
    )
    assert entered.wait(HANGS_SECONDS)
    worker.end()
    assert worker.error is None
    assert sum(lag(broker, {f"g-{topic}": [topic]}).values()) == 5


def test_a_tombstone_reaches_the_handler(broker: str, topic: str, new_worker: NewWorker, tmp_path: Path) -> None:
    producer = KafkaProducer(broker)
    producer.send(Message(topic, "k", None))
    producer.flush()
    handler = Handler()
    worker = new_worker(Runner(handler, Box(), group=f"g-{topic}"), tmp_path, topic)
    eventually(lambda: bool(handler.done))
    worker.end()
    assert handler.done[0].value is None
    assert handler.done[0].key == "k"
