"""The commands of the README, taken from it and run as they are typed, against a stack that `kallan up` started."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.sources.registry import load_records
from deploy.cli.connection import connected
from deploy.quiet import Quiet
from mmd.store.hash import state_hash
from streams.contracts.documents import PersonDocument, Redirect
from streams.contracts.testnumbers import test_number as published_number
from streams.kafka_log import LagMeter
from tests.docs.reading import ROOT, block_with

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

FEED = "kallan load navet"
LOOK = "kallan person show"
ASK = "kallan token"
REPLAY = "kallan replay"

SCENARIOS = ("s01_plain_joiner.yml", "s03_mover.yml", "r07_side_by_side.yml")
"""What `tests/scenarios/*.yml` stands for here; every scenario is run both ways by the tests that it itself is."""
PATIENCE, STOP_SECONDS = 200.0, 15.0


@dataclass(frozen=True, slots=True)
class Terminal:
    """A folder as after `git clone` and `make`, and a shell in it."""

    folder: Path
    environment: Mapping[str, str]

    def types(self, text: str, **more: str) -> str:
        """What the commands print; a failing command fails the test."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "tests" / "scenarios").mkdir(parents=True)
    for name in SCENARIOS:
        (folder / "tests" / "scenarios" / name).symlink_to(ROOT / "tests" / "scenarios" / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KALLAN_")}
    if cache := os.environ.get("KALLAN_CACHE"):
        environment["KALLAN_CACHE"] = cache
    return Terminal(folder, environment)


@pytest.fixture(scope="module")
def up(terminal: Terminal) -> Iterator[str]:
    """The stack of `make up`, in the folder's own `.kallan`; the address of the API that it prints."""
    process = subprocess.Popen(
        [".venv/bin/kallan", "up"],
        cwd=terminal.folder,
        env={**terminal.environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield _address(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=STOP_SECONDS)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    address = ""
    for line in process.stdout:
        words = line.split()
        if words[:1] == ["API"]:
            address = words[1]
        if "kallan token" in line:
            return address
    raise AssertionError("kallan up ended before it was ready")


@pytest.fixture(scope="module")
def fed(terminal: Terminal, up: str) -> str:
    """What the loads told; when everything has come through."""
    told = terminal.types(block_with("README.md", FEED))
    with connected(terminal.folder / ".kallan") as connection:
        Quiet(connection.base.pool, LagMeter(connection.master.kafka), connection.base.clock).wait(90)
    return told


def test_the_scenarios_run_as_typed(terminal: Terminal) -> None:
    """First here, so that its own stack is gone before the next is started."""
    told = terminal.types(block_with("README.md", REPLAY))
    summaries = [line for line in told.splitlines() if "scenarios hold" in line]
    assert len(summaries) == 2
    for summary in summaries:
        held, _, count = summary.split()[:3]
        assert held == count, told


def test_files_are_loaded_through_their_connectors(fed: str) -> None:
    assert "organisation-00001.jsonl: published (load 1)" in fed
    assert "navet-00001-001.xml: waits for the other files of the load" in fed
    assert "hr-00001.jsonl: published" in fed
    assert "alarm" not in fed


def test_one_can_look_into_it(terminal: Terminal, fed: str) -> None:
    told = terminal.types(block_with("README.md", LOOK))
    number = (terminal.folder / "town" / "number.txt").read_text().strip()
    assert number not in told
    for words in (
        "Hedda Vårdkvist",
        "Because rule staff of policy",
        "directory has",
        "No source says anything else than the master holds.",
        "No dead letters.",
        "observed  ",
        "Everything moves.",
    ):
        assert words in told
    assert max(map(len, told.splitlines())) < 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_business_system_is_connected_with_three_requests(terminal: Terminal, up: str, fed: str) -> None:
    block = block_with("README.md", ASK)
    first = _answers(terminal.types("\n".join(block.splitlines()[:2]), KALLAN_API=up))
    found, person, changes = _answers(terminal.types(block, KALLAN_API=up, PERSON_ID=first[0]["id"]))
    assert found == person == first[0]
    assert person["names"][0]["family"] == "Vårdkvist"
    assert person["names"][0]["stamp"]["source"] == "navet"
    assert changes["changes"]


def test_rulings_are_made_as_typed(terminal: Terminal, fed: str) -> None:
    """Through Kafka and the workers: a merge and its undoing, a lift by two officers, a death taken back."""
    del fed
    path = f"{terminal.folder}/.venv/bin:{terminal.environment['PATH']}"
    number = published_number(dt.date(2001, 4, 5), "female")
    marked = {
        "PersonNr": number,
        "totalpost": True,
        "Fornamn": "Sol",
        "Efternamn": "Kanarie",
        "Sekretessmarkering": "J",
    }

    def typed(words: str, **more: str) -> list[str]:
        lines = block_with("docs/operations.md", words).splitlines()
        told = [terminal.types(line, PATH=path, **more) for line in lines]
        Quiet(connection.base.pool, lag, connection.base.clock).wait(90)
        return told

    with connected(terminal.folder / ".kallan") as connection:
        lag = LagMeter(connection.master.kafka)
        load_records("navet", [marked], connection.edge)
        load_records("navet", [marked | {"Sekretessmarkering": "N"}], connection.edge)
        Quiet(connection.base.pool, lag, connection.base.clock).wait(90)
        person = connection.stores.person_id(number)
        assert person is not None
        reader, pool, keys = connection.stores.reader, connection.base.pool, connection.base.keys
        before = state_hash(pool, keys)
        with pool.connection() as open_connection:
            rows = open_connection.execute("select id from mmd.document where marking = 'none' order by id limit 2")
            gone, stays = [row[0] for row in rows.fetchall()]
        told = typed("kallan merge", GONE=gone, STAYS=stays)
        assert "Nothing was done" in told[0]
        assert reader.person(gone) == Redirect(gone, stays)
        typed("kallan split", GONE=gone)
        assert state_hash(pool, keys) == before
        listed, proposed, *_ = block_with("docs/operations.md", "kallan protection list").splitlines()
        assert person in terminal.types(listed, PATH=path)
        assert "sent" in terminal.types(proposed, PATH=path, PERSON=person)
        Quiet(connection.base.pool, lag, connection.base.clock).wait(90)
        (case,) = json.loads(terminal.types(f"{listed} --json", PATH=path))
        approvals = "\n".join(block_with("docs/operations.md", "kallan protection list").splitlines()[2:])
        assert "marking none" in terminal.types(approvals, PATH=path, PROPOSAL=case["proposals"][0]["name"])
        Quiet(connection.base.pool, lag, connection.base.clock).wait(90)
        assert person not in reader.marked()
        assert "first raised" in typed("kallan protection report", PERSON=person)[0]
        lives = marked | {"Sekretessmarkering": "N"}
        died = lives | {"AvregistreringsorsakKod": "AV", "Avregistreringsdatum": "20260901"}
        for day, post in enumerate((died, lives), 1):
            load_records("navet", [post | {"andringstidpunkt": f"2026090{day}120000"}], connection.edge)
            Quiet(connection.base.pool, lag, connection.base.clock).wait(90)
        told = typed("kallan undo-death", PERSON=person)
        assert "Nothing was done" in told[0]
        found = reader.person(person)
        assert isinstance(found, PersonDocument)
        assert found.status is not None
        assert found.status.state == "registered"
        lag.close()


def _answers(text: str) -> list[dict[str, Any]]:
    """JSON values one after another."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found
