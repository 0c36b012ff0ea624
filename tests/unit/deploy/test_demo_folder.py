"""A demo begins in an empty folder, and never removes what no demo has made."""

import os
from pathlib import Path

import pytest

from deploy.demo.folder import begin_anew, take_over
from deploy.embedded.folder_lock import FolderLock
from streams.contracts.errors import KallanError


def fill(folder: Path) -> None:
    (folder / "kafka" / "data").mkdir(parents=True)
    (folder / "kafka" / "data" / "log").write_text("x")
    (folder / "jwks.json").write_text("{}")


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_what_an_earlier_demo_left_is_removed(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    begin_anew(home)
    fill(home)
    (home / "away").symlink_to(tmp_path)
    begin_anew(home)
    assert visible(home) == set()
    assert tmp_path.exists(), "links are removed, not what they lead to"


@pytest.mark.parametrize("taken_over", [True, False])
def test_what_no_demo_made_is_refused_and_stays(tmp_path: Path, taken_over: bool) -> None:
    if taken_over:
        begin_anew(tmp_path)
        take_over(tmp_path)
    fill(tmp_path)
    with pytest.raises(KallanError, match=r"stack\.in-use.*no demo made") as refused:
        begin_anew(tmp_path)
    assert refused.value.code == "stack.in-use"
    assert visible(tmp_path) == {"kafka", "jwks.json"}
    assert (tmp_path / "kafka" / "data" / "log").read_text() == "x"


def test_the_folder_of_a_demo_that_runs_is_left_alone(tmp_path: Path) -> None:
    begin_anew(tmp_path)
    fill(tmp_path)
    lock = FolderLock(tmp_path)
    try:
        with pytest.raises(KallanError, match=rf"stack\.in-use.*{os.getpid()}"):
            begin_anew(tmp_path)
    finally:
        lock.release()
    assert visible(tmp_path) == {"kafka", "jwks.json"}
