"""How the rate of ingest grows with workers and partitions: one stack for each number of partitions, workers added to it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.bench.bulk import Bulk
from deploy.bench.figures import Figure, rates
from deploy.bench.ingest import ingested
from deploy.bench.machine import OthersMeter
from deploy.bench.startup import wait_ready
from deploy.embedded.ports import free_port
from deploy.embedded.stack import Worker
from deploy.municipality.tree import grow
from deploy.replay.live import LiveWorld
from deploy.running import Running, running
from streams.kafka import KafkaProducer

PARTITIONS = (1, 4, 24)
WORKERS = (1, 2, 4)
_SEED = 2026
_UNITS = 4
_WARM = 200


def measure(folder: Path, events: int, repeats: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """One figure for each pair; more workers than partitions are left out, for those that are too many stand idle."""
    for partitions in PARTITIONS:
        home = folder / f"partitions-{partitions}"
        with running(home, throwaway=True, partitions=partitions) as found:
            wait_ready(found)
            world = LiveWorld(found)
            try:
                yield from _with_workers(found, world, partitions, events, repeats, say)
            finally:
                world.close()
        shutil.rmtree(home, ignore_errors=True)


def _with_workers(
    found: Running, world: LiveWorld, partitions: int, events: int, repeats: int, say: Callable[[str], None]
) -> Iterator[Figure]:
    found.stack.stop_process("relay")  # only ingest is measured
    producer = KafkaProducer(found.master.kafka, client_id="bench")
    bulk = Bulk(world, found.master.secret("subject.secret"), grow(_UNITS), _SEED)
    running_workers = 1
    for workers in WORKERS:
        if workers > partitions:
            continue
        say(f"ingest over {partitions} partitions by {workers} workers")
        for number in range(running_workers + 1, workers + 1):
            found.stack.start_workers([_another(found, number)])
        running_workers = workers
        wait_ready(found)
        ingested(producer, bulk.messages(_WARM), world.base.pool)
        meter = OthersMeter()
        meter.start()
        seconds = [ingested(producer, bulk.messages(events), world.base.pool) for _ in range(repeats)]
        yield Figure(
            f"ingest-{partitions}-partitions-{workers}-workers",
            f"ingest, {partitions} partitions, {workers} workers",
            "events/s",
            rates(events, seconds),
            note=f"{events} new persons at a time",
            others=meter.share(),
            details={"partitions": float(partitions), "workers": float(workers)},
        )


def _another(found: Running, number: int) -> Worker:
    own = {**found.environment, "KALLAN_METRICS_PORT": str(free_port())}
    return Worker(f"ingest-bulk-{number}", (sys.executable, "-m", "deploy.cli", "ingest", "--lane", "bulk"), own)
