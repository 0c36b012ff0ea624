"""The runner: one scenario against one world, step by step; a step ends when everything is quiet."""

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from deploy.readings import Readings
from deploy.replay.expectations import Baseline, check
from deploy.replay.scenario import Scenario, Step, filled, instant_of
from streams.contracts.errors import KallanError, Rejected


class World(Protocol):
    """What a scenario acts on: the handlers in one process, or the broker and the workers."""

    name: str
    readings: Readings

    def set_clock(self, instant: dt.datetime) -> None: ...

    def feed(self, source: str, records: Sequence[Mapping[str, Any]], *, total: bool) -> None: ...

    def feed_file(self, source: str, path: Path) -> None: ...

    def target(self, name: str, action: str) -> None: ...

    def operate(self, command: str, arguments: Mapping[str, str]) -> None:
        """See `deploy.replay.operator`."""
        ...

    def settle(self) -> None:
        """Return when everything is quiet; raises `Unavailable` when it does not become so in time."""
        ...


@dataclass(slots=True)
class Outcome:
    """`failures` are lines with want and got; `not_run` are steps that need a part that is not built."""

    scenario: str
    title: str
    through: str
    checked: int = 0
    failures: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.failures and self.checked > 0


def run_scenario(scenario: Scenario, world: World, folder: Path) -> Outcome:
    """Play the steps in order. The world is expected to be empty. `folder` is where `file` steps are looked up.

    A step that cannot be done is a failure and ends the scenario. Raises `Rejected("scenario.invalid")` for a mistake in the
    scenario itself.
    """
    outcome = Outcome(scenario.id, scenario.title, world.name)
    world.set_clock(instant_of(scenario.start))
    baseline = Baseline.of(world.readings)
    for number, step in enumerate(scenario.steps, 1):
        where = f"{scenario.id} step {number}" + (f" ({step.note})" if step.note else "")
        if step.needs:
            outcome.not_run.append(f"{where}: needs {step.needs}, which is not built yet")
            continue
        if step.expect is not None:
            failures, baseline = check(step.expect, scenario, world.readings, baseline)
            outcome.failures += [f"{where}: {line}" for line in failures]
            outcome.checked += 1
            continue
        try:
            _act(step, scenario, world, folder, where)
            world.settle()
        except KallanError as error:
            if error.code == "scenario.invalid":
                raise
            outcome.failures.append(f"{where}: {error}")
            break
    return outcome


def _act(step: Step, scenario: Scenario, world: World, folder: Path, where: str) -> None:
    if step.at:
        instant = instant_of(step.at)
        if instant < world.readings.clock.now():
            raise Rejected("scenario.invalid", f"{where}: the clock does not go backwards")
        world.set_clock(instant)
    elif step.source and step.records is not None:
        world.feed(step.source, filled(step.records, scenario.cast), total=step.total)
    elif step.source and step.text:
        with tempfile.TemporaryDirectory() as kept:
            file = Path(kept) / "file"
            file.write_text(filled(step.text, scenario.cast), encoding="utf-8")
            world.feed_file(step.source, file)
    elif step.source:
        world.feed_file(step.source, folder / step.file)
    elif step.target is not None:
        world.target(step.target.name, step.target.action)
    else:
        world.operate(step.operator, filled(step.with_, scenario.cast))
