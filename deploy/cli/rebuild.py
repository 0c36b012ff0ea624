"""`kallan rebuild`: the store made again from the log beside that in use, compared with it, and taken into use."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import click

from deploy.cli.asking import json_option, print_json
from deploy.cli.connection import connected, home_option, settings_of
from deploy.operations.backup import schemas_in
from deploy.operations.compare import Difference
from deploy.operations.shadow import STORES
from deploy.settings import ExecuteSettings, MasterSettings, ProvisioningSettings, load_settings

_LISTED = 50
_SAY_EVERY = 5.0


@click.command()
@click.argument("database")
@click.option("--accept", is_flag=True, help="Take the store that was made again into use (the workers must not run)")
@home_option
@json_option
def rebuild(database: str, accept: bool, home: Path | None, as_json: bool) -> None:
    """Make the store again from the log in DATABASE, a new one beside that in use, and compare the two.

    No target is called and nothing is published. What differs is told by id; exit 1 where anything does. With --accept the
    store that was made takes the place of the one in use, which is kept aside under another name.
    """
    if accept:
        _accept(database, home)
        return
    _build(database, home, as_json)


def _build(database: str, home: Path | None, as_json: bool) -> None:
    from deploy.operations import rebuild as building
    from deploy.operations.compare import Stand, differences, stand_of
    from deploy.operations.shadow import make_empty, shadow_of
    from deploy.operations.switch import note
    from deploy.wiring import provisioning
    from streams.kafka_log import dump

    fields = settings_of(home)
    master, of_provisioning = load_settings(MasterSettings, fields), load_settings(ProvisioningSettings, fields)
    targets = provisioning.targets(load_settings(ExecuteSettings, fields))
    make_empty(master, database)
    began = time.monotonic()
    with closing(shadow_of(master, database)) as shadow, ExitStack() as stack:
        for target in targets.values():
            stack.callback(target.close)
        read = partial(dump, master.broker)
        found = building.rebuild(shadow, master, of_provisioning, read, targets, _Progress().moved)
        seconds = time.monotonic() - began
        note(shadow, found)
        new = stand_of(shadow)
    old: Stand | None = None
    if schemas_in(master.store_url, STORES) == sorted(STORES):
        with connected(home) as connection:
            old = stand_of(connection.base)
    differing = [] if old is None else differences(old, new)
    rate = round(found.events / max(seconds, 0.001))
    if as_json:
        print_json(
            {
                "events": found.events,
                "seconds": round(seconds, 1),
                "events_per_second": rate,
                "accounts": found.accounts,
                "refused": dict(found.refused),
                "hash": new.hash,
                "counts": dict(new.counts),
                "compared": old is not None,
                "differences": differing,
            }
        )
    else:
        click.echo(f"{found.events} records of the log in {seconds:.1f} s: {rate} a second")
        for code, count in sorted(found.refused.items()):
            click.echo(f"refused, as when they came: {count} of {code}")
        click.echo(f"master    {new.hash}  {', '.join(f'{count} {kind}' for kind, count in new.counts.items())}")
        _tell(differing, compared=old is not None)
    if differing:
        raise click.exceptions.Exit(1)


def _tell(differing: Sequence[Difference], *, compared: bool) -> None:
    if not compared:
        click.echo("There is no store in use to compare it with.")
    elif not differing:
        click.echo("The store in use holds the same.")
    else:
        click.echo(f"The store in use differs in {len(differing)}:")
    for one in differing[:_LISTED]:
        click.echo(f"  {one.what} {one.id}: {one.how}")
    if len(differing) > _LISTED:
        click.echo(f"  and {len(differing) - _LISTED} more (--json lists all)")


class _Progress:
    """A line on standard error every few seconds."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def moved(self, events: int) -> None:
        now = time.monotonic()
        if now - self._said >= _SAY_EVERY:
            self._said = now
            click.echo(f"{events} records read", err=True)


def _accept(database: str, home: Path | None) -> None:
    from deploy.operations.rebuild import remember
    from deploy.operations.shadow import shadow_of
    from deploy.operations.switch import take_into_use
    from deploy.wiring import provisioning
    from deploy.wiring.groups import GROUPS
    from streams.kafka_log import dump
    from streams.offsets import committed, rewind

    fields = settings_of(home)
    master, of_provisioning = load_settings(MasterSettings, fields), load_settings(ProvisioningSettings, fields)
    targets = provisioning.targets(load_settings(ExecuteSettings, fields))
    with closing(shadow_of(master, database)) as shadow, ExitStack() as stack:
        for target in targets.values():
            stack.callback(target.close)
        now = committed(master.broker, GROUPS)
        catch_up = partial(remember, shadow, of_provisioning, partial(dump, master.broker), targets)
        kept = take_into_use(master, shadow, now, partial(rewind, master.broker), catch_up)
    if kept:
        click.echo(f"What was in use is kept as {', '.join(kept)}: drop it when it is not needed any more.")
    click.echo("Start the workers; when `kallan status` tells that only the restore is held: kallan restore --finish")
