"""`kallan status`: whether everything moves, and what waits. Reads only."""

import datetime as dt
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from deploy.cli.asking import json_option, print_json
from deploy.cli.connection import connected, home_option
from deploy.operations import state
from deploy.operations.findings import Finding, findings, other_schemas, waiting
from deploy.operations.schema import Schema, schemas
from deploy.screen import console
from deploy.wiring.data import read_releases
from streams.clock import today
from streams.kafka_log import LagMeter


@click.command()
@home_option
@json_option
def status(home: Path | None, as_json: bool) -> None:
    """Whether everything moves, and what waits. Exit 1 where something is wrong, each with a stable code."""
    with connected(home) as connection:
        revisions = schemas(connection.master)
        if wrong := other_schemas(revisions):  # what else there is cannot be read as this program knows it
            _only(wrong, revisions, as_json)
        on = today(connection.base.clock)
        with closing(LagMeter(connection.master.broker)) as meter:
            lag = state.lag_of(meter)
        found = state.system(
            connection.base,
            revisions,
            lag,
            len(connection.stores.reader.conflicts(on, limit=state.CONFLICTS_MOST)),
            read_releases(connection.master.releases).by_id,
            on,
        )
    wrong = findings(found, on)
    if as_json:
        print_json({"ok": not wrong, "wrong": wrong, "waiting": waiting(found), **msgspec.to_builtins(found)})
    else:
        _show(found, wrong)
    if wrong:
        raise click.exceptions.Exit(1)


def _only(wrong: list[Finding], revisions: Sequence[Schema], as_json: bool) -> NoReturn:
    if as_json:
        print_json({"ok": False, "wrong": wrong, "schemas": revisions})
    else:
        for one in wrong:
            click.echo(f"{one.code}: {one.detail}")
    raise click.exceptions.Exit(1)


def _show(found: state.System, wrong: list[Finding]) -> None:
    for one in wrong:
        click.echo(f"{one.code}: {one.detail}")
    click.echo("Everything moves." if not wrong else "")
    _table("worker", ("not committed", "last progress", "told", "state"), _workers(found))
    _table("waits", ("count", "oldest"), _queues(found))
    _table("changes of accounts", ("lane", "state", "count", "oldest"), _operations(found))
    told = [*waiting(found), *(f"release {one.release} ends {one.until}" for one in found.releases)]
    click.echo("For a person: " + ("; ".join(told) if told else "nothing") + ".")
    for code, count in found.dead_letters.items():
        click.echo(f"  {count:>6} dead letters  {code}")
    click.echo("Schemas: " + ", ".join(f"{one.package} {one.database or 'none'}" for one in found.schemas))


def _table(first: str, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table

    if not rows:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in (first, *headings):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)
    click.echo("")


def _workers(found: state.System) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in found.workers:
        lag = "?" if found.lag is None else str(found.lag.get(one.name, ""))
        moved = "never" if one.moved_at is None else _ago((dt.datetime.now(dt.UTC) - one.moved_at).total_seconds())
        rows.append((one.name, lag, moved, _ago(one.seen_seconds), one.code or "ready"))
    return rows


def _queues(found: state.System) -> list[tuple[str, ...]]:
    named = [
        *((f"documents, {one.lane}", one) for one in found.documents),
        ("persons to evaluate", found.persons),
        ("account facts to tell", found.account_facts),
    ]
    return [(name, str(one.count), _age(one.oldest_seconds)) for name, one in named if one.count]


def _operations(found: state.System) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (one.target, one.lane, one.state, str(one.count), _age(one.oldest_seconds)) for one in found.operations
    ]
    rows += [(target, "", "away", "", _age(seconds)) for target, seconds in found.targets_away.items()]
    return rows + [(target, "", "outcome unknown", str(count), "") for target, count in found.unknown.items()]


def _ago(seconds: float) -> str:
    return f"{_age(seconds)} ago"


def _age(seconds: float) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
