"""A store that is lost comes back: the backup, the log read again from where it stood, and no account touched meanwhile."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.operations.backup import ABOUT_FILE, KEYS_FILE, STORE_FILE
from deploy.wiring.groups import GROUPS
from streams.offsets import at, committed
from tests.docs.reading import ROOT
from tests.integration.operations.typed import as_typed, intents
from tests.stack.life import WORKERS, Life, alive, until
from tests.stack.town import Town, new_town

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

BACK_UP, RESTORE = 'kallan backup "$BACKUP"', 'kallan restore "$BACKUP"'
FINISH, REWIND = "kallan restore --finish", "kallan offsets rewind --to"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with alive(tmp_path_factory.mktemp("stack")) as found:
        yield found


@pytest.fixture(scope="module")
def town(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Town:
    made = new_town(tmp_path_factory.mktemp("town"), seed=11, persons=24, units=5, waves=2)
    life.feed(made.first)
    life.world.settle()
    return made


@pytest.fixture(scope="module")
def backup(life: Life, town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backups") / "first"
    told = as_typed(life, BACK_UP, **places(folder))
    assert told.returncode == 0, told.stderr
    return folder


def places(backup: Path) -> dict[str, str]:
    return {"BACKUP": str(backup), "KEYS": str(backup / "keys")}


def kallan(life: Life, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KALLAN_")}
    home = () if more else ("--home", str(life.found.stack.home))
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments, *home],
        cwd=ROOT,
        env=environment | {f"KALLAN_{name}": value for name, value in more.items()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_backup_is_for_its_owner_alone_and_its_keys_lie_apart(life: Life, backup: Path) -> None:
    files = {path.relative_to(backup).as_posix(): path for path in backup.rglob("*") if path.is_file()}
    assert set(files) == {STORE_FILE, ABOUT_FILE, f"keys/{KEYS_FILE}"}
    for name in (STORE_FILE, f"keys/{KEYS_FILE}"):
        assert files[name].stat().st_mode & 0o077 == 0
    assert backup.stat().st_mode & 0o077 == 0
    assert b"data_key" not in files[STORE_FILE].read_bytes()
    assert b"data_key" in files[f"keys/{KEYS_FILE}"].read_bytes()


def test_a_second_backup_in_the_same_folder_is_refused(life: Life, backup: Path) -> None:
    told = kallan(life, "backup", str(backup))
    assert told.returncode == 2
    assert told.stderr.startswith("input.invalid: ")


def test_stores_and_keys_come_back_in_an_empty_database_with_the_same_master(life: Life, backup: Path) -> None:
    before = life.made().hashes
    name = f"copy_{uuid.uuid4().hex[:8]}"
    url = life.found.stack.services.database_url
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'create database "{name}"'.encode())
    elsewhere = {
        "DATABASE_URL": url.rpartition("/")[0] + "/" + name,
        "KAFKA": life.found.stack.services.kafka,
        "SECRETS": str(life.found.stack.secrets),
        "DEMO": "true",
    }
    restored = kallan(life, "restore", "--store-only", str(backup), **elsewhere)
    assert restored.returncode == 0, restored.stderr
    assert "those of the backup" in restored.stdout
    told = kallan(life, "state", "hash", "--json", **elsewhere)
    for kind in ("master", "desired"):
        assert before[kind][0] in told.stdout
    again = kallan(life, "restore", "--store-only", str(backup), **elsewhere)
    assert (again.returncode, again.stderr.partition(":")[0]) == (2, "input.invalid")


def test_consumers_are_not_set_back_while_workers_run(life: Life, backup: Path) -> None:
    told = kallan(life, "restore", str(backup))
    assert (told.returncode, told.stderr.partition(":")[0]) == (2, "group.in-use")
    assert life.made().hashes["master"][1]


def test_a_lost_store_is_brought_back_to_what_it_was_and_no_account_is_touched_meanwhile(
    life: Life, town: Town, backup: Path
) -> None:
    life.feed(town.waves)
    life.feed(town.urgent)
    life.world.settle()
    before = life.made()
    for name in (*WORKERS, "api"):
        life.found.stack.stop_process(name)
    with psycopg.connect(life.found.stack.services.database_url, autocommit=True) as connection:
        for schema in ("mmd", "iam", "connectors"):
            connection.execute(f"drop schema {schema} cascade".encode())
    restored = as_typed(life, RESTORE, **places(backup))
    assert restored.returncode == 0, restored.stderr
    assert "as they were" in restored.stdout
    begun = intents(life)
    for name in (*WORKERS, "api"):
        life.found.stack.start_process(name)
    early = kallan(life, "restore", "--finish")
    assert (early.returncode, early.stderr.partition(":")[0]) in ((1, "store.restored"), (1, "service.unavailable"))
    until(lambda: "store.restored" in kallan(life, "status").stdout, 60, "status tells of the restore")
    until(lambda: as_typed(life, FINISH, **places(backup)).returncode == 0, 120, "the log is read again", every=1.0)
    life.world.settle()
    after = life.made()
    assert after.hashes == before.hashes
    assert after.accounts == before.accounts
    assert after.dead_letters == before.dead_letters
    assert intents(life) == begun


def test_after_a_restore_the_next_change_still_reaches_every_account(life: Life, backup: Path) -> None:
    """Also where what was published before the loss has a higher number than the restored store would give next."""
    third = new_town(backup.parent / "again", seed=11, persons=24, units=5, waves=3).waves[2]
    life.feed([third])
    life.world.settle()
    assert "handläggare 3" in str(life.made().accounts["directory"])


def test_places_in_the_log_are_found_by_time(life: Life, backup: Path) -> None:
    broker = life.found.master.broker
    beginning = at(broker, GROUPS, dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    end = at(broker, GROUPS, dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    now = committed(broker, GROUPS)
    for group, topics in GROUPS.items():
        for topic in topics:
            assert set(beginning[group][topic].values()) == {0}
            assert end[group][topic] == now[group][topic]


def test_the_whole_log_read_again_changes_nothing(life: Life, backup: Path) -> None:
    before, begun = life.made(), intents(life)
    consumers = [name for name in WORKERS if name in GROUPS]
    for name in consumers:
        life.found.stack.stop_process(name)
    rewound = as_typed(life, REWIND, **places(backup))
    assert rewound.returncode == 0, rewound.stderr
    for name in consumers:
        life.found.stack.start_process(name)
    life.world.settle()
    assert life.made() == before
    assert intents(life) == begun
