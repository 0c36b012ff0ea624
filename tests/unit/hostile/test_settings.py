"""Settings and secrets: what is wrong is named by its variable or file, and no value is repeated."""

import os
from pathlib import Path

import pytest

from deploy.settings import ApiSettings, ExecuteSettings, KafkaSettings, Settings, load_settings, read_secret
from streams.contracts.errors import KallanError
from tests.unit.hostile.case import CANARY

GOOD = {
    "KALLAN_DATABASE_URL": "postgresql://u@127.0.0.1/d",
    "KALLAN_KAFKA": "127.0.0.1:9092",
    "KALLAN_JWKS": "jwks.json",
    "KALLAN_ISSUER": "https://issuer.test",
}


@pytest.fixture(autouse=True)
def _good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("KALLAN_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KALLAN_SECRETS", str(tmp_path))


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Settings, "KALLAN_DATABASE_URL", f"mysql://{CANARY}@host/db"),
        (Settings, "KALLAN_DATABASE_URL", CANARY),
        (Settings, "KALLAN_KEYS_DATABASE_URL", f"postgres:{CANARY}"),
        (Settings, "KALLAN_DEMO", CANARY),
        (KafkaSettings, "KALLAN_PARTITIONS", "0"),
        (KafkaSettings, "KALLAN_PARTITIONS", CANARY),
        (KafkaSettings, "KALLAN_PARTITIONS", "9" * 5000),
        (ExecuteSettings, "KALLAN_EXECUTE_THREADS", "1"),
        (ApiSettings, "KALLAN_API_PORT", "65536"),
        (ApiSettings, "KALLAN_API_PORT", f"80{CANARY}"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable_and_not_repeated(
    kind: type[Settings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(KallanError) as refused:
        load_settings(kind)
    assert refused.value.code == "settings.invalid"
    assert name in refused.value.detail
    assert CANARY not in str(refused.value)
    assert "9" * 100 not in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 31, b"ab" * 16, "å".encode("latin-1") * 40, b"zz" * 32, b"00" * 31, b"0" * 65]
)
def test_a_master_key_of_the_wrong_form_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "master.key").write_bytes(content)
    with pytest.raises(KallanError, match=r"settings\.invalid.*master\.key"):
        _ = load_settings(Settings).master_key


@pytest.mark.parametrize("name", ["missing", "folder", "loop", "folder/below"])
def test_a_secret_that_cannot_be_read_is_named_without_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(KallanError, match=r"settings\.invalid") as refused:
        read_secret(tmp_path / name, demo=True)
    assert str(tmp_path) not in str(refused.value)


def test_a_password_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ldap.password").write_bytes(b"\xff\xfe" + b"x" * 40)
    with pytest.raises(KallanError, match=r"settings\.invalid.*ldap\.password"):
        load_settings(Settings).text_secret("ldap.password")


@pytest.mark.parametrize("name", ["kallan.env", "missing.env", ""])
def test_a_settings_file_that_is_no_text_or_not_there_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kallan.env").write_bytes(b"KALLAN_DEMO=\xff\n")
    monkeypatch.setenv("KALLAN_SETTINGS", str(tmp_path / name))
    with pytest.raises(KallanError, match=r"settings\.invalid"):
        load_settings(Settings)
