"""The brake in a worker that reads Kafka, with what it holds in PostgreSQL: what is left is not committed."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from streams import catalogue
from streams.brake import Brake, Flow, HeldFlows
from streams.consume import Runner
from streams.contracts.errors import Rejected
from streams.database import open_pool
from streams.dead_letters import DeadLetters
from streams.envelope import Message
from streams.faust_worker import run_faust_worker
from streams.kafka import KafkaProducer, create_topics, dump, lag

FAILURES = 5


class Bench:
    """One topic with one partition and one group, worker after worker."""

    def __init__(self, bootstrap: str, url: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.topic = f"test-{uuid.uuid4().hex[:12]}"
        create_topics(bootstrap, partitions=1, topics=[replace(catalogue.TOPICS[0], name=self.topic)])
        self.group = f"g-{self.topic}"
        self.pool = open_pool(url)
        self.letters = DeadLetters(self.pool)
        self.flows = HeldFlows(self.pool)
        self.folder = folder
        self.handled: set[str] = set()
        self.broken = False
        self._stops: list[tuple[threading.Event, threading.Thread]] = []

    def send(self, *records: tuple[str, str]) -> None:
        producer = KafkaProducer(self.bootstrap)
        for source, value in records:
            producer.send(Message(self.topic, "k", value.encode(), {"ce_source": f"urn:kallan:source:{source}"}))
        producer.flush()

    def start(self) -> None:
        stop = threading.Event()
        brake = Brake(self.group, self.flows, FAILURES)
        runner = Runner(self._handle, self.letters, group=self.group, brake=brake)
        thread = threading.Thread(
            target=run_faust_worker,
            args=(self.group, self.bootstrap, [self.topic], runner),
            kwargs={"data_dir": self.folder, "stop": stop, "batch": 10},
            daemon=True,
        )
        self._stops.append((stop, thread))
        thread.start()

    def end(self) -> None:
        while self._stops:
            stop, thread = self._stops.pop()
            stop.set()
            thread.join(15)
            assert not thread.is_alive()

    def _handle(self, batch: Sequence[Message]) -> None:
        if self.broken or any(one.value == b"bad" for one in batch):
            raise Rejected("input.invalid", "claims[0]")
        self.handled |= {one.pointer for one in batch}

    @property
    def lag(self) -> int:
        return sum(lag(self.bootstrap, {self.group: [self.topic]}).values())

    def everything(self) -> set[str]:
        return {one.pointer for one in dump(self.bootstrap, self.topic)}

    def set_aside(self) -> set[str]:
        return {one.pointer for one in self.letters.list() if one.group == self.group}


@pytest.fixture
def bench(kafka_bootstrap: str, database_url: str, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(kafka_bootstrap, database_url, tmp_path)
    yield made
    made.end()
    made.pool.close()


def eventually(is_so: Callable[[], bool], seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)


def test_a_program_that_refuses_everything_stops_and_goes_on_after_a_mend_with_nothing_lost(bench: Bench) -> None:
    bench.send(*[("hr", str(n)) for n in range(60)])
    bench.broken = True
    bench.start()
    eventually(lambda: bool(bench.flows.list()))
    bench.send(*[("hr", str(n)) for n in range(60, 80)])
    time.sleep(3)
    bench.end()
    assert len(bench.set_aside()) == FAILURES
    assert bench.lag == 80 - FAILURES
    bench.start()
    time.sleep(4)
    bench.end()
    assert (len(bench.set_aside()), bench.lag) == (FAILURES, 80 - FAILURES)
    bench.broken = False
    bench.start()
    eventually(lambda: bench.lag == 0)
    assert bench.handled | bench.set_aside() == bench.everything()
    assert bench.flows.list() == []


def test_a_source_of_rubbish_holds_up_nobody_and_its_first_record_is_not_passed_by(bench: Bench) -> None:
    """Rubbish stands first in a partition of which nothing was ever committed, and a good source behind it."""
    for failed in range(FAILURES):
        bench.flows.hold(bench.group, Flow(bench.topic, "hr"), "input.invalid", failed + 1)
    bench.send(("hr", "bad"), *[("navet", str(n)) for n in range(30)], ("hr", "bad"), ("navet", "last"))
    bench.start()
    eventually(lambda: len(bench.handled) == 31)
    time.sleep(2)
    bench.end()
    assert bench.set_aside() == set()
    assert bench.lag == 33
    assert [(one.source, one.code) for one in bench.flows.list()] == [("hr", "input.invalid")]
