"""`kallan catalogue` and `kallan openapi`: the published contracts. Nothing needs to run."""

import click
import msgspec

from deploy.cli.asking import json_option, print_json
from deploy.screen import console
from streams.catalogue import FOREVER, TOPICS, Cleanup, Topic

_DAY = 24 * 3600 * 1000


@click.command()
@click.option("--sv", is_flag=True, help="In Swedish")
@json_option
def catalogue(sv: bool, as_json: bool) -> None:
    """The topics: key, schema, how long records are kept, who writes and who reads."""
    from rich.table import Table

    if as_json:
        print_json([msgspec.to_builtins(topic) for topic in TOPICS])
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("topic", "lane", "key", "kept", "written by", "read by"):
        table.add_column(heading)
    for topic in TOPICS:
        table.add_row(
            topic.name, topic.lane, topic.key, _kept(topic), ", ".join(topic.writers), ", ".join(topic.readers)
        )
    console().print(table)
    click.echo()
    for topic in TOPICS:
        click.echo(f"{topic.name}: {topic.sv if sv else topic.en}")


def _kept(topic: Topic) -> str:
    if topic.cleanup is Cleanup.COMPACT:
        return "the newest"
    return "for ever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // _DAY} days"


@click.command()
@json_option
def openapi(as_json: bool) -> None:
    """The description of the read API (OpenAPI 3.1): JSON with or without --json."""
    from mmd.api.app import create_app

    print_json(create_app(None).openapi())
