"""Upgrades by Alembic: every revision with rows in every table, and no worker on a schema that is not its program's."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import alembic.command
import alembic.config
import alembic.script
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict

from deploy.operations.schema import check, schemas
from deploy.settings import Settings
from deploy.wiring.base import PACKAGES
from iam.execute.queue import Queue
from streams.contracts.errors import KallanError
from streams.database import open_pool
from streams.migrate import engine, migrate
from streams.revisions import guard, migrations_of, revisions
from tests.docs.reading import ROOT
from tests.stack.proxy import Proxy

LOST = {("mmd_0002", "mmd.conflict")}
"""What a revision empties on purpose; its own text says why."""

_TABLES = """
select schemaname || '.' || tablename from pg_tables where schemaname = %s and tablename <> 'alembic_version' order by 1
"""
_COLUMNS = """
select column_name, case when data_type = 'ARRAY' then udt_name else data_type end from information_schema.columns
where table_schema = %s and table_name = %s and is_identity = 'NO' and column_default is distinct from 'nextval'
  and (is_nullable = 'NO' or column_name = 'wrapped') order by ordinal_position
"""
_CHECKS = "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'c'"
_SHAPE = """
select table_name, column_name, data_type, udt_name, is_nullable, column_default, collation_name
from information_schema.columns where table_schema = %s order by 1, 2
"""
_INDEXES = "select indexname, indexdef from pg_indexes where schemaname = %s order by 1"
_NUMBERED = {("iam.outbox", "id"), ("iam.journal", "id")}
_VALUES: dict[str, object] = {
    "text": "x",
    "bigint": 1,
    "integer": 1,
    "smallint": 1,
    "boolean": True,
    "bytea": b"x",
    "xid8": "1",
    "timestamp with time zone": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "_text": ["x"],
    "_int8": [1],
    "jsonb": "[]",
    "uuid": uuid.UUID(int=1),
}


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """A database without any schema of ours."""
    name = f"upgrade_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'create database "{name}"'.encode())
        yield postgres_url.rpartition("/")[0] + "/" + name
        admin.execute(f'drop database if exists "{name}" with (force)'.encode())


@pytest.mark.parametrize("package", PACKAGES)
def test_the_revisions_that_a_worker_reads_are_those_of_alembic(package: str) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(migrations_of(package)))
    config.set_main_option("path_separator", "os")
    script = alembic.script.ScriptDirectory.from_config(config)
    assert revisions(package) == tuple(one.revision for one in script.walk_revisions())[::-1]


def upgrade(url: str, package: str, revision: str) -> None:
    db = engine(url)
    try:
        with db.begin() as connection:
            connection.execute(sqlalchemy.text(f'create schema if not exists "{package}"'))
            config = alembic.config.Config(attributes={"connection": connection, "schema": package})
            config.set_main_option("script_location", str(migrations_of(package)))
            config.set_main_option("path_separator", "os")
            alembic.command.upgrade(config, revision)
    finally:
        db.dispose()


def counts(connection: psycopg.Connection, package: str) -> dict[str, int]:
    names = [row[0] for row in connection.execute(_TABLES, [package]).fetchall()]
    found = {}
    for name in names:
        row = connection.execute(f"select count(*) from {name}".encode()).fetchone()
        found[name] = int(row[0]) if row else 0
    return found


def fill(connection: psycopg.Connection, package: str) -> None:
    """A row in every table that has none (a trigger may have made it); what refers to another table's row waits for it."""
    while empty := [name for name, count in counts(connection, package).items() if count == 0]:
        filled = 0
        for name in empty:
            if counts(connection, package)[name] == 0:
                with contextlib.suppress(psycopg.errors.ForeignKeyViolation):
                    _insert(connection, name)
                    filled += 1
        assert filled, empty


