"""`kallan load` and `kallan loads`: native files in through their connector, and total loads that wait for a decision."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connectors.sources.edge import Edge
from connectors.sources.registry import load as load_file
from connectors.sources.registry import reader_of
from connectors.sources.report import LoadReport, LoadState
from connectors.sources.total_state import Load
from deploy.cli.asking import ROW_ID, by_option, json_option, print_json
from deploy.cli.connection import connected, home_option
from deploy.cli.town_options import town_options
from deploy.screen import console
from streams.contracts.errors import TEXTS
from streams.contracts.time import STOCKHOLM

_MEANING = {
    LoadState.OPENED: "waits for the other files of the load",
    LoadState.HELD: "held: see `kallan loads show`",
    LoadState.PUBLISHING: "is being published",
    LoadState.PUBLISHED: "published",
    LoadState.COMMITTED: "published",
    LoadState.VOID: "refused",
    LoadState.ABORTED: "refused",
}


@click.command()
@click.argument("source")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@home_option
@json_option
def load(source: str, files: Sequence[Path], home: Path | None, as_json: bool) -> None:
    """Feed native files of a SOURCE (navet, hr, organisation, school, consultants, politicians, robots, places, groups,
    companies) through its connector, in order.

    A total load is checked for completeness and thresholds when its last file has come. Exit 1 where a file was refused (the
    ones after it are not loaded then) or its load is held.
    """
    reader_of(source)
    with connected(home) as connection:
        reports = load_files(connection.edge, source, files, Console(stderr=True, highlight=False))
    if as_json:
        print_json([as_data(path, report) for path, report in reports])
    else:
        for path, report in reports:
            click.echo("\n".join(told(path.name, report)))
        if left := len(files) - len(reports):
            click.echo(f"{left} files after it were not loaded")
    if any(is_bad(report) for _, report in reports):
        raise click.exceptions.Exit(1)


def load_files(edge: Edge, source: str, files: Sequence[Path], progress_on: Console) -> list[tuple[Path, LoadReport]]:
    """One report a file; ends with the first that is refused, so that what builds on it is not read."""
    found: list[tuple[Path, LoadReport]] = []
    with _bars(progress_on) as bars:
        for path in files:
            task = bars.add_task(path.name, total=None)

            def progress(done: int, declared: int | None, task: Any = task) -> None:
                bars.update(task, completed=done, total=declared)

            report = load_file(source, path, edge, progress)
            bars.update(task, completed=report.rows, total=report.rows)
            found.append((path, report))
            if report.state in {LoadState.ABORTED, LoadState.VOID}:
                break
    return found


@contextmanager
def _bars(on: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=on, disable=not on.is_terminal) as bars:
        yield bars


def is_bad(report: LoadReport) -> bool:
    """Refused or held, as a whole or its absences."""
    return report.absences_held or report.state in {LoadState.ABORTED, LoadState.VOID, LoadState.HELD}


def as_data(path: Path, report: LoadReport) -> dict[str, Any]:
    found = dataclasses.asdict(report)
    alarms = [{"code": code, "field": name, "count": count} for (code, name), count in sorted(report.alarms.items())]
    return {"file": path.name} | found | {"alarms": alarms}


def told(name: str, report: LoadReport) -> Iterator[str]:
    """The report as lines: what became of the file, counts, alarms."""
    meaning = _MEANING[report.state]
    number = f" (load {report.load_id})" if report.load_id is not None else ""
    yield f"{name}: {meaning}{number}"
    if report.reason:
        detail = f" ({report.detail})" if report.detail else ""
        yield f"  {report.reason}: {TEXTS[report.reason].en}{detail}"
    if report.absences_held:
        yield "  what is gone from the source is held; the rest is published"
    counts = [(report.rows, "records read"), (report.rejected, "rejected"), (report.published, "published")]
    counts += [(report.urgent, "on the fast lane"), (report.unchanged, "unchanged")]
    if report.total:
        counts += [(report.added, "added"), (report.changed, "changed"), (report.absent, "gone")]
    yield "  " + ", ".join(f"{count} {what}" for count, what in counts)
    for (code, field), count in sorted(report.alarms.items()):
        yield f"  alarm: {code} {field}, {count} times" if count > 1 else f"  alarm: {code} {field}"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@town_options
def municipality(folder: Path, seed: int, persons: int, units: int) -> None:
    """Write a synthetic municipality as native source files, to be loaded in the order in which they are told.

    Only published test numbers. `number.txt` holds the number of one person, a guardian who is employed, as a command reads
    it; `search.json` the same as the API reads it.
    """
    from deploy.municipality.cast import GUARDIAN
    from deploy.municipality.generate import generate, write_questions

    cast = generate(folder, seed, persons, units)
    write_questions(folder, cast[GUARDIAN])
    for file in cast.files:
        click.echo(f"{file.source:<12} {file.path}")


@click.group()
def loads() -> None:
    """Total loads at the edge: a load that changes too much is held until somebody decides."""


@loads.command("list")
@click.option("--source", help="Of this source only")
@home_option
@json_option
def list_(source: str | None, home: Path | None, as_json: bool) -> None:
    """Every total load, the newest first."""
    from rich.table import Table

    from connectors.sources.loads import list_loads

    if source is not None:
        reader_of(source)
    with connected(home) as connection:
        found = list_loads(connection.base.pool, source)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("load", "source", "state", "added", "changed", "gone", "unchanged", "rejected", "opened"):
        table.add_column(heading)
    for one in found:
        counts = (one.added, one.changed, one.absent, one.unchanged, one.rejected)
        table.add_row(str(one.id), one.source, _state(one), *map(str, counts), _at(one.opened_at))
    console().print(table)


@loads.command()
@click.argument("load_id", metavar="LOAD", type=ROW_ID)
@home_option
@json_option
def show(load_id: int, home: Path | None, as_json: bool) -> None:
    """One total load with its counts and, where it is held, why."""
    from connectors.sources.loads import show_load

    with connected(home) as connection:
        found = show_load(connection.base.pool, load_id)
    if as_json:
        print_json(found)
        return
    click.echo(f"load {found.id} of {found.source}: {_state(found)}")
    if found.reason:
        click.echo(f"  {found.reason}: {TEXTS[found.reason].en}" if found.reason in TEXTS else f"  {found.reason}")
    declared = "" if found.declared is None else f" of {found.declared} declared"
    click.echo(f"  {found.files} files, {found.found} records found{declared}, {found.rejected} rejected")
    click.echo(f"  {found.added} added, {found.changed} changed, {found.absent} gone, {found.unchanged} unchanged")
    click.echo(f"  opened {_at(found.opened_at)}" + (f", settled {_at(found.settled_at)}" if found.settled_at else ""))
    if found.state == LoadState.HELD or found.holds:
        click.echo(f"  to decide: kallan loads release {found.id}, or kallan loads void {found.id}")
    if found.state in {LoadState.PUBLISHING, LoadState.PUBLISHED}:
        click.echo("  if nothing publishes it now, it was cut off: kallan loads resume")
    if found.decided_at:
        click.echo(f"  decided by {found.decided_by} at {_at(found.decided_at)}")


@loads.command()
@click.argument("load_id", metavar="LOAD", type=ROW_ID)
@by_option
@home_option
@json_option
def release(load_id: int, who: str, home: Path | None, as_json: bool) -> None:
    """Publish what a held load holds: you have looked at the figures, and they are right."""
    from connectors.sources.loads import release_load

    with connected(home) as connection:
        report = release_load(connection.edge, load_id, who)
    if as_json:
        print_json(as_data(Path(f"load {load_id}"), report))
    else:
        click.echo("\n".join(told(f"load {load_id}", report)))
    if is_bad(report):
        raise click.exceptions.Exit(1)


@loads.command()
@click.argument("load_id", metavar="LOAD", type=ROW_ID)
@by_option
@home_option
def void(load_id: int, who: str, home: Path | None) -> None:
    """Throw a held load away: nothing of it is published."""
    from connectors.sources.loads import void_load

    with connected(home) as connection:
        void_load(connection.edge, load_id, who)
    click.echo(f"load {load_id}: thrown away")


@loads.command()
@home_option
@json_option
def resume(home: Path | None, as_json: bool) -> None:
    """Take up total loads whose publishing was cut off by a crash. The next load of the source does the same."""
    from connectors.sources.registry import resume_all

    with connected(home) as connection:
        reports = resume_all(connection.edge)
    if as_json:
        print_json([as_data(Path(f"load {report.load_id}"), report) for report in reports])
        return
    for report in reports:
        click.echo("\n".join(told(f"load {report.load_id}", report)))
    if not reports:
        click.echo("No load was cut off.")


def _state(load: Load) -> str:
    return f"{load.state} ({load.holds})" if load.holds else load.state


def _at(instant: Any) -> str:
    return f"{instant.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"
