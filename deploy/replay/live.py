"""The live world: real broker, real workers, real targets. What the replay writes goes in at the sources; what it reads
comes from the stores and the targets themselves."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from connectors.sources.registry import load, load_records
from deploy.operations.backup import EXECUTE, RESTORED
from deploy.operations.bring_back import bring_back
from deploy.operations.erase import erase
from deploy.operations.rebuild import SOURCE_TOPICS
from deploy.operations.shadow import Shadow
from deploy.operations.switch import take_into_use
from deploy.quiet import Quiet
from deploy.replay.operator import Operator
from deploy.replay.remaking import Remaking
from deploy.replay.wipe import wipe
from deploy.running import Running
from deploy.wiring import provisioning, rulings, sources
from deploy.wiring.base import Base
from deploy.wiring.groups import GROUPS
from deploy.wiring.handlers import handler_of
from deploy.wiring.readings import readings
from streams.brake import HeldFlows
from streams.catalogue import TOPICS
from streams.clock_row import CACHE_SECONDS, set_clock
from streams.contracts.errors import Rejected
from streams.envelope import Message
from streams.kafka import KafkaProducer
from streams.kafka_log import LagMeter, dump, read_at
from streams.offsets import at, committed, rewind

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
        self._emptied = dt.datetime.fromtimestamp(0, dt.UTC)

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
            partial(erase, self.base, execute),
            partial(bring_back, self.base, master, execute),
            self._remaking(),
        ).do(command, arguments)

    def _remaking(self) -> Remaking:
        """From what was written since the stores were emptied: the log still holds the earlier scenarios."""
        master, execute = self._running.master, self._running.execute
        began = at(master.broker, {"log": SOURCE_TOPICS}, self._emptied)["log"]

        def read(topic: str) -> Iterator[Message]:
            return (one for one in dump(master.broker, topic) if one.offset >= began[topic][one.partition])

        return Remaking(self.base, master, execute, self._targets, read, began, self._switch)

    def _switch(self, shadow: Shadow, catch_up: Callable[[], object]) -> None:
        """With the workers stopped meanwhile, and as `kallan restore --finish`."""
        master, stack = self._running.master, self._running.stack
        for worker in stack.worker_names:
            stack.stop_process(worker)
        try:
            take_into_use(master, shadow, committed(master.broker, GROUPS), partial(rewind, master.broker), catch_up)
        finally:
            for worker in stack.worker_names:
                stack.start_process(worker)
        self.quiet.wait(_PATIENCE_SECONDS, held=True)
        HeldFlows(self.base.keys_pool).release(EXECUTE, RESTORED)

    def settle(self) -> None:
        self.quiet.wait(_PATIENCE_SECONDS)

    def empty(self) -> None:
        """Forget everything that earlier scenarios made: stores, accounts, clock."""
        self.settle()
        wipe(self.base.pool, self.readings.targets)
        self._emptied = dt.datetime.now(dt.UTC)

    def close(self) -> None:
        self._lag.close()
        for target in self._targets.values():
            target.close()
        set_clock(self.base.keys_pool, None)
        self.base.close()
