"""`--seed`, `--persons`, `--units`: of the synthetic municipality, for every command that makes one."""

from collections.abc import Callable
from typing import TypeVar

import click

SEED, PERSONS, UNITS = 2026, 500, 40
PERSONS_MOST = 20_000
"""For so many the published test numbers suffice."""

Command = TypeVar("Command", bound=Callable[..., object])


def town_options(command: Command) -> Command:
    options = (
        click.option("--seed", default=SEED, show_default=True, help="The same seed gives the same people"),
        click.option(
            "--persons",
            default=PERSONS,
            show_default=True,
            type=click.IntRange(min=20, max=PERSONS_MOST),
            help="People",
        ),
        click.option(
            "--units", default=UNITS, show_default=True, type=click.IntRange(min=4, max=1000), help="Organisation units"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
