"""Rights in PostgreSQL: each login works in its own schema and sees nothing of the others."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from deploy.compose.database_rights import OWNER, REPLAY, SCHEMAS, grant, make_logins
from deploy.wiring.base import PACKAGES

PASSWORDS = {login: f"a password of {login}" for login in (OWNER, *SCHEMAS)}


@pytest.fixture
def granted(database_url: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection to a migrated database with logins and rights; `set role` makes it one of them."""
    name = urlsplit(database_url).path.strip("/")
    with psycopg.connect(database_url, autocommit=True) as connection:
        there = {row[0] for row in connection.execute("select rolname from pg_roles").fetchall()}
        made = set(PASSWORDS) - there
        try:
            make_logins(connection, PASSWORDS, name)
            grant(connection, name)
            yield connection
        finally:
            connection.execute("reset role")
            for login in made:
                connection.execute(sql.SQL("drop owned by {} cascade").format(sql.Identifier(login)))
                connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))


def _may(connection: psycopg.Connection, login: str, statement: str) -> bool:
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(login)))
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    finally:
        connection.execute("reset role")
    return True


_TABLES = {
    "connectors": "connectors.snapshot",
    "mmd": "mmd.document",
    "iam": "iam.desired",
    "streams": "streams.data_key",
}


@pytest.mark.parametrize("login", SCHEMAS)
@pytest.mark.parametrize("schema", PACKAGES)
def test_a_login_reads_and_writes_in_its_own_schemas_only(granted: psycopg.Connection, login: str, schema: str) -> None:
    own = schema in SCHEMAS[login]
    assert _may(granted, login, f"select count(*) from {_TABLES[schema]}") is own
    assert _may(granted, login, f"delete from {_TABLES[schema]}") is own


@pytest.mark.parametrize("login", SCHEMAS)
@pytest.mark.parametrize("schema", PACKAGES)
def test_nobody_but_the_owner_changes_tables_or_versions(granted: psycopg.Connection, login: str, schema: str) -> None:
    assert not _may(granted, login, f"create table {schema}.own (x int)")
    assert not _may(granted, login, f"truncate {_TABLES[schema]}")
    assert not _may(granted, login, f"update {schema}.alembic_version set version_num = ''")


def test_a_worker_finds_the_version_of_its_schemas(granted: psycopg.Connection) -> None:
    for login, schemas in SCHEMAS.items():
        for schema in schemas:
            assert _may(granted, login, f"select version_num from {schema}.alembic_version")


def test_the_journal_is_added_to_and_never_changed(granted: psycopg.Connection) -> None:
    for login in ("iam", "operator"):
        assert not _may(granted, login, "delete from iam.journal")
        assert not _may(granted, login, "update iam.journal set kind = kind")
        assert _may(granted, login, "select count(*) from iam.journal")


def test_the_replays_login_makes_databases_and_does_not_enter_ours(granted: psycopg.Connection) -> None:
    row = granted.execute("select rolcreatedb from pg_roles where rolname = %s", (REPLAY,)).fetchone()
    assert row == (True,)
    entering = granted.execute(
        "select rolname from pg_roles where rolname = any(%s)"
        " and has_database_privilege(rolname, current_database(), 'connect')",
        (list(SCHEMAS),),
    ).fetchall()
    assert {name for (name,) in entering} == set(SCHEMAS) - {REPLAY}


def test_a_login_enters_with_its_password_and_doing_it_again_gives_it_the_new_one(
    granted: psycopg.Connection, database_url: str
) -> None:
    stored = "select rolpassword from pg_authid where rolname = 'mmd'"
    first = granted.execute(stored).fetchone()
    assert first is not None
    assert first[0].startswith("SCRAM-SHA-256$")
    make_logins(granted, PASSWORDS | {"mmd": "another"}, urlsplit(database_url).path.strip("/"))
    assert granted.execute(stored).fetchone() != first
