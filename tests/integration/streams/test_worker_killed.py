"""Worker and broker processes that die in mid-load: nothing is lost, and nobody has to help."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg

from deploy.embedded.kafka import embedded_kafka
from streams import catalogue
from streams.envelope import Message
from streams.kafka import KafkaProducer, create_topics, dump, lag
from tests.waiting import HANGS_SECONDS, eventually

PROGRAM = Path(__file__).with_name("counting_worker.py")
COUNT = 4000


class Case:
    """A topic, a table of what was handled, and worker processes in one group."""

    def __init__(self, bootstrap: str, database: str, folder: Path) -> None:
        self.bootstrap, self.database, self.folder = bootstrap, database, folder
        self.topic = f"test-{uuid.uuid4().hex[:12]}"
        self.group = f"g-{self.topic}"
        self.workers: list[subprocess.Popen[bytes]] = []
        create_topics(bootstrap, partitions=4, topics=[replace(catalogue.TOPICS[0], name=self.topic)])
        with psycopg.connect(database) as connection:
            connection.execute("create table handled (pointer text not null)")

    def send(self, count: int) -> None:
        producer = KafkaProducer(self.bootstrap)
        for number in range(count):
            producer.send(Message(self.topic, f"k{number}", b"x"))
        producer.flush()

    def start(self) -> subprocess.Popen[bytes]:
        log = self.folder / f"worker-{len(self.workers)}.log"
        argv = [sys.executable, "-X", "dev", "-W", "error", str(PROGRAM)]
        argv += [self.group, self.bootstrap, self.topic, self.database, str(self.folder)]
        with log.open("wb") as out:
            self.workers.append(subprocess.Popen(argv, stdout=out, stderr=out))
        return self.workers[-1]

    def handled(self) -> tuple[int, int]:
        """How many records, and how often in all."""
        with psycopg.connect(self.database) as connection:
            row = connection.execute("select count(distinct pointer), count(*) from handled").fetchone()
        assert row is not None
        return row[0], row[1]

    def lag(self) -> int:
        return sum(lag(self.bootstrap, {self.group: [self.topic]}).values())

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("worker-*.log")))


@contextmanager
def case(bootstrap: str, database: str, folder: Path) -> Iterator[Case]:
    made = Case(bootstrap, database, folder)
    try:
        yield made
    finally:
        for worker in made.workers:
            worker.kill()
            worker.wait()


def test_workers_killed_in_mid_load_lose_nothing_and_end_by_themselves_when_asked(
    kafka_bootstrap: str, database_url: str, tmp_path: Path
) -> None:
    with case(kafka_bootstrap, database_url, tmp_path) as made:
        first = made.start()
        made.start()
        made.send(COUNT)
        for share in (0.15, 0.4):
            eventually(lambda share=share: made.handled()[0] >= COUNT * share)  # type: ignore[misc]
            first.send_signal(signal.SIGKILL)
            first.wait()
            first = made.start()
        eventually(lambda: made.handled()[0] == COUNT and made.lag() == 0)
        for how in (signal.SIGTERM, signal.SIGINT):
            worker = made.workers[1] if how is signal.SIGTERM else first
            worker.send_signal(how)
            assert worker.wait(HANGS_SECONDS) == 0, made.logs()
        assert "Traceback" not in made.logs()


def test_a_broker_killed_in_mid_load_comes_back_and_everything_is_handled(database_url: str, tmp_path: Path) -> None:
    with embedded_kafka(tmp_path / "kafka") as broker, case(broker.bootstrap, database_url, tmp_path) as made:
        worker = made.start()
        made.send(COUNT)
        eventually(lambda: made.handled()[0] >= COUNT * 0.2)
        os.kill(listener(int(broker.bootstrap.rpartition(":")[2])), signal.SIGKILL)
        eventually(lambda: made.handled()[0] == COUNT)
        eventually(lambda: made.lag() == 0)
        assert len(list(dump(broker.bootstrap, made.topic))) == COUNT
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(HANGS_SECONDS) == 0, made.logs()


def listener(port: int) -> int:
    for connection in psutil.net_connections("tcp"):
        if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
            assert connection.pid is not None
            return connection.pid
    raise AssertionError(f"nobody listens on {port}")
