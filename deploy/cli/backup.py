"""`kallan backup`, `restore`, `offsets`: stores and keys written down and brought back, and the log read again."""

import datetime as dt
import importlib.metadata
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
import psycopg
import psycopg_pool

from deploy.cli.asking import Time
from deploy.cli.connection import connected, home_option, settings_of
from deploy.operations.backup import EXECUTE, RESTORED, back_up, read_about
from deploy.operations.backup import restore as bring_back
from deploy.operations.erase import again
from deploy.operations.schema import schemas
from deploy.quiet import Quiet
from deploy.settings import MasterSettings, ProvisioningSettings, load_settings
from deploy.wiring.base import Base
from deploy.wiring.groups import GROUPS
from streams.brake import HeldFlows
from streams.contracts.errors import Unavailable
from streams.erasures import Erasures
from streams.kafka_log import LagMeter
from streams.offsets import at, committed, rewind

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_KEYS = click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the keys are kept apart (default: FOLDER/keys)",
)
_BETWEEN_LOOKS = 0.5


@click.command()
@_FOLDER
@_KEYS
@home_option
def backup(folder: Path, keys: Path | None, home: Path | None) -> None:
    """Write stores, data keys and the places of the consumers into a new FOLDER. Everything may go on meanwhile.

    Whoever has both files and the master key can read everything: keep keys and stores apart.
    """
    with connected(home) as connection, _answering():
        settings = connection.master
        offsets = committed(settings.broker, GROUPS)
        about = back_up(
            folder,
            keys or folder / "keys",
            settings.store_url,
            settings.keys_url,
            importlib.metadata.version("kallan"),
            schemas(settings),
            offsets,
        )
    click.echo(f"{folder}: the stores as of {about.at}")
    click.echo(f"{keys or folder / 'keys'}: the data keys; keep them apart from the stores and from the master key")


@click.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@_KEYS
@click.option("--store-only", is_flag=True, help="Leave the consumers where they stand (to look at a backup elsewhere)")
@click.option("--finish", is_flag=True, help="The log has been read again: let accounts be changed again")
@home_option
def restore(folder: Path | None, keys: Path | None, store_only: bool, finish: bool, home: Path | None) -> None:
    """Bring back the stores of a backup into an empty database, and read the log again from where they stood.

    The workers must not run. Data keys that are there stay; else those of the backup are taken. Then start the workers:
    accounts stay as they are until `kallan restore --finish`, which refuses while anything is still to be read.
    """
    if finish == (folder is not None):
        raise click.UsageError("Give the folder of a backup, or --finish.")
    if folder is None:
        _finish(home)
        return
    settings = load_settings(MasterSettings, settings_of(home))
    about = read_about(folder)
    with _answering():
        if not store_only:
            rewind(settings.broker, about.offsets)
        needed = bring_back(folder, keys or folder / "keys", settings.store_url, settings.keys_url)
        if not store_only and not any(one.code for one in schemas(settings)):
            _forget_erased(settings, home)
    click.echo(
        f"The stores are those of {about.at}; the data keys are {'those of the backup' if needed else 'as they were'}."
    )
    click.echo("Start the workers; when `kallan status` tells that only the restore is held: kallan restore --finish")


def _forget_erased(settings: MasterSettings, home: Path | None) -> None:
    """Whoever was erased since the backup, returned or not, before anything that was said later is read."""
    with closing(Base(settings, "command")) as base:
        if Erasures(base.keys_pool).all():
            again(base, load_settings(ProvisioningSettings, settings_of(home)), returned=True)


def _finish(home: Path | None) -> None:
    with connected(home) as connection:
        base = connection.base
        with closing(LagMeter(connection.master.broker)) as meter:
            quiet = Quiet(base.pool, meter, base.clock)
            for _ in range(2):  # one look may miss what goes from a table to the log meanwhile
                left = quiet.unread()
                if left:
                    told = ", ".join(f"{count} {kind}" for kind, count in left.items())
                    raise Unavailable("store.restored", f"still to do: {told}")
                time.sleep(_BETWEEN_LOOKS)
        erased = again(base, connection.provisioning)
        HeldFlows(base.keys_pool).release(EXECUTE, RESTORED)
    if erased:
        click.echo(f"{erased} persons who were erased since the backup are erased again.")
    click.echo("Accounts are changed again; each is read back first.")


@click.group()
def offsets() -> None:
    """Where the workers stand in the log."""


@offsets.command("rewind")
@click.option("--to", "instant", type=Time(), required=True, help="Read again what was written then or later")
@home_option
def rewind_(instant: dt.datetime, home: Path | None) -> None:
    """Read the log again from an instant: for a store that was brought back by other means.

    Choose an instant before the store's own, by as much as the workers were behind then: what is read twice counts once.
    """
    settings = load_settings(MasterSettings, settings_of(home))
    rewind(settings.broker, at(settings.broker, GROUPS, instant))
    click.echo(f"Every worker goes on from {instant:%Y-%m-%d %H:%M:%S} UTC.")


@contextmanager
def _answering() -> Iterator[None]:
    """A database that does not answer, told in one line."""
    try:
        yield
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        raise Unavailable("service.unavailable", f"PostgreSQL ({type(error).__name__})") from None
