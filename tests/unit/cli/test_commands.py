"""The command line as such: every command is there, answers --help, and reading commands take --json."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from deploy.cli import cli, main
from deploy.cli.town_options import PERSONS_MOST, SEED, UNITS
from deploy.municipality.generate import generate

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
        "protection list",
        "protection report",
        "reorganisation list",
        "reorganisation verify",
        "reorganisation check",
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up", "--log-level", "banana"), "'debug', 'info', 'warning', 'error'"),
        (("replay", "--log-level", "banana", __file__), "'debug', 'info', 'warning', 'error'"),
        (("municipality", "town", "--persons", "20001"), "20001 is not in the range"),
        (("demo", "--persons", "20001"), "20001 is not in the range"),
        (("load", "payroll", __file__), "there are navet, hr, organisation"),
        (("replay", __file__), "scenario.invalid"),
    ],
)
def test_what_cannot_be_is_wrong_use_and_told_with_what_can(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_a_token_for_a_client_without_a_release_is_told_as_such(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stack.json").write_text("{}")
    for client, told in (("nobody", "gives no release to nobody; it knows attendance, e-services"), ("e-services", "")):
        code, out, err = run(capsys, "token", client, "--home", str(tmp_path))
        assert (code, out.count(".")) == (0, 2)
        assert told in err
        assert bool(told) is bool(err)


def test_for_as_many_persons_as_can_be_asked_for_there_are_test_numbers(tmp_path: Path) -> None:
    assert generate(tmp_path, SEED, PERSONS_MOST, UNITS).persons == PERSONS_MOST
