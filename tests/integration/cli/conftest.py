"""A small town in the direct world, and the command line as a user types it."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.cli import main
from streams.clock_row import set_clock
from streams.contracts.testnumbers import test_number as published_number

if TYPE_CHECKING:
    from deploy.replay.direct import DirectWorld

NOW = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)
ANNA = published_number(dt.date(1985, 3, 2), "female")
BO = published_number(dt.date(1990, 5, 17), "male")
STRANGER = published_number(dt.date(1991, 5, 17), "male")
SECRET_NAME, SECRET_STREET, AGREED = "Skymningsdal", "Kanarielyckan 17", "Medarbetare B"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Kallan = Callable[..., Ran]


@pytest.fixture
def kallan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kallan:
    """Runs `kallan ...` in this process, in an empty folder; `stdin` is what stands on standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)  # whatever process was played before in this one
    for name in ("KALLAN_HOME", "KALLAN_SETTINGS", "KALLAN_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, stdin: str = "") -> Ran:
        capsys.readouterr()
        code = 0
        try:
            main(arguments, io.StringIO(stdin))
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        told = capsys.readouterr()
        assert ANNA not in told.out + told.err
        assert BO not in told.out + told.err
        return Ran(code, told.out, told.err)

    return run


@dataclass(frozen=True, slots=True)
class Town:
    """Anna, whose name HR has wrong, and Bo, who has a sekretessmarkering; both employed in one unit."""

    world: DirectWorld
    anna: str
    bo: str


@pytest.fixture
def town(direct_world: DirectWorld, kallan: Kallan, monkeypatch: pytest.MonkeyPatch) -> Town:
    world = direct_world
    world.set_clock(NOW)
    set_clock(world.base.keys_pool, NOW)
    world.feed(
        "organisation",
        [{"orgId": "1100", "orgName": "Hemtjänst Norr", "nodeFrom": "2020-01-01", "companyId": "kommun"}],
        total=False,
    )
    job = {"startDate": "2024-02-01", "title": "undersköterska", "aid": "207008", "orgId": "1100", "extentPercent": 100}
    home = {"Utdelningsadress2": "Storgatan 1", "PostNr": "99910", "Postort": "EXEMPELBY"}
    world.feed(
        "navet",
        [
            {
                "PersonNr": ANNA,
                "totalpost": True,
                "Fornamn": "Anna Maria",
                "Efternamn": "Ek",
                "Folkbokforingsadress": home,
            },
            {
                "PersonNr": BO,
                "totalpost": True,
                "Sekretessmarkering": "J",
                "Fornamn": "Bo",
                "Efternamn": SECRET_NAME,
                "Folkbokforingsadress": home | {"Utdelningsadress2": SECRET_STREET},
            },
        ],
        total=False,
    )
    world.feed(
        "hr",
        [
            {"employmentId": "E1", "personNumber": ANNA, "givenname": "Anna", "lastname": "Eck"} | job,
            {"employmentId": "E2", "personNumber": BO, "givenname": "Bo", "lastname": SECRET_NAME}
            | {"agreedDisplayName": AGREED}
            | job,
        ],
        total=False,
    )
    world.settle()
    settings = world.base.settings
    monkeypatch.setenv("KALLAN_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("KALLAN_SECRETS", str(settings.secrets))
    monkeypatch.setenv("KALLAN_KAFKA", "127.0.0.1:9")
    monkeypatch.setenv("KALLAN_DEMO", "true")
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    anna, bo = world.readings.person_id(ANNA), world.readings.person_id(BO)
    assert anna is not None
    assert bo is not None
    return Town(world, anna, bo)