def _insert(connection: psycopg.Connection, name: str) -> None:
    columns = [
        (column, kind)
        for column, kind in connection.execute(_COLUMNS, name.split(".")).fetchall()
        if (name, column) not in _NUMBERED
    ]
    checks = " ".join(row[0] for row in connection.execute(_CHECKS, [name]).fetchall())
    values = []
    for column, kind in columns:
        allowed = re.search(rf"\(\(?{column} = ANY \(ARRAY\['([^']*)'", checks)
        values.append(allowed[1] if allowed else _VALUES[kind])
    names = ", ".join(f'"{column}"' for column, _ in columns)
    holes = ", ".join("%s" for _ in columns)
    connection.execute(f"insert into {name} ({names}) values ({holes})".encode(), values)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_revision_keeps_the_rows_of_the_one_before(empty_url: str, package: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        before: dict[str, int] = {}
        for revision in revisions(package):
            upgrade(empty_url, package, revision)
            after = counts(connection, package)
            lost = {name for name, count in before.items() if after.get(name, 0) < count}
            assert lost == {name for at, name in LOST if at == revision}
            fill(connection, package)
            before = counts(connection, package)
            assert all(before.values())


def test_upgraded_step_by_step_a_schema_is_what_a_new_one_is(empty_url: str, database_url: str) -> None:
    for package in PACKAGES:
        for revision in revisions(package):
            upgrade(empty_url, package, revision)
    for package in PACKAGES:
        found = []
        for url in (empty_url, database_url):
            with psycopg.connect(url) as connection:
                shape = connection.execute(_SHAPE, [package]).fetchall()
                found.append((shape, connection.execute(_INDEXES, [package]).fetchall()))
        assert found[0] == found[1]


def test_what_was_desired_before_the_queue_existed_is_carried_out_after_the_upgrade(empty_url: str) -> None:
    upgrade(empty_url, "iam", "iam_0001")
    with psycopg.connect(empty_url, autocommit=True) as connection:
        fill(connection, "iam")
        connection.execute("update iam.observed set digest = 'other'")
    migrate(empty_url, PACKAGES)
    pool = open_pool(empty_url)
    try:
        assert Queue(pool, "test", 30.0).sweep() == 1
    finally:
        pool.close()


def test_upgrading_again_changes_nothing(empty_url: str) -> None:
    migrate(empty_url, PACKAGES)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        for package in PACKAGES:
            fill(connection, package)
        before = [counts(connection, package) for package in PACKAGES]
        migrate(empty_url, PACKAGES)
        assert [counts(connection, package) for package in PACKAGES] == before


def settings_of(url: str, folder: Path) -> Settings:
    return Settings.model_validate({"database_url": url, "secrets": folder, "demo": True})


def stamp(url: str, package: str, revision: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"update {package}.alembic_version set version_num = %s".encode(), [revision])


@pytest.mark.parametrize("package", PACKAGES)
def test_a_schema_of_another_revision_is_told_as_older_or_newer(
    database_url: str, tmp_path: Path, package: str
) -> None:
    settings = settings_of(database_url, tmp_path)
    check(settings, PACKAGES)
    assert {one.code for one in schemas(settings)} == {""}
    stamp(database_url, package, f"{package}_9999")
    with pytest.raises(KallanError, match=rf"schema\.newer: {package}: the database has {package}_9999, the program"):
        check(settings, PACKAGES)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"drop table {package}.alembic_version".encode())
    with pytest.raises(KallanError, match=rf"schema\.older: {package}: the database has nothing"):
        check(settings, PACKAGES)


@pytest.mark.parametrize("package", [package for package in PACKAGES if len(revisions(package)) > 1])
def test_an_earlier_revision_is_older(database_url: str, tmp_path: Path, package: str) -> None:
    stamp(database_url, package, revisions(package)[-2])
    (found,) = [one for one in schemas(settings_of(database_url, tmp_path)) if one.code]
    assert (found.package, found.code) == (package, "schema.older")


def test_a_pool_hands_out_no_connection_to_a_schema_of_another_program(database_url: str) -> None:
    pool = open_pool(database_url, guard=partial(guard, packages=PACKAGES))
    with pool, pool.connection() as connection:
        connection.execute("select 1 from mmd.epoch")
    stamp(database_url, "mmd", "mmd_9999")
    pool = open_pool(database_url, guard=partial(guard, packages=PACKAGES))
    with pool, pytest.raises(psycopg_pool.PoolTimeout):
        pool.getconn(timeout=2.0)


WORKERS = {
    ("ingest", "--lane", "bulk"): "mmd",
    ("relay",): "mmd",
    ("api",): "mmd",
    ("evaluate", "--lane", "urgent"): "iam",
    ("execute",): "iam",
}


def settings_for(arguments: tuple[str, ...], url: str, folder: Path) -> dict[str, str]:
    settings = {
        "DATABASE_URL": url,
        "SECRETS": str(folder),
        "KAFKA": "127.0.0.1:9",
        "DEMO": "true",
        "JWKS": str(folder / "jwks.json"),
        "ISSUER": "x",
        "WORK_DIR": str(folder / "work"),
        "API_PORT": "0",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KALLAN_")}
    return environment | {f"KALLAN_{name}": value for name, value in settings.items()}


def start(arguments: tuple[str, ...], url: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", *arguments],
        cwd=ROOT,
        env=settings_for(arguments, url, folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("arguments", WORKERS, ids=lambda one: one[0])
def test_a_worker_does_not_start_on_a_newer_schema_and_says_so_by_a_code(
    database_url: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    stamp(database_url, WORKERS[arguments], f"{WORKERS[arguments]}_9999")
    worker = start(arguments, database_url, tmp_path)
    _, told = worker.communicate(timeout=60)
    assert worker.returncode == 1
    assert told.startswith("schema.newer: ")


@pytest.mark.parametrize("arguments", WORKERS, ids=lambda one: one[0])
def test_a_worker_that_began_while_the_database_was_away_ends_when_it_finds_a_newer_schema(
    database_url: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    for name in ("master.key", "subject.secret", "person.secret", "digest.secret", "account.secret"):
        (tmp_path / name).write_text("ab" * 32)
    named = conninfo_to_dict(database_url)
    stamp(database_url, WORKERS[arguments], f"{WORKERS[arguments]}_9999")
    with Proxy(1) as proxy:
        late = database_url.replace(f":{named['port']}/", f":{proxy.port}/")
        worker = start(arguments, late, tmp_path)
        try:
            assert worker.stderr is not None
            assert any("PostgreSQL does not answer yet" in line for line in worker.stderr)
            proxy.upstream = (str(named["host"]), int(str(named["port"])))
            _, told = worker.communicate(timeout=60)
        finally:
            worker.kill()
    assert "stopping: schema.newer: " in told
    assert worker.returncode != 0
