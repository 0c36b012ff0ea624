"""Alembic entry of this schema; see streams.migrate."""

from streams.migrate import run_migrations

run_migrations()
