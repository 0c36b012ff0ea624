"""Register, releases, forms, policy and scenarios: a bad file is refused with its name and place, never with its content."""

import datetime as dt
from pathlib import Path

import pytest

from deploy.wiring.data import read_policy
from streams.contracts.errors import KallanError
from tests.unit.hostile.case import CANARY, Case
from tests.unit.hostile.data_files import FILES, DataFile, cases

EVERY = [pytest.param(file, case, id=f"{file.name}-{case}") for file in FILES for case in cases(file)]


def refusal(file: DataFile, path: Path) -> KallanError:
    with pytest.raises(KallanError) as refused:
        file.read(path)
    return refused.value


@pytest.mark.parametrize(("file", "case"), EVERY)
def test_a_bad_file_is_refused_with_a_code_and_its_name(file: DataFile, case: Case, tmp_path: Path) -> None:
    path = tmp_path / "given.yml"
    path.write_bytes(case.make())
    error = refusal(file, path)
    assert error.code == case.code
    assert error.detail.startswith("given.yml")
    assert CANARY not in error.detail
    assert "\n" not in error.detail
    assert len(error.detail) < 300


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_a_good_file_is_read(file: DataFile, tmp_path: Path) -> None:
    path = tmp_path / "given.yml"
    path.write_text(file.good, encoding="utf-8")
    file.read(path)


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_a_file_that_cannot_be_opened_is_refused(file: DataFile, tmp_path: Path) -> None:
    loop = tmp_path / "loop.yml"
    loop.symlink_to(loop)
    for path in (tmp_path / "missing.yml", tmp_path, loop):
        error = refusal(file, path)
        assert (error.code, error.detail.partition(":")[0]) == (file.code, path.name)


def test_a_rule_of_the_policy_may_hold_until_the_last_day_there_is(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    good = next(file.good for file in FILES if file.name == "policy")
    path.write_text(good.replace("class: staff", "class: staff\n    valid_to: 9999-12-31", 1), encoding="utf-8")
    assert dt.date.max in read_policy(path).boundaries()
