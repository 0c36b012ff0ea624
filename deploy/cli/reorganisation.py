"""`kallan reorganisation`: drafts of reorganisations are loaded, verified, and take effect as one."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from deploy.cli.asking import Day, by_option, json_option, print_json
from deploy.cli.connection import connected, home_option
from mmd.domain.reorganisation import FINDINGS, Finding, wrong_on
from streams.clock import today


@click.group()
def reorganisation() -> None:
    """Reorganisations: a dated draft is loaded, verified, and takes effect as one, or not at all."""


@reorganisation.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@home_option
@json_option
def load(file: Path, home: Path | None, as_json: bool) -> None:
    """Keep the draft of a FILE (org-draft.v1) and tell what is found. Nothing is published. Exit 1 where it could not take
    effect as it is."""
    from deploy.reorganisation import findings
    from deploy.reorganisation import load as load_draft

    with connected(home) as connection:
        draft = load_draft(connection.reading_edge, file)
        found = findings(connection.reading_edge, connection.stores.reader, connection.register, draft)
    _tell(draft.id, f"{len(draft.parts)} units on {draft.takes_effect}", found, as_json)


@reorganisation.command("list")
@home_option
@json_option
def list_(home: Path | None, as_json: bool) -> None:
    """Every draft, the newest first."""
    from connectors.sources.organisation.drafts import listed

    with connected(home) as connection:
        found = listed(connection.base.pool)
    if as_json:
        names = ("id", "title", "decision", "takes_effect", "state", "decided_by", "decided_at")
        print_json([{name: getattr(one, name) for name in names} for one in found])
        return
    for one in found:
        click.echo(f"{one.id}  {one.state}  {one.takes_effect}  {len(one.parts)} units  {one.title}")
    if not found:
        click.echo("There are no drafts.")


@reorganisation.command()
@click.argument("draft_id", metavar="ID")
@home_option
@json_option
def verify(draft_id: str, home: Path | None, as_json: bool) -> None:
    """What is wrong with a draft over the organisation as it is now. Exit 1 where it could not take effect as it is."""
    from connectors.sources.organisation.drafts import find
    from deploy.reorganisation import findings

    with connected(home) as connection:
        draft = find(connection.base.pool, draft_id)
        found = findings(connection.reading_edge, connection.stores.reader, connection.register, draft)
    _tell(draft.id, draft.state, found, as_json)


@reorganisation.command()
@click.argument("draft_id", metavar="ID")
@by_option
@home_option
def commit(draft_id: str, who: str, home: Path | None) -> None:
    """Verify once more and publish the draft as one record. It takes effect on its day."""
    from deploy.reorganisation import commit as commit_draft

    with connected(home) as connection:
        draft = commit_draft(connection.edge, connection.stores.reader, connection.register, draft_id, who)
    click.echo(f"{draft.id}: {draft.state}, takes effect on {draft.takes_effect}")


@reorganisation.command()
@click.argument("draft_id", metavar="ID")
@by_option
@home_option
def void(draft_id: str, who: str, home: Path | None) -> None:
    """Throw a draft away."""
    from connectors.sources.organisation.drafts import void as void_draft

    with connected(home) as connection:
        void_draft(connection.reading_edge, draft_id, who)
    click.echo(f"{draft_id}: thrown away")


@reorganisation.command()
@click.option("--on", "day", type=Day(), help="On this date (default: today)")
@home_option
@json_option
def check(day: dt.date | None, home: Path | None, as_json: bool) -> None:
    """What is wrong with the organisation as it stands: circles, units below one that is closed or not known. Exit 1 where
    something is."""
    with connected(home) as connection:
        on = day or today(connection.base.clock)
        units = {unit.id: unit for unit in connection.stores.reader.units()}
    _tell("organisation", f"{len(units)} units, on {on}", wrong_on(units, on), as_json)


def _tell(draft_id: str, said: str, found: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [
            {"unit": one.unit, "code": one.code, "about": list(one.about), "blocks": one.blocks} for one in found
        ]
        print_json({"id": draft_id, "findings": rows})
    else:
        click.echo(f"{draft_id}: {said}")
        for one in found:
            about = f" ({', '.join(one.about)})" if one.about else ""
            click.echo(f"  {'wrong' if one.blocks else 'to know'}: {one.unit}: {FINDINGS[one.code][0]}{about}")
        if not found:
            click.echo("  nothing is wrong with it")
    if any(one.blocks for one in found):
        raise click.exceptions.Exit(1)
