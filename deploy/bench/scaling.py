"""How the rate of ingest grows with workers and partitions: one stack for each number of partitions, workers added to it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.bench.alone import Alone, alone
from deploy.bench.figures import Figure, rates
from deploy.bench.ingest import ingested
from deploy.bench.machine import OthersMeter
from deploy.bench.startup import wait_ready
from deploy.embedded.ports import free_port
from deploy.embedded.stack import Worker
from deploy.running import Running

PARTITIONS = (1, 4, 24)
WORKERS = (1, 2, 4)
_WARM = 200


def measure(folder: Path, events: int, repeats: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """One figure for each pair; more workers than partitions are left out, for those that are too many stand idle."""
    for partitions in PARTITIONS:
        with alone(folder / f"partitions-{partitions}", partitions=partitions) as one:
            yield from _with_workers(one, partitions, events, repeats, say)


def _with_workers(
    one: Alone, partitions: int, events: int, repeats: int, say: Callable[[str], None]
) -> Iterator[Figure]:
    one.found.stack.stop_process("relay")  # only ingest is measured
    running_workers = 1
    for workers in WORKERS:
        if workers > partitions:
            continue
        say(f"ingest over {partitions} partitions by {workers} workers")
        for number in range(running_workers + 1, workers + 1):
            one.found.stack.start_workers([_another(one.found, number)])
        running_workers = workers
        wait_ready(one.found)
        ingested(one.producer, one.bulk.messages(_WARM), one.pool)
        meter = OthersMeter()
        meter.start()
        seconds = [ingested(one.producer, one.bulk.messages(events), one.pool) for _ in range(repeats)]
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
