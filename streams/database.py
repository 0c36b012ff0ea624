"""PostgreSQL: connection pools, engines and migrations, the same for every package. One schema a package."""

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import alembic.command
import alembic.config
import alembic.context
import psycopg
import psycopg_pool
import sqlalchemy

_PATIENCE = 10.0
"""Seconds that a connection is waited for, and that the pool itself tries: its pauses double within this time and begin
anew with the next who asks (docs/decisions/0102)."""


def open_pool(url: str, *, size: int = 4, name: str = "kallan") -> psycopg_pool.ConnectionPool[psycopg.Connection]:
    """A pool of psycopg connections (`url` is a libpq URL, `postgresql://...`). Not waited for: a database that is away
    shows at first use, as `psycopg.OperationalError` or `psycopg_pool.PoolTimeout`."""
    return psycopg_pool.ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        name=name,
        open=True,
        timeout=_PATIENCE,
        reconnect_timeout=_PATIENCE,
        check=psycopg_pool.ConnectionPool.check_connection,
        kwargs={"application_name": name},
    )


def engine(url: str) -> sqlalchemy.Engine:
    """An SQLAlchemy engine over psycopg 3 for the same libpq URL."""
    return sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)


def migrations_of(package: str) -> Path:
    """The folder of a package's migrations."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(next(iter(spec.submodule_search_locations))) / "migrations"


def migrate(url: str, packages: Iterable[str]) -> None:
    """Bring each package's schema to its newest version. Idempotent; safe to run from several processes at once."""
    db = engine(url)
    try:
        for package in packages:
            schema = package.rpartition(".")[2]
            with db.begin() as connection:
                connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(hashtext('kallan.migrate'))"))
                connection.execute(sqlalchemy.text(f'create schema if not exists "{schema}"'))
                config = alembic.config.Config(attributes={"connection": connection, "schema": schema})
                config.set_main_option("script_location", str(migrations_of(package)))
                config.set_main_option("path_separator", "os")
                alembic.command.upgrade(config, "head")
    finally:
        db.dispose()


def run_migrations() -> None:
    """What each package's `migrations/env.py` calls: upgrade over the connection that `migrate` holds."""
    config = alembic.context.config
    schema = config.attributes["schema"]
    alembic.context.configure(
        connection=config.attributes["connection"], version_table_schema=schema, include_schemas=True
    )
    alembic.context.run_migrations()
