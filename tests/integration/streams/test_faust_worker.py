"""The Faust worker over a real broker: what is committed when, and how it stops."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams import catalogue
from streams.consume import Runner
from streams.contracts.errors import KallanError, Rejected, Unavailable
from streams.envelope import Message
from streams.faust_worker import run_faust_worker
from streams.kafka import KafkaProducer, create_topics, dump, lag

CANARY = "Kanariefågel"


@pytest.fixture
def broker(kafka_bootstrap: str, topic: str) -> str:
    create_topics(kafka_bootstrap, partitions=4, topics=[replace(catalogue.TOPICS[0], name=topic)])
    return kafka_bootstrap


@pytest.fixture
def topic() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


class Box:
    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def add(self, group: str, message: Message, error: KallanError) -> None:
        self.found.append((message.pointer, error.code))


class Handler:
    """Remembers what it was given; calls `before` first, which may raise or take its time."""

    def __init__(self, before: Callable[[Sequence[Message]], None] = lambda _: None) -> None:
        self.before = before
        self.done: list[Message] = []
        self.batches: list[int] = []

    def __call__(self, batch: Sequence[Message]) -> None:
        self.before(batch)
        self.batches.append(len(batch))
        self.done += batch


class Worker:
    """`run_faust_worker` in a thread."""

    def __init__(self, broker: str, runner: Runner, folder: Path, topics: Sequence[str], **settings: object) -> None:
        self.stop = threading.Event()
        self.error: BaseException | None = None

        def run() -> None:
            try:
                run_faust_worker(
                    runner.group,
                    broker,
                    topics,
                    runner,
                    data_dir=folder,
                    stop=self.stop,
                    **settings,  # type: ignore[arg-type]
                )
            except BaseException as error:  # noqa: BLE001  # the test looks at it
                self.error = error

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def end(self, seconds: float = 15.0) -> None:
        self.stop.set()
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the worker did not stop"


NewWorker = Callable[..., Worker]


@pytest.fixture
def new_worker(broker: str, topic: str) -> Iterator[NewWorker]:
    """Starts workers; they end with the test, before the broker."""
    made: list[Worker] = []

    def make(runner: Runner, folder: Path, **settings: Any) -> Worker:
        made.append(Worker(broker, runner, folder, (topic,), **settings))
        return made[-1]

    yield make
    for worker in made:
        worker.end()


def eventually(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.05)


def send(broker: str, topic: str, count: int, first: int = 0) -> None:
    producer = KafkaProducer(broker)
    for number in range(first, first + count):
        producer.send(Message(topic, f"k{number % 11}", b"%d" % number, {"ce_id": f"ä{number}"}))
    producer.flush()


def test_a_stopped_worker_finishes_its_batch_commits_it_and_the_next_one_goes_on_after_it(
    broker: str, topic: str, new_worker: NewWorker, tmp_path: Path
) -> None:
    send(broker, topic, 40)
    entered = threading.Event()

    def slow(_: Sequence[Message]) -> None:
        entered.set()
        time.sleep(1.0)

    first, second = Handler(slow), Handler()
    worker = new_worker(Runner(first, Box(), group=f"g-{topic}"), tmp_path, batch=10)
    assert entered.wait(30)
    started = time.monotonic()
    worker.end()
    assert time.monotonic() - started < 10
    assert first.done
    left = sum(lag(broker, {f"g-{topic}": [topic]}).values())
    assert left == 40 - len(first.done)
    worker = new_worker(Runner(second, Box(), group=f"g-{topic}"), tmp_path)
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
    worker = new_worker(Runner(first, Box(), group=f"g-{topic}"), tmp_path, batch=10)
    worker.thread.join(40)
    assert isinstance(worker.error, KallanError)
    assert worker.error.code == "settings.invalid"
    worker = new_worker(Runner(second, Box(), group=f"g-{topic}"), tmp_path)
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
    worker = new_worker(Runner(handler, box, group=f"g-{topic}"), tmp_path)
    eventually(lambda: sum(lag(broker, {f"g-{topic}": [topic]}).values()) == 0)
    worker.end()
    assert box.found == [(bad.pointer, "input.invalid")]
    assert len({message.pointer for message in handler.done}) == 29
    assert CANARY not in caplog.text


def test_a_worker_that_waits_for_a_database_stops_at_once_and_commits_nothing(
    broker: str, topic: str, new_worker: NewWorker, tmp_path: Path
) -> None:
    send(broker, topic, 5)
    entered = threading.Event()

    def away(_: Sequence[Message]) -> None:
        entered.set()
        raise Unavailable("service.unavailable", "PostgreSQL")

    worker = new_worker(Runner(Handler(away), Box(), group=f"g-{topic}", first_wait=60, longest_wait=60), tmp_path)
    assert entered.wait(30)
    started = time.monotonic()
    worker.end()
    assert time.monotonic() - started < 8
    assert worker.error is None
    assert sum(lag(broker, {f"g-{topic}": [topic]}).values()) == 5


def test_a_tombstone_reaches_the_handler(broker: str, topic: str, new_worker: NewWorker, tmp_path: Path) -> None:
    producer = KafkaProducer(broker)
    producer.send(Message(topic, "k", None))
    producer.flush()
    handler = Handler()
    worker = new_worker(Runner(handler, Box(), group=f"g-{topic}"), tmp_path)
    eventually(lambda: bool(handler.done))
    worker.end()
    assert handler.done[0].value is None
    assert handler.done[0].key == "k"
