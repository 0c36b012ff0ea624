"""The documentation keeps to what is there: commands, and two languages that say the same."""

import re
import shlex
import subprocess

import click
import pytest

from deploy.cli import cli
from tests.docs.reading import DOCUMENTS, READMES, ROOT, block_with, inline_commands, lines, linked, text_of

RULINGS = {"merge", "split", "protection", "undo-death"}
RUN_ELSEWHERE = {
    "make demo": ("tests/stack/test_stops.py", "test_the_demo_ends_well_with_its_last_screen"),
    "make up": ("tests/docs/test_commands.py", '".venv/bin/kallan", "up"'),
    "make test": (".ci/run", "\nmake test\n"),
    "make check": (".ci/run", "\nmake check\n"),
    "make mutations": (".ci/run", "\nmake mutations\n"),
    "make kills": (".ci/run", "\nmake kills\n"),
    "make compose-local": (".ci/run", "\nmake compose-local\n"),
    "docker compose up": ("deploy/compose/local/trial.py", 'project.up("demo")'),
    "COMPOSE_PROFILES= docker compose up": ("deploy/compose/local/trial.py", 'project.up("")'),
    **dict.fromkeys(
        (
            line
            for line in lines("docs/compose.md")
            if line.startswith("docker compose ") and line != "docker compose up"
        ),
        ("deploy/compose/local/trial.py", "_documented(project, Path(folder))"),
    ),
    "make bench": ("docs/performance.md", "`make bench` (full), 2026-11-22 20:42 UTC"),
    "kallan bench --only scaling --quick": ("docs/performance.md", "| 24 x 4 | 1,421"),
    ".venv/bin/kallan bench --quick": ("docs/performance.md", "| quick 07:47 |"),
    ".venv/bin/kallan bench --quick --output quick.json": (
        "docs/performance.md",
        "| quick 09:13, `--output quick.json` |",
    ),
    "kallan loads list": ("tests/integration/cli/test_loading.py", 'kallan("loads", "list")'),
    "kallan reorganisation list": ("tests/integration/cli/test_reorganisation.py", 'kallan("reorganisation", "list")'),
    "kallan reorganisation check": (
        "tests/integration/cli/test_reorganisation.py",
        'kallan("reorganisation", "check")',
    ),
    "kallan dlq list": ("tests/integration/cli/test_loading.py", 'kallan("dlq", "list")'),
    **dict.fromkeys(
        ("kallan status", "kallan status --json"),
        ("tests/integration/operations/test_live.py", 'STATUS = "kallan status --json"'),
    ),
    **dict.fromkeys(
        (
            line
            for line in lines("docs/operations.md")
            if line.split()[1:2] in (["merge"], ["split"], ["protection"], ["undo-death"])
        ),
        ("tests/docs/test_commands.py", 'block_with("docs/operations.md", words)'),
    ),
    **dict.fromkeys(
        (line for line in lines("docs/operations.md") if line.split()[1:2] == ["return"]),
        ("tests/integration/cli/test_return.py", 'block_with("docs/operations.md", "kallan return")'),
    ),
    **dict.fromkeys(
        (
            'kallan backup "$BACKUP" --keys "$KEYS"',
            'kallan restore "$BACKUP" --keys "$KEYS"',
            "kallan restore --finish",
            "kallan offsets rewind --to 2026-01-01T06:00:00",
        ),
        ("tests/integration/operations/test_backup.py", "as_typed(life, RESTORE, **places(backup))"),
    ),
    **dict.fromkeys(
        (
            'kallan rebuild "$DATABASE"',
            'kallan rebuild "$DATABASE" --accept',
            'kallan export "$EXPORT"',
            'kallan import "$EXPORT"',
            'kallan erase "$PERSON_ID" --decision "$DECISION" --asked-by "$ASKED_BY" --approved-by "$APPROVED_BY"',
        ),
        ("tests/integration/operations/test_rebuild_live.py", "as_typed(life, ACCEPT, DATABASE=name)"),
    ),
}
"""Commands that are no console block of `test_commands.py`: the file that runs them, or that tells when they were run and
what came of it; and the words that do."""
RUN_WHOLE = {"docs/compose.md": ("deploy/compose/local/trial.py", '(ROOT / "docs" / "compose.md").read_text(')}
"""Pages whose lines are taken from them and run, but those that bring up what they run in: by what, by which words."""
OF_DEVELOPERS = {"make generated", "make format", "make lock", "make fuzz", "make laws"}
"""Targets that pages name in passing: they change the tree, or want the machine to themselves."""
MAKE_RUNS = {"make demo": "kallan demo", "make up": "kallan up", "make test": 'python -m pytest -m "not kills" '}


