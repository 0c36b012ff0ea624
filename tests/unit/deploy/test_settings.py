"""Settings: what is missing is named, and a placeholder secret stops a process that is not the demo."""

from pathlib import Path

import pytest

from deploy.settings import ExecuteSettings, KafkaSettings, Settings, load_settings, read_secret
from streams.contracts.errors import KallanError


def test_what_is_missing_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KALLAN_DATABASE_URL", "KALLAN_SECRETS", "KALLAN_KAFKA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KallanError) as refused:
        load_settings(KafkaSettings)
    assert refused.value.code == "settings.invalid"
    for name in ("KALLAN_DATABASE_URL", "KALLAN_SECRETS", "KALLAN_KAFKA"):
        assert name in refused.value.detail


def test_a_wrong_value_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KALLAN_DATABASE_URL", "mysql://user:hush-hush@host/db")
    monkeypatch.setenv("KALLAN_SECRETS", str(tmp_path))
    with pytest.raises(KallanError) as refused:
        load_settings(Settings)
    assert "KALLAN_DATABASE_URL" in refused.value.detail
    assert "hush-hush" not in str(refused.value)


@pytest.mark.parametrize("content", [b"changeme" * 8, b"my secret my secret my secret my secret", b"short"])
def test_a_placeholder_or_short_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    with pytest.raises(KallanError, match=r"master\.key"):
        read_secret(path, demo=False)


def test_the_embedded_demo_accepts_a_placeholder_but_never_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"changeme" * 8)
    assert read_secret(path, demo=True) == b"changeme" * 8
    path.write_bytes(b"changeme")
    with pytest.raises(KallanError):
        read_secret(path, demo=True)


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(KallanError, match=r"person\.secret"):
        read_secret(tmp_path / "person.secret", demo=False)


@pytest.mark.parametrize(("name", "value"), [("LOG_LEVEL", "banana"), ("LDAP_DISABLING", "somehow")])
def test_a_word_that_is_none_of_those_that_can_stand_there_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.setenv("KALLAN_DATABASE_URL", "postgresql://user@host/db")
    monkeypatch.setenv("KALLAN_SECRETS", str(tmp_path))
    monkeypatch.setenv("KALLAN_KAFKA", "host:9092")
    monkeypatch.setenv(f"KALLAN_{name}", value)
    with pytest.raises(KallanError, match=f"settings.invalid: KALLAN_{name}"):
        load_settings(ExecuteSettings)


def test_a_password_that_is_no_text_is_refused_without_being_told(tmp_path: Path) -> None:
    (tmp_path / "ldap.password").write_bytes("hemligt lösenord".encode("latin-1"))
    settings = Settings.model_validate({"database_url": "postgresql://u@h/d", "secrets": tmp_path, "demo": True})
    with pytest.raises(KallanError, match=r"ldap\.password") as refused:
        settings.text_secret("ldap.password")
    assert "hemligt" not in str(refused.value)
