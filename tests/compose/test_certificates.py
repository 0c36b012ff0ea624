"""Certificates: trusted for the names they were made for, kept while they are good, made anew in time."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from deploy.compose.certificates import authority, server_certificate
from deploy.compose.consumers import SERVERS
from tests.compose.conftest import Installation

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def _verify(folder: Path, name: str, host: str, at: dt.datetime) -> None:
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    leaf = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    PolicyBuilder().store(Store([ca])).time(at).build_server_verifier(x509.DNSName(host)).verify(leaf, [])


def _made(folder: Path, at: dt.datetime, *names: str) -> bytes:
    server_certificate(folder, authority(folder, at), "postgres", names or ("postgres",), at)
    return (folder / "postgres.pem").read_bytes()


@pytest.mark.parametrize("name", SERVERS)
def test_each_servers_certificate_is_trusted_for_the_names_it_is_reached_by(
    installation: Installation, name: str
) -> None:
    for host in SERVERS[name]:
        if not host[0].isdigit():
            _verify(installation.authority, name, host, dt.datetime.now(dt.UTC))


def test_a_certificate_is_not_trusted_for_another_name(tmp_path: Path) -> None:
    _made(tmp_path, NOW)
    with pytest.raises(VerificationError):
        _verify(tmp_path, "postgres", "kafka", NOW)


def test_a_good_certificate_is_left_as_it_is(tmp_path: Path) -> None:
    first = _made(tmp_path, NOW)
    assert _made(tmp_path, NOW + dt.timedelta(days=300)) == first


def test_a_certificate_that_soon_ends_is_made_anew_by_the_same_authority(tmp_path: Path) -> None:
    first, ca = _made(tmp_path, NOW), (tmp_path / "ca.pem").read_bytes()
    later = NOW + dt.timedelta(days=350)
    assert _made(tmp_path, later) != first
    assert (tmp_path / "ca.pem").read_bytes() == ca
    _verify(tmp_path, "postgres", "postgres", NOW + dt.timedelta(days=700))


def test_other_names_are_a_reason_for_a_new_certificate(tmp_path: Path) -> None:
    first = _made(tmp_path, NOW)
    assert _made(tmp_path, NOW, "postgres", "database.kommun.test") != first
    _verify(tmp_path, "postgres", "database.kommun.test", NOW)
