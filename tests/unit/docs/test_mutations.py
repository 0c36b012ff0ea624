"""Mutations are run in a copy, and what comes of them is told apart: noticed, not noticed, not run."""

import os
from pathlib import Path

import pytest

from deploy.checks.mutations import Copy, outcomes
from deploy.docs.traces import Mutation, Outcome

CODE = "def half(number: int) -> float:\n    return number / 2\n"
TESTS = """
import pytest

from half import half


def test_it_halves() -> None:
    assert half(4) == 2


def test_it_takes_a_number() -> None:
    assert half(0) == 0


@pytest.mark.skip(reason="not here")
def test_it_is_skipped() -> None: ...


@pytest.fixture
def nothing() -> None:
    raise RuntimeError


def test_that_cannot_begin(nothing: None) -> None: ...
"""


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "half.py").write_text(CODE)
    (tree / "test_half.py").write_text(TESTS)
    (tree / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")
    return Copy(tree, tmp_path / "copy", os.environ)


def mutation(after: str, test: str = "test_half.py::test_it_halves", before: str = "number / 2") -> Mutation:
    return Mutation("half.py", before, after, test, "x")


def test_each_mutation_is_told_by_what_its_test_makes_of_it(copy: Copy) -> None:
    given = {
        "noticed": mutation("number / 3"),
        "not noticed": mutation("number / 3", "test_half.py::test_it_takes_a_number"),
        "not run": mutation("number /"),
    }
    assert {name: outcome for name, outcome, _ in outcomes(copy, given)} == {
        "noticed": Outcome.RED,
        "not noticed": Outcome.GREEN,
        "not run": Outcome.BROKEN,
    }
    assert (copy.folder / "half.py").read_text() == CODE


@pytest.mark.parametrize("test", ["test_it_is_skipped", "test_that_cannot_begin", "test_that_is_not_there"])
def test_a_test_that_does_not_pass_as_it_is_shows_nothing(copy: Copy, test: str) -> None:
    with pytest.raises(RuntimeError, match="do not pass"):
        list(outcomes(copy, {"x": mutation("number / 3", f"test_half.py::{test}")}))


@pytest.mark.parametrize("before", ["number / 5", "number"])
def test_what_does_not_occur_exactly_once_is_not_changed(copy: Copy, before: str) -> None:
    with pytest.raises(ValueError, match="exactly once"), copy.mutated(mutation("x", before=before)):
        raise AssertionError
    assert (copy.folder / "half.py").read_text() == CODE
