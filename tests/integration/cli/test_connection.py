"""How a command finds the system: a folder, a running stack, settings; and what it says where there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.cli.connection import settings_of

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Kallan, Town

UNUSED_PID = 2**22 + 1


def stack_json(home: Path, url: str = "postgresql://kallan@127.0.0.1:9/kallan", pid: int | None = None) -> None:
    home.mkdir(parents=True, exist_ok=True)
    services = {
        "kafka": {"address": "127.0.0.1:9", "pid": pid or os.getpid()},
        "postgres": {"url": url},
        "ldap": {"url": "ldap://127.0.0.1:9", "bind_dn": "cn=us", "password": "x", "base_dn": "dc=kommun,dc=test"},
        "scim": {"url": "http://127.0.0.1:9", "token": "x"},
    }
    (home / "stack.json").write_text(json.dumps({"services": services, "workers": {}}))


def test_nothing_runs(kallan: Kallan) -> None:
    for command in (("state", "hash"), ("conflicts",), ("dlq", "list"), ("loads", "list"), ("explain", "-")):
        ran = kallan(*command)
        assert (ran.code, ran.err.split(":")[0]) == (1, "service.unavailable")
        assert "kallan up" in ran.err


def test_a_folder_without_a_stack(kallan: Kallan, tmp_path: Path) -> None:
    ran = kallan("state", "hash", "--home", str(tmp_path / "empty"))
    assert (ran.code, ran.err.split(":")[0]) == (1, "service.unavailable")
    assert str(tmp_path / "empty") in ran.err


def test_a_stack_that_was_killed_is_told_as_such(kallan: Kallan, tmp_path: Path) -> None:
    stack_json(tmp_path / "home", pid=UNUSED_PID)
    ran = kallan("state", "hash", "--home", str(tmp_path / "home"))
    assert ran.code == 1
    assert "has ended" in ran.err


def test_a_database_that_does_not_answer_is_named(kallan: Kallan, tmp_path: Path) -> None:
    stack_json(tmp_path / "home")
    ran = kallan("state", "hash", "--home", str(tmp_path / "home"))
    assert (ran.code, ran.err.split(":")[0]) == (1, "service.unavailable")
    assert "PostgreSQL at 127.0.0.1:9" in ran.err


def test_a_database_without_tables_says_what_to_do(
    kallan: Kallan, postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KALLAN_DATABASE_URL", postgres_url)
    monkeypatch.setenv("KALLAN_SECRETS", str(tmp_path))
    monkeypatch.setenv("KALLAN_KAFKA", "127.0.0.1:9")
    ran = kallan("state", "hash")
    assert ran.code == 1
    assert "kallan migrate" in ran.err


def test_settings_that_are_wrong_are_named_without_their_value(kallan: Kallan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALLAN_DATABASE_URL", "mysql://hemligt")
    ran = kallan("state", "hash")
    assert (ran.code, ran.err.split(":")[0]) == (1, "settings.invalid")
    assert "KALLAN_DATABASE_URL" in ran.err
    assert "hemligt" not in ran.err


def test_a_running_stack_is_found_by_option_by_variable_and_in_the_folder(
    town: Town, kallan: Kallan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = town.world.base.settings
    expected = kallan("state", "hash").out
    monkeypatch.delenv("KALLAN_DATABASE_URL")
    for home in (tmp_path / "there", tmp_path / ".kallan"):
        stack_json(home, settings.database_url)
        (home / "secrets").symlink_to(settings.secrets)
    assert kallan("state", "hash", "--home", str(tmp_path / "there")).out == expected
    assert kallan("state", "hash").out == expected
    monkeypatch.setenv("KALLAN_HOME", str(tmp_path / "there"))
    assert kallan("state", "hash").out == expected


def test_a_folder_that_is_named_goes_before_settings(
    kallan: Kallan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KALLAN_DATABASE_URL", "postgresql://elsewhere/kallan")
    stack_json(tmp_path / "home")
    assert "127.0.0.1" in settings_of(tmp_path / "home")["database_url"]
    assert settings_of(None) == {}