def test_both_readmes_have_the_same_commands() -> None:
    english, swedish = READMES
    assert lines(english) == lines(swedish)
    spoken = inline_commands(swedish) - inline_commands(english)
    assert spoken <= {"kallan explain"}  # which answers in Swedish
    assert inline_commands(english) <= inline_commands(swedish)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_is_run_by_a_test_or_by_ci_or_was_recorded(document: str) -> None:
    run_here = _blocks_run(text_of("tests/docs/test_commands.py"))
    for line in lines(document):
        assert document in RUN_WHOLE or line in RUN_ELSEWHERE or line in run_here, line
    for command in inline_commands(document):
        if command.startswith("make "):
            assert command in RUN_ELSEWHERE or command in OF_DEVELOPERS, command


def test_what_runs_commands_elsewhere_is_there() -> None:
    for file, words in (*RUN_ELSEWHERE.values(), *RUN_WHOLE.values()):
        assert words in f"{text_of(file)}\n", file


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_stand_in_console_blocks(document: str) -> None:
    """Where they are found by the tests above."""
    assert not re.findall(
        r"^```(?:sh|bash|shell)?\n(?:\S*(?:make|kallan|python|docker|curl) )", text_of(document), re.MULTILINE
    )


def _blocks_run(code: str) -> list[str]:
    """Lines of the blocks that `test_commands.py` picks by words of theirs."""
    picked = [line.split('"')[1] for line in code.splitlines() if line.startswith(("FEED", "LOOK", "ASK", "REPLAY"))]
    return [line for words in picked for line in block_with("README.md", words).splitlines()]


@pytest.mark.parametrize("readme", READMES)
def test_every_page_is_found_from_the_readme(readme: str) -> None:
    found, todo = {readme}, [readme]
    while todo:
        here = todo.pop()
        new = {name for name in linked(here) if name in DOCUMENTS} - found
        found |= new
        todo += new
    assert {name for name in DOCUMENTS if name.startswith("docs/")} - found == set()


@pytest.mark.parametrize(("target", "runs"), list(MAKE_RUNS.items()))
def test_make_runs_what_the_tests_run(target: str, runs: str) -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", target.split()[1]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert runs in told.stdout


def written_commands() -> list[str]:
    found = {line for name in DOCUMENTS for line in lines(name) if "kallan" in line}
    return sorted(found | {one for name in DOCUMENTS for one in inline_commands(name) if "kallan" in one})


@pytest.mark.parametrize("line", written_commands())
def test_every_kallan_command_that_is_written_is_there_with_its_options(line: str) -> None:
    words = shlex.split(line.replace("$(", " ").replace(")", " ").partition("<")[0])
    start = next((n for n, word in enumerate(words) if word.endswith("kallan")), None)
    if start is None:
        assert line.startswith(("curl ", "docker compose "))
        return
    command: click.Command = cli
    for word in words[start + 1 :]:
        if isinstance(command, click.Group) and not word.startswith("-"):
            inner = command.get_command(click.Context(command), word)
            assert inner is not None, word
            command = inner
        elif word.startswith("--") and word != "--help":
            assert any(word in parameter.opts for parameter in command.params), word
