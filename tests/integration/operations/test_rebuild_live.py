"""The commands of docs/operations.md that make a store again, take it along and erase, typed on a stack with its workers."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.municipality import cast as roles
from tests.docs.reading import ROOT
from tests.integration.operations.typed import as_typed, intents
from tests.stack.life import WORKERS, Life, alive, until
from tests.stack.town import Town, new_town

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

REBUILD, ACCEPT, FINISH = (
    'kallan rebuild "$DATABASE"\n',
    'kallan rebuild "$DATABASE" --accept',
    "kallan restore --finish",
)
EXPORT, IMPORT, ERASE = 'kallan export "$EXPORT"', 'kallan import "$EXPORT"', 'kallan erase "$PERSON_ID"'


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with alive(tmp_path_factory.mktemp("stack")) as found:
        yield found


@pytest.fixture(scope="module")
def town(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Town:
    made = new_town(tmp_path_factory.mktemp("town"), seed=13, persons=24, units=5, waves=1)
    for files in (made.first, made.waves, made.urgent):
        life.feed(files)
        life.world.settle()
    return made


def test_a_store_made_again_holds_the_same_and_takes_the_place_of_the_old_one(life: Life, town: Town) -> None:
    before, begun, name = life.made(), intents(life), f"again_{uuid.uuid4().hex[:8]}"
    built = as_typed(life, REBUILD, DATABASE=name)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "The store in use holds the same." in built.stdout
    assert before.hashes["master"][0] in built.stdout
    assert " a second" in built.stdout
    again = as_typed(life, REBUILD, DATABASE=name)
    assert (again.returncode, again.stderr.partition(":")[0]) == (2, "input.invalid")
    early = as_typed(life, ACCEPT, DATABASE=name)
    assert (early.returncode, early.stderr.partition(":")[0]) == (2, "group.in-use")
    for worker in (*WORKERS, "api"):
        life.found.stack.stop_process(worker)
    accepted = as_typed(life, ACCEPT, DATABASE=name)
    assert accepted.returncode == 0, accepted.stderr
    assert "iam_replaced, mmd_replaced" in accepted.stdout
    for worker in (*WORKERS, "api"):
        life.found.stack.start_process(worker)
    until(lambda: as_typed(life, FINISH).returncode == 0, 120, "what was made again is in use", every=1.0)
    life.world.settle()
    after = life.made()
    assert after.hashes == before.hashes
    assert after.accounts == before.accounts
    assert intents(life) == begun


def test_an_export_is_imported_into_another_database(life: Life, town: Town, tmp_path: Path) -> None:
    file, name = tmp_path / "all.jsonl", f"other_{uuid.uuid4().hex[:8]}"
    written = as_typed(life, EXPORT, EXPORT=str(file))
    assert written.returncode == 0, written.stderr
    url = life.found.stack.services.database_url
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'create database "{name}"'.encode())
    elsewhere = {
        "KALLAN_DATABASE_URL": url.rpartition("/")[0] + "/" + name,
        "KALLAN_KAFKA": life.found.stack.services.kafka,
        "KALLAN_SECRETS": str(life.found.stack.secrets),
        "KALLAN_DEMO": "true",
    }
    environment = os.environ | elsewhere
    subprocess.run([sys.executable, "-m", "deploy.cli", "migrate"], cwd=ROOT, env=environment, check=True)
    read = as_typed(life, IMPORT, EXPORT=str(file), **elsewhere)
    assert read.returncode == 0, read.stderr
    assert life.made().hashes["master"][0] in read.stdout
    again = as_typed(life, IMPORT, EXPORT=str(file), **elsewhere)
    assert (again.returncode, again.stderr.partition(":")[0]) == (2, "store.not-empty")


def test_a_person_that_is_erased_is_gone_from_every_target(life: Life, town: Town) -> None:
    person = life.world.readings.person_id(town.cast[roles.LEAVER].number)
    assert person is not None
    accounts = life.world.readings.account_keys(person)
    assert accounts
    who = {"DECISION": "KS 2026/0500", "ASKED_BY": "anna"}
    alone = as_typed(life, ERASE, PERSON_ID=person, **who, APPROVED_BY="anna")
    assert (alone.returncode, alone.stderr.partition(":")[0]) == (2, "decision.two-persons")
    done = as_typed(life, ERASE, PERSON_ID=person, **who, APPROVED_BY="bo")
    assert done.returncode == 0, done.stderr
    life.world.settle()
    assert life.world.readings.person_id(town.cast[roles.LEAVER].number) is None
    for target in life.world.readings.targets.values():
        assert [key for key in accounts if target.read(key) is not None] == []
    assert life.world.readings.leaks.find(*town.cast[roles.LEAVER].canaries) == []
