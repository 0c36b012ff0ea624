"""Alembic entry of this schema; see streams.database."""

from streams.database import run_migrations

run_migrations()
