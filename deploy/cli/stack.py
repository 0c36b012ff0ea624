"""`kallan up`, `demo`, `migrate`, `token`: everything on this machine."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from deploy.cli.log_option import log_level_option
from deploy.cli.town_options import town_options
from deploy.operations.logs import configure_logging
from streams.contracts.errors import KallanError

HOME = Path(".kallan")


def home_of(given: Path | None) -> Path:
    """The folder of the stack: as given, or KALLAN_HOME, or `.kallan` here."""
    return given or Path(os.environ.get("KALLAN_HOME") or HOME)


@click.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Folder of data, logs and stack.json")
@log_level_option("INFO")
def up(home: Path | None, log_level: str) -> None:
    """Start the servers, the workers and the API, and keep them until Ctrl-C."""
    from deploy.demo.folder import take_over
    from deploy.running import running

    configure_logging(log_level)
    folder = home_of(home)
    console = Console(stderr=False, highlight=False, soft_wrap=True)
    try:
        with running(folder) as found:
            take_over(folder)
            services = found.stack.services
            console.print(f"\nKällan is up in {folder}. Ctrl-C stops everything.\n")
            for name, address in (
                ("API", found.api_url),
                ("Kafka", services.kafka),
                ("LDAP", f"{services.ldap.url}  base {services.ldap.base_dn}"),
                ("SCIM", services.scim.url),
                ("more", str(folder / "stack.json")),
            ):
                console.print(f"  {name:<6} {address}", markup=False)
            console.print("\nA token for the API (clients stand in deploy/config/releases.yml):", markup=False)
            console.print(f"  {sys.argv[0]} token --home {folder} e-services\n", markup=False)
            found.stack.wait()
    except KeyboardInterrupt:
        console.print("stopped")


@click.command()
@town_options
@click.option("--keep", is_flag=True, help="Keep the folder, the directory's content too, and say where it is")
@log_level_option("WARNING")
def demo(seed: int, persons: int, units: int, keep: bool, log_level: str) -> None:
    """A synthetic municipality through the whole hub, and what happens to its people."""
    from deploy.demo.play import play

    configure_logging(log_level)
    with _demo_folder(keep) as folder:
        try:
            good = play(folder, seed=seed, persons=persons, units=units, throwaway=not keep)
        except KeyboardInterrupt:
            raise click.Abort from None
    if not good:
        raise click.exceptions.Exit(1)


@contextmanager
def _demo_folder(keep: bool) -> Iterator[Path]:
    from deploy.demo.folder import begin_anew

    given = os.environ.get("KALLAN_HOME")
    if given:
        begin_anew(Path(given))
        yield Path(given)
    elif keep:
        yield Path(tempfile.mkdtemp(prefix="kallan-demo-"))
    else:
        with tempfile.TemporaryDirectory(prefix="kallan-demo-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)


@click.command()
def migrate() -> None:
    """Bring every schema to its newest version and create the topics."""
    from deploy.settings import KafkaSettings, load_settings
    from deploy.wiring.base import migrate_all
    from streams.kafka_topics import create_topics

    settings = load_settings(KafkaSettings)
    configure_logging(settings.log_level)
    migrate_all(settings)
    create_topics(settings.broker, partitions=settings.partitions)


@click.command()
@click.argument("client")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running stack")
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(min=1, max=24 * 60))
def token(client: str, home: Path | None, minutes: int) -> None:
    """An access token from the development issuer of an embedded stack, or of the compose stack's demo profile. CLIENT is
    one of those that releases.yml names."""
    import datetime as dt

    from deploy.embedded import issuer
    from deploy.settings import CONFIG
    from deploy.wiring.data import read_releases

    folder = home_of(home)
    if not any((folder / name).is_file() for name in ("stack.json", "secrets/issuer.key")):
        raise KallanError("service.unavailable", f"no stack runs in {folder}, and no development issuer is there")
    releases = Path(os.environ.get("KALLAN_RELEASES") or CONFIG / "releases.yml")
    if client not in (clients := read_releases(releases).clients):
        click.echo(f"{releases.name} gives no release to {client}; it knows {', '.join(sorted(clients))}", err=True)
    click.echo(issuer.issue(folder, client, dt.timedelta(minutes=minutes)))


def stack_file(home: Path) -> dict[str, dict[str, dict[str, str]]]:
    """stack.json of the running stack. Raises `KallanError("service.unavailable")` where none runs."""
    try:
        data: dict[str, dict[str, dict[str, str]]] = json.loads((home / "stack.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise KallanError("service.unavailable", f"no stack runs in {home}") from None
    return data
