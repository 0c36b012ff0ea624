"""The live world: real broker, real workers, real targets. What the replay writes goes in at the sources; what it reads
comes from the stores and the targets themselves."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.sources.registry import load, load_records
from deploy.quiet import Quiet
from deploy.replay.operator import Operator
from deploy.replay.wipe import wipe
from deploy.running import Running
from deploy.wiring import provisioning, rulings, sources
from deploy.wiring.base import Base
from deploy.wiring.handlers import handler_of
from deploy.wiring.readings import readings
from streams.catalogue import TOPICS
from streams.clock_row import CACHE_SECONDS, set_clock
from streams.contracts.errors import Rejected
from streams.kafka import KafkaProducer
from streams.kafka_log import LagMeter, dump, read_at

_PATIENCE_SECONDS = 90.0


class LiveWorld:
    """See `deploy.replay.run.World`. `close` when done; the clock is given back to the system."""

    name = "kafka"

    def __init__(self, running: Running) -> None:
        self.base = Base(running.master, "replay")
        self._producer = KafkaProducer(running.master.broker, client_id="replay")
        self.edge = sources.edge(self.base, self._producer)
        self._running = running
        self._targets = provisioning.targets(running.execute)
        self.readings = readings(
            self.base,
            running.master,
            self._targets,
            topics=lambda: (message for topic in TOPICS for message in dump(running.master.broker, topic.name)),
            logs=lambda: sorted(running.stack.logs.glob("*.log")),
        )
        self._lag = LagMeter(running.master.broker)
        self.quiet = Quiet(self.base.pool, self._lag, self.base.clock)

    def set_clock(self, instant: dt.datetime) -> None:
        set_clock(self.base.keys_pool, instant)
        time.sleep(2 * CACHE_SECONDS)  # every process has read the row again after this

    def feed(self, source: str, records: Sequence[Mapping[str, Any]], *, total: bool) -> None:
        load_records(source, records, self.edge, total=total)

    def feed_file(self, source: str, path: Path) -> None:
        load(source, path, self.edge)

    def target(self, name: str, action: str) -> None:
        raise Rejected("scenario.invalid", f"target {name} {action}: only the direct replay can do this")

    def operate(self, command: str, arguments: Mapping[str, str]) -> None:
        master, execute = self._running.master, self._running.execute
        Operator(
            self.edge,
            rulings.desk(self.base, master, self.readings.reader, self._producer),
            self.readings,
            self.base.dead_letters,
            lambda topic, partition, offset: read_at(master.broker, topic, partition, offset),
            lambda group: handler_of(group, self.base, master, execute),
        ).do(command, arguments)

    def settle(self) -> None:
        self.quiet.wait(_PATIENCE_SECONDS)

    def empty(self) -> None:
        """Forget everything that earlier scenarios made: stores, accounts, clock."""
        self.settle()
        wipe(self.base.pool, self.readings.targets)

    def close(self) -> None:
        self._lag.close()
        for target in self._targets.values():
            target.close()
        set_clock(self.base.keys_pool, None)
        self.base.close()
