"""Migrations, the same for every package: one schema a package. The one place that needs Alembic and SQLAlchemy, which take
longer to load than everything else together; a command that migrates nothing does without."""

from collections.abc import Iterable

import alembic.command
import alembic.config
import alembic.context
import sqlalchemy

from streams.revisions import migrations_of


def engine(url: str) -> sqlalchemy.Engine:
    """An SQLAlchemy engine over psycopg 3 for the same libpq URL."""
    return sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)


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
