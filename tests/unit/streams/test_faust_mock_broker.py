"""The Faust worker over librdkafka's broker in this process, which speaks the real protocol."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka as ck
import pytest

from streams.consume import Runner
from streams.kafka import dump, lag
from tests.faust_workers import Box, Handler, NewWorker, Worker, send, workers
from tests.waiting import HANGS_SECONDS, eventually

TOPIC, OTHER = "source.person.v1", "source.urgent.v1"


class Broker:
    """A broker with both topics; it lives as long as the producer that made it."""

    def __init__(self) -> None:
        self._producer: ck.Producer | None = ck.Producer(
            {"test.mock.num.brokers": 1, "bootstrap.servers": "x", "log_level": 0}
        )
        (found,) = self._producer.list_topics(timeout=10).brokers.values()
        self.address = str(found).partition("/")[0]
        for topic in (TOPIC, OTHER):
            self._producer.list_topics(topic, timeout=10)

    def die(self) -> None:
        self._producer = None


@pytest.fixture
def mock_broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.die()


@pytest.fixture
def broker(mock_broker: Broker) -> str:
    return mock_broker.address


@pytest.fixture
def new_worker(broker: str) -> Iterator[NewWorker]:
    with workers(broker) as make:
        yield make


def test_every_record_arrives_as_it_was_sent_in_batches_and_is_committed(
    broker: str, new_worker: NewWorker, tmp_path: Path
) -> None:
    send(broker, TOPIC, 250)
    send(broker, OTHER, 50, first=1000)
    handler = Handler()
    worker = new_worker(Runner(handler, Box(), group="g"), tmp_path, TOPIC, OTHER, batch=100)
    eventually(lambda: len(handler.done) >= 300)
    assert sorted(handler.done, key=lambda m: m.pointer) == sorted(
        [*dump(broker, TOPIC), *dump(broker, OTHER)], key=lambda m: m.pointer
    )
    assert max(handler.batches) <= 100
    eventually(lambda: set(lag(broker, {"g": [TOPIC, OTHER]}).values()) == {0})
    worker.end()
    assert worker.error is None


def test_a_broker_that_is_absent_is_waited_for_with_a_clear_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker("127.0.0.1:9", Runner(Handler(), Box(), group="g"), tmp_path, [TOPIC])
    eventually(lambda: "Kafka at 127.0.0.1:9 does not answer" in caplog.text)
    assert worker.thread.is_alive()
    worker.end()
    assert worker.error is None


PROGRAM = """
import logging, sys, time
from pathlib import Path
from streams.consume import Runner
from streams.faust_worker import run_faust_worker
logging.basicConfig(level=logging.INFO)
def handle(batch):
    logging.info("handling %d", len(batch))
    time.sleep(float(sys.argv[3]))
    logging.info("handled")
runner = Runner(handle, None, group="g")
run_faust_worker("g", sys.argv[1], ["source.person.v1"], runner, data_dir=Path(sys.argv[2]))
"""


@pytest.mark.parametrize(("batch_takes", "status"), [(1.0, 0), (3600.0, 1)])
def test_a_worker_process_ends_by_itself_also_when_the_broker_has_died_or_the_batch_goes_on_for_an_hour(
    mock_broker: Broker, tmp_path: Path, batch_takes: float, status: int
) -> None:
    send(mock_broker.address, TOPIC, 20)
    log = tmp_path / "log"
    argv = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, mock_broker.address, str(tmp_path)]
    with log.open("wb") as out:
        process = subprocess.Popen([*argv, str(batch_takes)], stdout=out, stderr=out)
    try:
        eventually(lambda: "handling " in log.read_text())  # in one batch or in several
        if status == 0:
            mock_broker.die()
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS_SECONDS) == status, log.read_text()
        assert ("handled" in log.read_text()) == (status == 0)
        assert "leaving" in log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()
