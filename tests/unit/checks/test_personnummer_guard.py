"""The guard finds what it must and leaves alone what is no personnummer."""

import datetime as dt
import subprocess
from pathlib import Path

import pytest

from deploy.checks.personnummer import find
from streams.contracts.identifiers import luhn_digit
from streams.contracts.testnumbers import test_coordination_number, test_number

PUBLISHED = test_number(dt.date(1984, 2, 29), "male")
NINE = "840229" + "240"
OTHER = "19" + NINE + str(luhn_digit(NINE))  # computed: valid, and not a published test number
COORDINATION = test_coordination_number(dt.date(1984, 2, 29), "male")


def _found(root: Path, text: str, name: str = "notes.txt") -> list[str]:
    (root / name).write_text(text, encoding="utf-8")
    return find(root)


@pytest.mark.parametrize(
    "text",
    [
        OTHER,
        OTHER[:8] + "-" + OTHER[8:],
        OTHER[2:],
        OTHER[2:8] + "-" + OTHER[8:],
        OTHER[2:8] + "+" + OTHER[8:],
        f"<PersonNr>{OTHER}</PersonNr>",
        f"pnr{OTHER}",
        f'{{"personNumber":"{OTHER}"}}',
        COORDINATION,
    ],
)
def test_a_number_that_is_not_published_is_found_in_any_form(tmp_path: Path, text: str) -> None:
    found = _found(tmp_path, f"first line\n{text}\n")
    assert len(found) == 1
    assert found[0].startswith("notes.txt:2:")
    assert OTHER[2:8] not in found[0]


@pytest.mark.parametrize("text", [PUBLISHED, PUBLISHED[2:8] + "-" + PUBLISHED[8:], PUBLISHED[2:]])
def test_published_test_numbers_pass(tmp_path: Path, text: str) -> None:
    assert _found(tmp_path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "a" * 20 + OTHER + "b" * 20,
        f"0a1b2c3d-0a1b-0a1b-0a1b-{OTHER}",
        "1" + OTHER,
        OTHER + "00",
        "0." + OTHER[2:],
        OTHER[:-1] + str((int(OTHER[-1]) + 1) % 10),
    ],
)
def test_hashes_uuids_longer_runs_and_decimals_are_left_alone(tmp_path: Path, text: str) -> None:
    assert _found(tmp_path, text) == []


def test_a_file_name_is_searched_and_not_repeated(tmp_path: Path) -> None:
    found = _found(tmp_path, "nothing", name=f"{OTHER}.txt")
    assert len(found) == 1
    assert OTHER not in found[0]


def test_ignored_files_of_a_repository_are_not_searched_but_new_ones_are(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("kept.txt\n")
    assert _found(tmp_path, OTHER, name="kept.txt") == []
    assert len(_found(tmp_path, OTHER, name="new.txt")) == 1


def test_this_repository_holds_published_test_numbers_only() -> None:
    assert find(Path(__file__).parents[3]) == []
