"""`kallan compose`: what runs once in a stack of containers, and the stand-in target. See docs/compose.md."""

import os
import shutil
from pathlib import Path

import click

from deploy.cli.town_options import town_options
from deploy.operations.logs import configure_logging

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def compose() -> None:
    """One-time steps of the compose stack: secrets, logins and rights, the first load."""


@compose.command()
@click.argument("authority", type=_FOLDER)
@click.argument("out", type=_FOLDER)
def secrets(authority: Path, out: Path) -> None:
    """Make every secret and certificate that AUTHORITY lacks, and hand each container its own under OUT."""
    from deploy.compose.secrets import hand_out, make
    from streams.clock import SystemClock

    make(authority, SystemClock().now())
    changed = hand_out(authority, out)
    click.echo(f"secrets handed out anew to: {', '.join(changed)}" if changed else "every secret was there")


@compose.command()
def prepare() -> None:
    """The administrator's step: logins and rights in PostgreSQL and Kafka, schemas, topics. Safe to repeat."""
    from deploy.compose.prepare import prepare as do
    from deploy.settings import PrepareSettings, load_settings

    settings = load_settings(PrepareSettings)
    configure_logging(settings.log_level)
    for line in do(settings):
        click.echo(line)


@compose.command()
@click.argument("keys", type=_FOLDER)
@click.argument("public", type=_FOLDER)
def issuer(keys: Path, public: Path) -> None:
    """A development issuer's signing key in KEYS, its public key in PUBLIC/jwks.json; `kallan token` signs with it."""
    from deploy.embedded import issuer as development

    made = development.jwks(keys)
    if made.resolve() != (public / "jwks.json").resolve():
        shutil.copyfile(made, public / "jwks.json")
    click.echo("development issuer: ready")


@compose.command()
@click.argument("folder", type=_FOLDER)
@town_options
def demo(folder: Path, seed: int, persons: int, units: int) -> None:
    """Load the synthetic municipality once, its files in FOLDER, and tell where to look."""
    from deploy.cli.connection import connected
    from deploy.compose.demo import WHERE_TO_LOOK, load_once

    with connected(None) as connection:
        configure_logging(connection.master.log_level)
        load_once(connection, folder, click.echo, seed=seed, persons=persons, units=units)
    click.echo(WHERE_TO_LOOK.format(port=os.environ.get("KALLAN_PORT", "8443")))


@compose.command("scim-target")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--secrets", "secrets_folder", type=_FOLDER, default=Path("/run/secrets"), show_default=True)
@click.option("--port", default=8443, show_default=True)
def scim_target(file: Path, secrets_folder: Path, port: int) -> None:
    """A SCIM 2.0 server as a stand-in for a cloud service, over TLS."""
    from deploy.compose.scim_target import serve

    serve(file, secrets_folder, port)
