"""Servers named in the settings are used in place of embedded ones."""

from pathlib import Path

import pytest

from deploy.embedded.given import Given
from deploy.embedded.ldap import Directory
from deploy.embedded.scim import Scim
from streams.contracts.errors import KallanError


def test_without_settings_nothing_is_given() -> None:
    assert Given.from_environment({}) == Given()
    assert Given().entries() == {}


def test_what_the_settings_name_is_given_and_listed(tmp_path: Path) -> None:
    (tmp_path / "ldap.password").write_text("one\n")
    (tmp_path / "scim.token").write_text("two\n")
    given = Given.from_environment(
        {
            "KALLAN_DATABASE_URL": "postgresql://db/kallan",
            "KALLAN_KAFKA": "broker:9092",
            "KALLAN_LDAP_URL": "ldaps://katalog",
            "KALLAN_LDAP_BIND_DN": "cn=kallan",
            "KALLAN_LDAP_BASE_DN": "dc=kommun",
            "KALLAN_SCIM_URL": "https://scim/v2",
            "KALLAN_SECRETS": str(tmp_path),
        }
    )
    directory = Directory("ldaps://katalog", "cn=kallan", "one", "dc=kommun")
    assert given == Given("postgresql://db/kallan", "broker:9092", directory, Scim("https://scim/v2", "two"))
    assert set(given.entries()) == {"postgres", "kafka", "ldap", "scim"}
    assert all("pid" not in entry for entry in given.entries().values())


@pytest.mark.parametrize(
    ("variable", "file"), [("KALLAN_LDAP_URL", "ldap.password"), ("KALLAN_SCIM_URL", "scim.token")]
)
def test_a_server_without_its_secret_file_is_refused_by_the_files_name(variable: str, file: str) -> None:
    with pytest.raises(KallanError, match=file):
        Given.from_environment({variable: "x://y"})
