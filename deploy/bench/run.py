"""The whole bench on one embedded stack, in an order in which nothing that is measured disturbs the next."""

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.bench import accounts, growth, ingest, reads, rebuilding, scaling
from deploy.bench.alone import SEED
from deploy.bench.bulk import Bulk
from deploy.bench.figures import Figure
from deploy.bench.latency import Latency
from deploy.bench.machine import Machine, OthersMeter, commit, versions
from deploy.bench.population import Population
from deploy.bench.report import Report
from deploy.bench.startup import Started, measure_memory, memory_figure, started, startup_figure
from deploy.replay.live import LiveWorld

Say = Callable[[str], None]
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `behind` is the most changes of each kind behind the bulk; `holds` how many persons the store
    holds when it is asked whether it slows down, `rebuilt` how many records the log that is rebuilt from."""

    name: str
    starts: int
    repeats: int
    batch: int
    units: int
    changes: int
    read_seconds: float
    events: int
    bulk: int
    bulk_employed: int
    behind: int
    holds: tuple[int, ...]
    rebuilt: int


FULL = Size("full", 3, 3, 90, 40, 50, 3.0, 5_000, 19_000, 1_000, 25, (10_000, 50_000), 200_000)
QUICK = Size("quick", 1, 3, 25, 12, 12, 1.0, 1_500, 2_850, 150, 5, (2_000, 10_000), 10_000)


def run(folder: Path, size: Size, command: str, say: Say) -> Report:
    """`say` is told what is being done. The folder is used for stacks that are thrown away."""
    began, date, tree = time.monotonic(), dt.datetime.now(dt.UTC), commit()
    starts: list[Started] = []
    for turn in range(size.starts - 1):
        say(f"start {turn + 1} of {size.starts}: the stack in an empty folder")
        home = folder / f"start-{turn + 1}"
        with started(home) as one:
            starts.append(one)
        shutil.rmtree(home, ignore_errors=True)
    meter, whole = OthersMeter(), OthersMeter()
    meter.start()
    whole.start()
    say(f"start {size.starts} of {size.starts}: the stack in an empty folder")
    with started(folder / "stack") as last:
        starts.append(last)
        startup = startup_figure(starts, meter.share())
        world = LiveWorld(last.running)
        try:
            figures, postgresql = _measure(last, world, size, say)
        finally:
            world.close()
    figures += growth.measure(folder, size.holds, size.events, size.repeats, say)
    figures += rebuilding.measure(folder, size.rebuilt, say)
    others = whole.share()
    return Report(
        command=command,
        size=size.name,
        date=date,
        seconds=time.monotonic() - began,
        commit=tree,
        machine=Machine.here(),
        versions=versions(postgresql),
        others=others,
        figures=(*figures, startup),
    )


ONLY: Mapping[str, Callable[[Path, Size, Say], Iterable[Figure]]] = {
    "ingest": lambda folder, size, say: ingest.measure_alone(folder, size.events, size.repeats, say),
    "growth": lambda folder, size, say: growth.measure(folder, size.holds, size.events, size.repeats, say),
    "scaling": lambda folder, size, say: scaling.measure(folder, size.events, size.repeats, say),
    "rebuild": lambda folder, size, say: rebuilding.measure(folder, size.rebuilt, say),
}
"""What can be measured alone: ingest; whether it keeps its rate as the store grows; how it grows with partitions and workers
(only alone); a rebuild from the log."""


def run_only(what: str, folder: Path, size: Size, command: str, say: Say) -> Report:
    """One of `ONLY`."""
    began, date, tree = time.monotonic(), dt.datetime.now(dt.UTC), commit()
    whole = OthersMeter()
    whole.start()
    figures = tuple(ONLY[what](folder, size, say))
    return Report(
        command=command,
        size=f"{what}, {size.name}",
        date=date,
        seconds=time.monotonic() - began,
        commit=tree,
        machine=Machine.here(),
        versions=versions(),
        others=whole.share(),
        figures=figures,
    )


def _measure(last: Started, world: LiveWorld, size: Size, say: Say) -> tuple[list[Figure], str]:
    found, pool = last.running, world.base.pool
    with pool.connection() as connection:
        postgresql = str(connection.execute("show server_version").fetchone()[0])  # type: ignore[index]
    memory = {"idle": measure_memory(found)}
    employees = size.batch * size.repeats
    people = Population.grown(found.stack.home / "sources", world, employees=employees, units=size.units, seed=SEED)
    say(f"accounts: {employees} employees in {size.units} units")
    people.load_units()
    world.quiet.wait(_PATIENCE)
    provisioned = accounts.measure(found, people, batch=size.batch, repeats=size.repeats)
    world.quiet.wait(_PATIENCE)
    memory["with accounts"] = measure_memory(found)
    latency = Latency(people, people.staff, found.master.kafka)
    say(f"latency on the idle stack: {size.changes} changes of each kind")
    idle = latency.idle(size.changes)
    world.quiet.wait(_PATIENCE)
    say("reads of the API")
    read = reads.measure(found, pool, seconds=size.read_seconds, repeats=size.repeats)
    say(f"ingest: {size.repeats} x {size.events} events")
    bulk = Bulk(world, found.master.secret("subject.secret"), people.units, SEED)
    ingested = ingest.measure(found, pool, bulk, events=size.events, repeats=size.repeats)
    world.quiet.wait(_PATIENCE)
    say(f"latency behind bulk: {size.bulk} posts and {size.bulk_employed} employments")
    behind = latency.behind(bulk, size.bulk, size.bulk_employed, most=size.behind)
    memory["in bulk"] = measure_memory(found)
    return [*ingested, *provisioned, *idle, *behind, read, memory_figure(memory)], postgresql
