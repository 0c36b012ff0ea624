"""`kallan dlq`: dead letters, redacted: where a record stands that was not accepted, and why; never the record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from deploy.cli.asking import ROW_ID, by_option, json_option, limit_option, print_json
from deploy.cli.connection import Connection, connected, home_option
from deploy.screen import console
from streams.contracts.errors import TEXTS
from streams.contracts.time import STOCKHOLM
from streams.dead_letters import DeadLetter, LetterState

_LETTER = click.argument("letter", type=ROW_ID)


@click.group()
def dlq() -> None:
    """Dead letters: records that will not be accepted as they stand."""


@dlq.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are closed too")
@limit_option
@home_option
@json_option
def list_(everything: bool, limit: int, home: Path | None, as_json: bool) -> None:
    """Open dead letters, the newest first, and how many records the source connectors refused, by reason."""
    from rich.table import Table

    with connected(home) as connection:
        letters = connection.base.dead_letters.list(None if everything else LetterState.OPEN, most=limit)
        refused = _refused(connection)
    if as_json:
        print_json({"letters": [_data(one) for one in letters], "refused_at_sources": refused})
        return
    if not letters:
        click.echo("No dead letters.")
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in ("letter", "state", "code", "fields", "consumer", "record", "tries", "last seen"):
            table.add_column(heading, overflow="fold")
        for one in letters:
            table.add_row(
                *(str(one.id), one.state.value, one.code, one.detail, one.group, one.pointer, str(one.attempts)),
                f"{one.last_seen.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}",
            )
        console().print(table)
    for row in refused:
        click.echo(
            f"refused by {row['source']}: {row['count']} of {row['code']} ({row['field']}), kept until {row['until']}"
        )


@dlq.command()
@_LETTER
@home_option
@json_option
def show(letter: int, home: Path | None, as_json: bool) -> None:
    """One dead letter."""
    with connected(home) as connection:
        found = connection.base.dead_letters.show(letter)
    _show(found, as_json)


@dlq.command()
@_LETTER
@by_option
@home_option
@json_option
def retry(letter: int, who: str, home: Path | None, as_json: bool) -> None:
    """Read the record from the log again and handle it, here and now. Exit 1 where it is refused again."""
    from deploy.wiring.handlers import handler_of
    from streams.kafka_log import read_at

    with connected(home) as connection:
        found = connection.base.dead_letters.show(letter)
        handler = handler_of(found.group, connection.base, connection.master, connection.provisioning)
        bootstrap = connection.master.broker
        found = connection.base.dead_letters.retry(
            letter, who, lambda topic, partition, offset: read_at(bootstrap, topic, partition, offset), handler
        )
    _show(found, as_json)
    if found.state is LetterState.OPEN:
        raise click.exceptions.Exit(1)


@dlq.command()
@_LETTER
@by_option
@home_option
@json_option
def discard(letter: int, who: str, home: Path | None, as_json: bool) -> None:
    """Close a dead letter for good: the record is not needed."""
    with connected(home) as connection:
        found = connection.base.dead_letters.discard(letter, who)
    _show(found, as_json)


def _refused(connection: Connection) -> Sequence[dict[str, Any]]:
    """What the source connectors keep sealed for a while, by source, code and field."""
    with connection.base.pool.connection() as open_connection:
        rows = open_connection.execute(
            "select source, code, detail, count(*), max(expires_at) from connectors.rejected"
            " group by source, code, detail order by 1, 2, 3"
        ).fetchall()
    return [
        {
            "source": source,
            "code": code,
            "field": detail,
            "count": count,
            "until": f"{until.astimezone(STOCKHOLM):%Y-%m-%d}",
        }
        for source, code, detail, count, until in rows
    ]


def _data(letter: DeadLetter) -> dict[str, Any]:
    text = TEXTS.get(letter.code)
    found: dict[str, Any] = msgspec.to_builtins(letter)
    return found | {"meaning": text.en if text else ""}


def _show(letter: DeadLetter, as_json: bool) -> None:
    if as_json:
        print_json(_data(letter))
        return
    text = TEXTS.get(letter.code)
    fields = f" ({letter.detail})" if letter.detail else ""
    click.echo(f"letter {letter.id}: {letter.state.value}")
    click.echo(f"  {letter.code}: {text.en if text else ''}{fields}")
    if text:
        click.echo(f"  {' ' * len(letter.code)}  {text.sv}")
    click.echo(f"  record {letter.pointer}, consumer {letter.group}, tried {letter.attempts} times")
    click.echo(f"  first seen {_at(letter.first_seen)}, last seen {_at(letter.last_seen)}")
    if letter.closed_at is not None:
        click.echo(f"  closed by {letter.closed_by} at {_at(letter.closed_at)}")


def _at(instant: Any) -> str:
    return f"{instant.astimezone(STOCKHOLM):%Y-%m-%d %H:%M:%S}"
