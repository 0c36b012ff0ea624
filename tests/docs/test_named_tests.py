"""A test that documents name must be run: skipped or missing, it makes the run fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.named import MAKE_TEST

ROOT = Path(__file__).parents[2]
CONFTEST = """
import pytest

from tests.named import NamedTests


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    config.pluginmanager.register(NamedTests({names!r}))
"""
TESTS = """
import pytest


def test_that_passes(): ...


@pytest.mark.skip(reason="no server")
def test_that_is_skipped(): ...


@pytest.mark.parametrize("server", [pytest.param("a", marks=pytest.mark.skip), "b"])
def test_that_is_skipped_for_one_server(server): ...


class TestIn:
    def test_that_passes(self): ...
"""


def run(folder: Path, names: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "given").mkdir()
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = given\n")
    (folder / "given" / "conftest.py").write_text(CONFTEST.format(names=names))
    (folder / "given" / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:kallan", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_named_tests_that_pass_change_nothing(tmp_path: Path) -> None:
    names = ["test_that_passes", "test_that_is_skipped_for_one_server", "TestIn::test_that_passes"]
    done = run(tmp_path, [f"given/test_it.py::{name}" for name in names])
    assert done.returncode == 0, done.stdout
    assert "names, and that were not run" not in done.stdout


@pytest.mark.parametrize(
    ("name", "why"),
    [("given/test_it.py::test_that_is_skipped", "skipped"), ("given/test_it.py::test_that_is_gone", "not collected")],
)
@pytest.mark.parametrize("shared", [(), ("-n", "2")], ids=["alone", "by two processes"])
def test_a_named_test_that_is_skipped_or_gone_makes_the_run_fail(
    tmp_path: Path, name: str, why: str, shared: tuple[str, ...]
) -> None:
    done = run(tmp_path, [name, "given/test_it.py::test_that_passes"], *shared)
    assert done.returncode == 1
    assert f"{name}: {why}" in done.stdout
    assert "test_that_passes:" not in done.stdout


@pytest.mark.parametrize("part", [("-k", "passes"), ("-m", "not slow"), ("given/test_it.py",)], ids=" ".join)
def test_a_part_of_the_tests_may_be_run_without_the_others(tmp_path: Path, part: tuple[str, ...]) -> None:
    done = run(tmp_path, ["given/test_it.py::test_that_is_gone"], *part)
    assert done.returncode == 0, done.stdout


def test_what_make_test_runs_counts_as_everything(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert f'-m pytest -m "{MAKE_TEST}" ' in makefile
    assert run(tmp_path, ["given/test_it.py::test_that_is_gone"], "-m", MAKE_TEST).returncode == 1


def test_a_file_stands_for_what_is_collected_in_it(tmp_path: Path) -> None:
    assert run(tmp_path, ["given/test_it.py"]).returncode == 0
