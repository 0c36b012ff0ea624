"""What commands share: how a person is named, how a time is given, how an answer is printed."""

import datetime as dt
import getpass
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click
import msgspec

from deploy.readings import Readings
from streams.contracts.errors import Rejected
from streams.contracts.time import STOCKHOLM

_NUMBER = re.compile(r"[0-9]{6,8}[-+]?(?:[0-9]{4}|TF[0-9]{2}|[TRSUWXJKLMN][0-9]{3})")

Command = TypeVar("Command", bound=Callable[..., object])

ROW_ID = click.IntRange(min=1, max=2**63 - 1)
"""What a row of a table can be called."""


def json_option(command: Command) -> Command:
    """`--json`, which every reading command takes."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON")(command)


def limit_option(command: Command) -> Command:
    """`--limit`, for lists that may be long."""
    most = click.IntRange(min=1, max=100_000)
    return click.option("--limit", default=1000, show_default=True, type=most, help="The newest so many")(command)


def print_json(answer: Any) -> None:
    """One JSON value, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


class Time(click.ParamType):
    """A time in ISO form; without a time zone it is Swedish local time. A date alone is its first instant. Gives UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        try:
            found = dt.datetime.fromisoformat(str(value))
            return (found if found.tzinfo else found.replace(tzinfo=STOCKHOLM)).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            self.fail("not a time; write 2026-09-01 or 2026-09-01T08:00:00", param, ctx)


class Day(click.ParamType):
    """A date in ISO form."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail("not a date; write 2026-09-01", param, ctx)


def person_asked_for(readings: Readings, given: str) -> str | None:
    """The id of the person that was asked for; `-`: whose number stands on standard input (of a TF or interim number with
    its issuer, a space between). None: no such person.

    Raises `click.UsageError` for a personnummer on the command line (where other users and the shell's history see it),
    without repeating it, and `Rejected` for a number that is none.
    """
    if given == "-":
        return readings.person_id(_number())
    if _NUMBER.fullmatch(given):
        raise click.UsageError("A personnummer is read from standard input only: give - in place of the id.")
    try:
        return str(UUID(given))
    except ValueError:
        raise Rejected("input.invalid", "a person id is a UUID; give - to be asked for a personnummer") from None


def owner_asked_for(readings: Readings, given: str) -> str:
    """As `person_asked_for`, whether anybody is known by it or not: the id, or the subject of the number."""
    return readings.subject(_number()) if given == "-" else person_asked_for(readings, given) or given


def _number() -> str:
    """From what stands on standard input, or the stream that `deploy.cli.main` was given in its place."""
    stream = click.get_current_context().find_root().obj or sys.stdin
    if stream.isatty():
        return getpass.getpass("Personnummer (twelve digits): ", stream=sys.stderr).strip()
    return str(stream.readline()).strip()


def no_such_person() -> click.exceptions.Exit:
    """Says so; to be raised."""
    click.echo("resource.unknown: no such person for this reader", err=True)
    return click.exceptions.Exit(1)


def by_option(command: Command) -> Command:
    """`--by`: who decides; the login name where it is not given. Never empty: what is decided is somebody's."""
    return click.option(
        "--by", "who", default=_login, callback=_named, help="Who decides this (default: your login name)"
    )(command)


def _named(_context: click.Context, _parameter: click.Parameter, who: str) -> str:
    if not who.strip():
        raise click.UsageError("Nobody is named who decides this: give --by NAME.")
    return who.strip()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
