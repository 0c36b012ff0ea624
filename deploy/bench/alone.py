"""A stack for one kind of measurement: made, measured, thrown away."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.bench.bulk import Bulk
from deploy.bench.startup import wait_ready
from deploy.bench.waiting import Pool
from deploy.municipality.tree import grow
from deploy.replay.live import LiveWorld
from deploy.running import PARTITIONS, Running, running
from streams.kafka import KafkaProducer

SEED = 2026
UNITS = 40


@dataclass(frozen=True, slots=True)
class Alone:
    """`bulk` makes messages about persons nobody has heard of, `producer` sends them."""

    found: Running
    world: LiveWorld
    bulk: Bulk
    producer: KafkaProducer

    @property
    def pool(self) -> Pool:
        return self.world.base.pool


@contextmanager
def alone(home: Path, *, partitions: int = PARTITIONS) -> Iterator[Alone]:
    """Every worker is ready; in the end the folder is gone."""
    try:
        with running(home, throwaway=True, partitions=partitions) as found:
            wait_ready(found)
            with closing(LiveWorld(found)) as world:
                bulk = Bulk(world, found.master.secret("subject.secret"), grow(UNITS), SEED)
                yield Alone(found, world, bulk, KafkaProducer(found.master.kafka, client_id="bench"))
    finally:
        shutil.rmtree(home, ignore_errors=True)
