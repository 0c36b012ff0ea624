"""Runs the demo: the stack, the first loads with progress, the stories as they happen, the report, the figures."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connectors.sources.registry import load
from deploy import screen
from deploy.demo import closing
from deploy.demo.forms import APPLICANTS, Form, ask
from deploy.demo.stories import STORIES, Story, Told
from deploy.municipality.cast import Cast, NativeFile
from deploy.municipality.changes import Changes
from deploy.municipality.generate import generate
from deploy.replay.live import LiveWorld
from deploy.running import Running, running
from deploy.wiring.data import read_policy

_INDENTED = (0, 0, 0, 4)
_LOAD_PATIENCE = 600.0
_CHANGE_PATIENCE = 60.0

_PLAYERS = """\
Sources: navet is the population register (Skatteverket's Navet), hr the HR system, organisation the tree of units.
Targets: directory is an LDAP directory of the municipality's own, collaboration a SCIM service in the cloud.
"""

_LOADED = """
select (select count(*) from mmd.document where kind <> 'redirect'),
       (select count(*) from iam.desired d where d.presence <> 'absent'),
       (select count(*) from iam.desired d join iam.observed o using (account, target)
        where o.status = 'known' and o.digest = d.digest)
"""


def play(home: Path, *, seed: int, persons: int, units: int, throwaway: bool) -> bool:
    """True when everything that was to be shown is so."""
    console = screen.console()
    console.rule("[bold]Källan: a fact is fetched at its source and given only once")
    console.print(
        f"A synthetic municipality of {persons} persons in {units} units (seed {seed}). Every personnummer is one that "
        "Skatteverket publishes for testing; nobody here exists.\n"
    )
    began = time.monotonic()
    console.print("Starting Kafka, PostgreSQL, a directory and a SCIM server, seven workers and the API ...")
    with running(home, throwaway=throwaway) as found, _world(found) as world:
        console.print(f"ready after {time.monotonic() - began:.1f} s\n")
        cast = generate(home / "sources", seed, persons, units)
        _first_load(console, cast, world)
        changes = Changes(cast)
        console.rule("What happens to people")
        console.print(_PLAYERS)
        told = [_tell(console, story, changes, cast, world) for story in STORIES]
        forms = _forms(console, found, cast)
        good = closing.report(
            console, world, cast, told, forms, read_policy(found.execute.policy, found.execute.authority_policies)
        )
        closing.what_next(console, home, kept=not throwaway)
    return good


@contextmanager
def _world(found: Running) -> Iterator[LiveWorld]:
    world = LiveWorld(found)
    try:
        yield world
    finally:
        world.close()


def _first_load(console: Console, cast: Cast, world: LiveWorld) -> None:
    """Every first file through its connector, then until the last account is read back."""
    bar = Progress(
        TextColumn("  {task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    console.print("First load: organisation, population register and HR, through Kafka into accounts")
    with bar as progress:
        total = len(cast.units) + cast.persons
        reading = progress.add_task("records read at the sources", total=total + cast.employees)
        master = progress.add_task("documents in the master", total=total)
        accounts = progress.add_task("accounts read back in the targets", total=None)
        for file in cast.files:
            before = progress.tasks[reading].completed
            report = load(file.source, file.path, world.edge)
            progress.update(reading, completed=before + report.rows)
        deadline = time.monotonic() + _LOAD_PATIENCE
        while time.monotonic() < deadline:
            documents, wanted, done = _loaded(world)
            progress.update(master, completed=documents)
            progress.update(accounts, completed=done, total=wanted or None)
            if not world.quiet.pending():
                break
            time.sleep(0.2)
        world.quiet.wait(_CHANGE_PATIENCE)
        documents, wanted, done = _loaded(world)
        progress.update(reading, completed=progress.tasks[reading].completed, total=progress.tasks[reading].completed)
        progress.update(master, completed=documents, total=documents)
        progress.update(accounts, completed=done, total=wanted)
    console.print()


def _loaded(world: LiveWorld) -> tuple[int, int, int]:
    with world.readings.pool.connection() as connection:
        row = connection.execute(_LOADED).fetchone()
    return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)


def _tell(console: Console, story: Story, changes: Changes, cast: Cast, world: LiveWorld) -> Told:
    member = cast[story.role]
    stamp = dt.datetime.now(dt.UTC)
    files: tuple[NativeFile, ...] = tuple(story.happens(changes, stamp))
    mark = _journal_mark(world)
    for file in files:
        load(file.source, file.path, world.edge)
    world.quiet.wait(_CHANGE_PATIENCE)
    seconds = _read_back(world, mark, stamp)
    wrong = story.wrong(world.readings, cast, member)
    console.print(f"[bold]{story.title}[/bold]")
    console.print(Padding(story.told.format(name=f"{member.person.call_name} {member.person.family}"), _INDENTED))
    took = (
        "no target had anything to do"
        if seconds is None
        else f"{seconds:.1f} s from the source's stamp until the last target had been read back"
    )
    console.print(
        Padding(f"{'As it should be' if not wrong else '[red]NOT AS IT SHOULD BE[/red]'}: {took}.", _INDENTED)
    )
    for line in wrong:
        console.print(Padding(f"[red]{line}", _INDENTED))
    console.print()
    return Told(story, stamp, seconds, wrong)


def _journal_mark(world: LiveWorld) -> int:
    with world.readings.pool.connection() as connection:
        row = connection.execute("select coalesce(max(id), 0) from iam.journal").fetchone()
    return int(row[0]) if row else 0


def _read_back(world: LiveWorld, mark: int, stamp: dt.datetime) -> float | None:
    """Seconds from the source's stamp to the last read-back since the mark."""
    with world.readings.pool.connection() as connection:
        row = connection.execute(
            "select max(at) from iam.journal where id > %s and kind = 'result' and outcome = 'done'", (mark,)
        ).fetchone()
    if row is None or row[0] is None:
        return None
    return float((row[0] - stamp).total_seconds())


def _forms(console: Console, found: Running, cast: Cast) -> list[Form]:
    console.print()
    console.rule("A form that does not ask what the municipality knows")
    asked = [ask(found, cast[role], cast[child]) for role, child in APPLICANTS]
    for form in asked:
        closing.show_form(console, form)
    return asked
