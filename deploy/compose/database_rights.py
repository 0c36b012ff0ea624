"""Who may do what in PostgreSQL: the owner migrates, and each side has a login with rights in its own schema only."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from deploy.wiring.base import PACKAGES

OWNER = "migrator"
"""Owns database and schemas; used by `kallan compose prepare` alone."""

REPLAY = "replay"
"""May create databases of its own (`kallan replay --given`), and sees nothing of ours."""

SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "connectors": ("connectors",),
    "mmd": ("mmd",),
    "iam": ("iam",),
    "streams": ("streams",),
    "operator": PACKAGES,
    REPLAY: (),
}
"""Which schemas each login works in. `streams` holds data keys, clock and dead letters."""

_APPEND_ONLY = ("iam.journal",)


def make_logins(admin: psycopg.Connection, passwords: Mapping[str, str], database: str = "kallan") -> None:
    """The owner and the logins with these passwords, and the database. Safe to repeat. `admin`: autocommit, a superuser.

    What reaches the server is SCRAM's verifier, so that no statement log ever holds a password.
    """
    for login, password in passwords.items():
        verifier = admin.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
        there = admin.execute("select from pg_roles where rolname = %s", (login,)).fetchone()
        admin.execute(
            sql.SQL("{} role {} login {} nosuperuser nocreaterole noreplication password {}").format(
                sql.SQL("create" if there is None else "alter"),
                sql.Identifier(login),
                sql.SQL("createdb" if login == REPLAY else "nocreatedb"),
                sql.Literal(verifier),
            )
        )
    if admin.execute("select from pg_database where datname = %s", (database,)).fetchone() is None:
        admin.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(database), sql.Identifier(OWNER)),
        )
    admin.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))


def grant(owner: psycopg.Connection, database: str = "kallan") -> None:
    """Each login's rights in the migrated schemas, as `SCHEMAS` says. Safe to repeat; run after every migration."""
    for login, schemas in SCHEMAS.items():
        who = sql.Identifier(login)
        if schemas:
            owner.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database), who))
        for schema in PACKAGES:
            where = sql.Identifier(schema)
            for kind in ("schema", "all tables in schema", "all sequences in schema"):
                owner.execute(sql.SQL("revoke all on {} {} from {}").format(sql.SQL(kind), where, who))
            if schema in schemas:
                _grant_schema(owner, where, who)
    for table in _APPEND_ONLY:
        for login, schemas in SCHEMAS.items():
            if table.partition(".")[0] in schemas:
                owner.execute(
                    sql.SQL("revoke update, delete on {} from {}").format(
                        sql.Identifier(*table.split(".")), sql.Identifier(login)
                    )
                )


def _grant_schema(owner: psycopg.Connection, schema: sql.Identifier, who: sql.Identifier) -> None:
    for rights, kind in (
        ("usage", "schema"),
        ("select, insert, update, delete", "all tables in schema"),
        ("usage, select", "all sequences in schema"),
    ):
        owner.execute(sql.SQL("grant {} on {} {} to {}").format(sql.SQL(rights), sql.SQL(kind), schema, who))
    owner.execute(sql.SQL("revoke insert, update, delete on {}.alembic_version from {}").format(schema, who))
