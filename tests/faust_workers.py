"""Faust workers in a thread of the test, over whatever broker there is: the mock one and the real one share this."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streams.consume import Runner
from streams.contracts.errors import KallanError
from streams.envelope import Message
from streams.faust_worker import run_faust_worker
from streams.kafka import KafkaProducer
from tests.waiting import HANGS_SECONDS


class Box:
    """Dead letters, remembered."""

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

    def __init__(self, broker: str, runner: Runner, folder: Path, topics: Sequence[str], **settings: Any) -> None:
        self.stop = threading.Event()
        self.error: BaseException | None = None

        def run() -> None:
            try:
                run_faust_worker(runner.group, broker, topics, runner, data_dir=folder, stop=self.stop, **settings)
            except BaseException as error:  # noqa: BLE001  # the test looks at it
                self.error = error

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        self.join()

    def join(self) -> None:
        self.thread.join(HANGS_SECONDS)
        assert not self.thread.is_alive(), "the worker did not stop"


NewWorker = Callable[..., Worker]
"""Takes runner, folder, topics and settings."""


@contextmanager
def workers(broker: str) -> Iterator[NewWorker]:
    """Starts workers; they end with the block, before the broker."""
    made: list[Worker] = []

    def make(runner: Runner, folder: Path, *topics: str, **settings: Any) -> Worker:
        made.append(Worker(broker, runner, folder, topics, **settings))
        return made[-1]

    try:
        yield make
    finally:
        for worker in made:
            worker.end()


def send(broker: str, topic: str, count: int, first: int = 0) -> None:
    """`count` records with numbers as values, from `first` on, over eleven keys."""
    producer = KafkaProducer(broker)
    for number in range(first, first + count):
        producer.send(Message(topic, f"k{number % 11}", b"%d" % number, {"ce_id": f"ä{number}"}))
    producer.flush()
