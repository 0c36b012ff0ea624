"""Secrets: made once, kept, and each container has what it needs and nothing else."""

import base64
import datetime as dt
import hashlib
from pathlib import Path

import pytest

from deploy.compose.consumers import CONSUMERS, Consumer
from deploy.compose.secrets import hand_out, make, scram
from deploy.settings import read_secret
from tests.compose.conftest import Installation

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda one: one.name)
def test_a_container_finds_its_files_and_no_others_readable_by_its_user_alone(
    installation: Installation, consumer: Consumer
) -> None:
    folder = installation.out / consumer.name
    assert {path.name for path in folder.iterdir()} == set(consumer.files)
    assert folder.stat().st_mode & 0o777 == 0o500
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o400}


def test_doing_it_again_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path / "authority", NOW)
    assert hand_out(tmp_path / "authority", tmp_path / "out")
    before = _contents(tmp_path)
    make(tmp_path / "authority", NOW)
    assert hand_out(tmp_path / "authority", tmp_path / "out") == []
    assert _contents(tmp_path) == before


def test_the_authoritys_key_and_the_administrators_password_reach_no_server_and_no_worker(
    installation: Installation,
) -> None:
    given = {name: content for name, content in _contents(installation.out).items() if not name.startswith("prepare/")}
    for secret in ("ca.key", "kafka-admin.password", "database-migrator.password"):
        assert (installation.authority / secret).read_bytes() not in given.values()


@pytest.mark.parametrize(
    ("secret", "holders"),
    [
        ("subject.secret", {"api", "load", "operator"}),
        ("person.secret", {"ingest-urgent", "ingest-bulk", "api", "operator"}),
        ("account.secret", {"evaluate-urgent", "evaluate-bulk", "operator"}),
        ("scim.token", {"scim", "execute", "operator"}),
        ("ldap.password", {"openldap", "execute", "operator"}),
        ("postgres.password", {"postgres", "prepare"}),
    ],
)
def test_a_secret_is_where_it_is_used_and_nowhere_else(
    installation: Installation, secret: str, holders: set[str]
) -> None:
    content = (installation.authority / secret).read_bytes()
    assert {name.partition("/")[0] for name, one in _contents(installation.out).items() if one == content} == holders


def test_a_password_that_the_organisation_put_there_is_kept_and_handed_out(tmp_path: Path) -> None:
    (tmp_path / "authority").mkdir()
    (tmp_path / "authority" / "scim.token").write_text("decided-elsewhere")
    make(tmp_path / "authority", NOW)
    hand_out(tmp_path / "authority", tmp_path / "out")
    assert (tmp_path / "out" / "execute" / "scim.token").read_text() == "decided-elsewhere"


def test_a_file_that_a_container_no_longer_needs_is_taken_back(tmp_path: Path) -> None:
    make(tmp_path / "authority", NOW)
    (tmp_path / "out" / "relay").mkdir(parents=True)
    (tmp_path / "out" / "relay" / "subject.secret").write_text("x")
    assert "relay" in hand_out(tmp_path / "authority", tmp_path / "out")
    assert not (tmp_path / "out" / "relay" / "subject.secret").exists()


def test_every_secret_is_accepted_by_a_process_that_is_not_the_demo(installation: Installation) -> None:
    for consumer in CONSUMERS:
        for name in consumer.files:
            if name.endswith((".secret", ".password", ".token", "master.key")):
                assert read_secret(installation.out / consumer.name / name, demo=False)


def test_the_brokers_copy_of_the_administrators_login_is_salted() -> None:
    told = scram("admin", "correct horse")
    assert "correct horse" not in told
    parts = dict(part.split("=", 1) for part in told.partition("=[")[2].rstrip("]").split(","))
    salted = hashlib.pbkdf2_hmac("sha512", b"correct horse", base64.b64decode(parts["salt"]), int(parts["iterations"]))
    assert base64.b64decode(parts["saltedpassword"]) == salted
    assert parts["name"] == "admin"
