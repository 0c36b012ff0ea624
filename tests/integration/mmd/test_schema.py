"""The migrated schema and its description as SQLModel classes are the same."""

import sqlalchemy

from mmd.store.tables import METADATA
from streams.migrate import engine


def test_the_migrated_schema_has_exactly_the_described_columns_and_keys(database_url: str) -> None:
    db = engine(database_url)
    try:
        inspector = sqlalchemy.inspect(db)
        with db.connect() as connection:
            found = connection.execute(
                sqlalchemy.text(
                    "select table_name, column_name, is_nullable = 'YES' from information_schema.columns"
                    " where table_schema = 'mmd' and table_name <> 'alembic_version'"
                )
            )
            migrated = {(str(table), str(column), bool(nullable)) for table, column, nullable in found}
        described = {(t.name, c.name, bool(c.nullable)) for t in METADATA.tables.values() for c in t.columns}
        assert described == migrated
        for table in METADATA.tables.values():
            keys = inspector.get_pk_constraint(table.name, schema="mmd")["constrained_columns"]
            assert [column.name for column in table.primary_key] == keys
    finally:
        db.dispose()
