"""The direct world: the same handlers as the workers run, called in one process over a real PostgreSQL and an in-memory
bus and targets. Everything is done when `settle` returns; nothing goes on in the background."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from connectors.sources.registry import load, load_records
from connectors.targets.memory import MemoryTarget
from deploy.operations.backup import EXECUTE, RESTORED
from deploy.operations.bring_back import bring_back
from deploy.operations.erase import erase
from deploy.operations.shadow import Shadow
from deploy.operations.switch import take_into_use
from deploy.replay.operator import Operator
from deploy.replay.remaking import Remaking
from deploy.settings import ExecuteSettings, MasterSettings
from deploy.wiring import master, provisioning, rulings, sources
from deploy.wiring.base import Base
from deploy.wiring.data import read_policy
from deploy.wiring.groups import GROUPS
from deploy.wiring.handlers import handler_of
from deploy.wiring.readings import readings
from streams.brake import HeldFlows
from streams.bus import Handler, MemoryBus
from streams.clock import SetClock
from streams.consume import Runner
from streams.contracts.errors import Rejected, Unavailable
from streams.envelope import Message

_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class DirectSettings:
    """One database, one folder of secrets, the municipality's data files."""

    master: MasterSettings
    execute: ExecuteSettings

    @classmethod
    def of(cls, database_url: str, secrets: Path) -> "DirectSettings":
        common = {"database_url": database_url, "secrets": secrets, "demo": True, "kafka": "in-memory"}
        common |= {
            "database_password": "",
            "keys_database_url": "",
        }  # this database alone, whatever the environment says
        return cls(MasterSettings.model_validate(common), ExecuteSettings.model_validate(common))


class DirectWorld:
    """See `deploy.replay.run.World`."""

    name = "direct"

    def __init__(self, settings: DirectSettings) -> None:
        self.bus = MemoryBus()
        self.clock = SetClock(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        self.base = Base(settings.master, "replay", pool_size=8, given_clock=self.clock)
        self.targets = {name: MemoryTarget(name) for name in read_policy(settings.execute.policy).targets}
        self._edge = sources.edge(self.base, self.bus)
        self.settings = settings
        self._consumers = self._runners()
        self._executor = provisioning.executor(self.base, settings.execute, self.targets)
        self._steps: Sequence[Callable[[], int]] = (
            master.relay(self.base, settings.master, self.bus).run_once,
            provisioning.timers(self.base, settings.execute).run_once,
            provisioning.account_relay(self.base, self.bus).run_once,
            self._executor.run_once,
        )
        self.readings = readings(self.base, settings.master, self.targets, topics=self._log)

    def _log(self) -> list[Message]:
        return [message for topic in self.bus.topics() for message in self.bus.log(topic)]

    def _handler_of(self, group: str) -> Handler:
        return handler_of(group, self.base, self.settings.master, self.settings.execute)

    def _runners(self) -> list[tuple[str, str, Runner]]:
        return [
            (group, topic, Runner(self._handler_of(group), self.base.dead_letters, self.base.ticker, group=group))
            for group in GROUPS
            for topic in GROUPS[group]
        ]

    def set_clock(self, instant: dt.datetime) -> None:
        self.clock.instant = instant

    def feed(self, source: str, records: Sequence[Mapping[str, Any]], *, total: bool) -> None:
        load_records(source, records, self._edge, total=total)

    def feed_file(self, source: str, path: Path) -> None:
        load(source, path, self._edge)

    def target(self, name: str, action: str) -> None:
        target = self.targets.get(name)
        if target is None:
            raise Rejected("scenario.invalid", f"no target {name}")
        if action == "down":
            target.go_down()
        else:
            target.come_up()
            self._executor.retry_now(name)  # its back-off is in real time, which does not pass in a replay

    def operate(self, command: str, arguments: Mapping[str, str]) -> None:
        desk = rulings.desk(self.base, self.settings.master, self.readings.reader, self.bus)
        Operator(
            self._edge,
            desk,
            self.readings,
            self.base.dead_letters,
            self._read_at,
            self._handler_of,
            partial(erase, self.base, self.settings.execute),
            partial(bring_back, self.base, self.settings.master, self.settings.execute),
            self._remaking(),
        ).do(command, arguments)

    def _remaking(self) -> Remaking:
        master, execute = self.settings.master, self.settings.execute
        return Remaking(self.base, master, execute, self.targets, self.bus.log, {}, self._switch)

    def _switch(self, shadow: Shadow, catch_up: Callable[[], object]) -> None:
        """Everything that was published has been taken by now: no group has to read anything again."""
        now = {group: {topic: {0: len(self.bus.log(topic))} for topic in topics} for group, topics in GROUPS.items()}
        take_into_use(self.settings.master, shadow, now, lambda _offsets: None, catch_up)
        HeldFlows(self.base.keys_pool).release(EXECUTE, RESTORED)
        self.settle()
        self._executor.retry_now()  # what was sealed with a key that is renewed now waits, in real time

    def _read_at(self, topic: str, _partition: int, offset: int) -> Message:
        return self.bus.log(topic)[offset]

    def settle(self) -> None:
        for _ in range(_ROUNDS):
            if self._round() == 0:
                return
        raise Unavailable("service.unavailable", "the replay does not become quiet")

    def _round(self) -> int:
        moved = 0
        for group, topic, runner in self._consumers:
            while batch := self.bus.take(group, topic):
                runner.handle(batch)
                moved += len(batch)
        return moved + sum(step() for step in self._steps)

    def close(self) -> None:
        self.base.close()
