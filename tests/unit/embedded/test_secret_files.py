"""Secrets are made once, kept, and readable by their owner alone."""

import stat
import threading
from pathlib import Path

from deploy.embedded import secret_files


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "one"
    assert secret_files.secret(file) == secret_files.secret(file)
    assert len(secret_files.secret(file)) >= 32


def test_two_secrets_are_never_the_same(tmp_path: Path) -> None:
    assert secret_files.secret(tmp_path / "one") != secret_files.secret(tmp_path / "two")


def test_a_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    secret_files.secret(tmp_path / "one")
    secret_files.put(tmp_path / "two", "given")
    for name in ("one", "two"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_key_is_64_hexadecimal_digits(tmp_path: Path) -> None:
    assert len(bytes.fromhex(secret_files.key(tmp_path / "key"))) == 32


def test_a_given_secret_replaces_what_was_there(tmp_path: Path) -> None:
    secret_files.secret(tmp_path / "one")
    secret_files.put(tmp_path / "one", "given")
    assert secret_files.secret(tmp_path / "one") == "given"


def test_many_callers_at_once_get_the_same_secret(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(secret_files.secret(tmp_path / "s"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
