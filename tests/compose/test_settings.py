"""The settings that containers need: passwords from files, TLS and logins, and the replay on a given server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.cli import main
from deploy.settings import KafkaSettings, Settings
from streams.contracts.errors import KallanError
from streams.kafka_client import settings as client_settings

SCENARIO = Path(__file__).parents[1] / "scenarios" / "s03_mover.yml"
URL = "postgresql://mmd@db.kommun.test:5432/kallan?sslmode=verify-full&sslrootcert=/run/secrets/ca.pem"


def _settings(folder: Path, **more: str) -> Settings:
    (folder / "database.password").write_text("p@ss/w:rd %\n")
    return Settings(database_url=URL, secrets=folder, database_password="database.password", **more)  # type: ignore[arg-type]


def test_a_password_file_completes_the_url_whatever_it_holds(tmp_path: Path) -> None:
    found = _settings(tmp_path).store_url
    assert found == URL.replace("mmd@", "mmd:p%40ss%2Fw%3Ard%20%25@")


def test_keys_have_a_login_of_their_own_where_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.password").write_text("other")
    keys = URL.replace("mmd@", "streams@")
    found = _settings(tmp_path, keys_database_url=keys, keys_database_password="keys.password")
    assert found.keys_url == keys.replace("streams@", "streams:other@")
    assert _settings(tmp_path).keys_url == _settings(tmp_path).store_url


@pytest.mark.parametrize("url", ["postgresql://db/kallan", "postgresql://mmd:already@db/kallan"])
def test_a_password_file_for_a_url_that_has_no_place_for_it_is_refused(tmp_path: Path, url: str) -> None:
    (tmp_path / "database.password").write_text("x")
    with pytest.raises(KallanError) as refused:
        _ = Settings(database_url=url, secrets=tmp_path, database_password="database.password").store_url
    assert refused.value.code == "settings.invalid"
    assert "already" not in str(refused.value)


def test_a_login_at_kafka_means_tls_with_a_checked_certificate(tmp_path: Path) -> None:
    (tmp_path / "kafka.password").write_text("hush\n")
    given = {"database_url": URL, "secrets": tmp_path, "kafka": "kafka:9092", "kafka_ca": "/ca.pem"}
    plain = KafkaSettings.model_validate(given).broker
    assert "security.protocol" not in client_settings(plain)
    broker = KafkaSettings.model_validate(given | {"kafka_user": "relay"}).broker
    found = client_settings(broker)
    assert (found["security.protocol"], found["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (found["sasl.username"], found["sasl.password"], found["ssl.ca.location"]) == ("relay", "hush", "/ca.pem")
    assert "hush" not in repr(broker) + str(broker)


def test_a_replay_runs_in_databases_of_its_own_on_a_given_server(
    new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KALLAN_DATABASE_URL", f"{new_database()}?options=-c%20search_path%3D/unused")
    monkeypatch.setenv("KALLAN_SECRETS", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--given", str(SCENARIO)])
    assert ended.value.code == 0
    assert "1 of 1 scenarios hold" in capsys.readouterr().out


def test_a_replay_through_kafka_refuses_a_given_server(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--given", "--through", "kafka", str(SCENARIO)])
    assert ended.value.code == 2
    assert "--given is for the direct replay" in capsys.readouterr().err
