"""The script for machines without a registry: what it says when something fails, and when a container is well."""

import time
from pathlib import Path

import pytest

from deploy.compose.local.images import _copied
from deploy.compose.local.steps import run
from deploy.compose.local.trial import _until, _wrong
from streams.contracts.errors import Unavailable


def test_a_failing_command_is_told_with_its_last_lines() -> None:
    with pytest.raises(Unavailable, match=r"exit 3\nwhat went wrong"):
        run(["bash", "-c", "echo what went wrong >&2; exit 3"])


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(Unavailable, match="no-such-program is not installed"):
        run(["no-such-program"])


def test_a_command_without_end_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match="no end"):
        run(["sleep", "60"], timeout=0.2)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("state", "health", "code", "wrong"),
    [
        ("running", "healthy", 0, ""),
        ("running", "starting", 0, "starting"),
        ("running", "unhealthy", 0, "unhealthy"),
        ("running", "", 0, "running"),
        ("restarting", "", 1, "restarting"),
        ("exited", "", 0, ""),
        ("exited", "", 1, "ended with 1"),
    ],
)
def test_a_container_is_well_when_it_is_healthy_or_has_ended_without_error(
    state: str, health: str, code: int, wrong: str
) -> None:
    assert _wrong({"State": state, "Health": health, "ExitCode": code}) == wrong


def test_what_does_not_become_well_in_time_is_named() -> None:
    with pytest.raises(Unavailable, match="relay: unhealthy"):
        _until(lambda: "relay: unhealthy", 0.0)


def test_a_folder_for_a_build_holds_the_same_files_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.whl").write_bytes(b"a")
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "old.whl").write_bytes(b"old")
    _copied(tmp_path / "kept", tmp_path / "context")
    assert {path.name: path.read_bytes() for path in (tmp_path / "context").iterdir()} == {"a.whl": b"a"}
