"""The command line as such: every command is there, answers --help, and reading commands take --json."""

import json
from collections.abc import Iterator

import click
import pytest

from deploy.cli import cli, main

READING = (
    *(
        "person show",
        "explain",
        "report",
        "state hash",
        "status",
        "conflicts",
        "dlq list",
        "dlq show",
        "loads list",
        "loads show",
    ),
    *("catalogue", "openapi", "replay"),
)


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")


def test_every_command_that_is_listed_is_there_and_says_what_it_does() -> None:
    found = dict(commands(cli))
    assert set(READING) <= set(found)
    assert all((command.help or "").strip() for command in found.values())


def test_every_reading_command_takes_json() -> None:
    found = dict(commands(cli))
    for name in READING:
        assert any("--json" in parameter.opts for parameter in found[name].params), name


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_catalogue_is_told_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "catalogue", "--json")
    assert code == 0
    assert "mmd.person.v1" in {topic["name"] for topic in json.loads(out)}
    _, english, _ = run(capsys, "catalogue")
    assert "Full state of persons" in english
    assert max(map(len, english.splitlines())) <= 100
    _, swedish, _ = run(capsys, "catalogue", "--sv")
    assert "Personers aktuella tillstånd" in swedish


def test_the_api_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "openapi")
    assert "/v1/persons/search" in json.loads(out)["paths"]


def test_wrong_use_is_two_and_help_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "no-such-command")[0] == 2
    assert run(capsys, "person")[0] == 2
    assert run(capsys, "catalogue", "--yaml")[0] == 2
    assert run(capsys, "catalogue", "--help")[0] == 0
    assert run(capsys, "--version")[0] == 0
