"""`--log-level`, for commands that are a process with a log of its own."""

from collections.abc import Callable
from typing import TypeVar

import click

from deploy.settings import LOG_LEVELS

Command = TypeVar("Command", bound=Callable[..., object])


def log_level_option(default: str) -> Callable[[Command], Command]:
    levels = click.Choice(LOG_LEVELS, case_sensitive=False)
    return click.option("--log-level", type=levels, default=default, show_default=True, help="What is told in the log")
