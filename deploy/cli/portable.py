"""`kallan export` and `kallan import`: everything as JSON Lines, and back into empty stores."""

from pathlib import Path

import click

from deploy.cli.connection import connected, home_option

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@_FILE
@click.option("--sealed", is_flag=True, help="Encrypt each line; opened only where the same data keys are")
@home_option
def export(file: Path, sealed: bool, home: Path | None) -> None:
    """Write claims, conflicts, accounts and names into a new FILE that its owner alone can read. Everything may go on.

    Without --sealed it holds every person in clear, protected ones too: keep it as such.
    """
    from deploy.operations.portable import write_export

    with connected(home) as connection:
        header = write_export(connection.base, connection.master, file, sealed=sealed)
    click.echo(f"{file}: {_counted(header.counts)}; master {header.state}")


@click.command("import")
@_FILE
@home_option
def import_(file: Path, home: Path | None) -> None:
    """Read an export into empty stores, all of it or nothing. The permanent secrets must be those it was written with."""
    from deploy.operations.portable import read_import

    with connected(home) as connection:
        header = read_import(connection.base, connection.master, file)
    click.echo(f"{_counted(header.counts)}; master {header.state}")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {record}" for record, count in counts.items()) or "nothing"
