"""Tokens of the demo's issuer are good for the API's own check, and for nothing else."""

import datetime as dt
import json
import stat
from pathlib import Path

import pytest

from deploy.embedded.issuer import AUDIENCE, ISSUER, issue, jwks
from mmd.api.tokens import Verifier
from streams.contracts.errors import Rejected


def test_the_api_knows_the_client_of_a_token(tmp_path: Path) -> None:
    assert Verifier(jwks(tmp_path), ISSUER, AUDIENCE).client_of(issue(tmp_path, "forskola")) == "forskola"


def test_a_token_that_is_over_is_refused(tmp_path: Path) -> None:
    token = issue(tmp_path, "forskola", dt.timedelta(seconds=-60))
    with pytest.raises(Rejected, match=r"access\.unauthenticated"):
        Verifier(jwks(tmp_path), ISSUER, AUDIENCE).client_of(token)


def test_a_token_of_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"access\.unauthenticated"):
        Verifier(jwks(tmp_path / "a"), ISSUER, AUDIENCE).client_of(issue(tmp_path / "b", "forskola"))


def test_the_key_stays_the_same_and_its_private_part_stays_in_the_secret_file(tmp_path: Path) -> None:
    first = jwks(tmp_path).read_text()
    issue(tmp_path, "forskola")
    assert jwks(tmp_path).read_text() == first
    assert "d" not in json.loads(first)["keys"][0]
    assert stat.S_IMODE((tmp_path / "secrets" / "issuer.key").stat().st_mode) == 0o600
