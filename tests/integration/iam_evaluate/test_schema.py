"""The migrated schema and its description as SQLModel classes are the same."""

import psycopg
import pytest
import sqlalchemy

from iam.store.tables import METADATA
from streams.migrate import engine

OWN = {
    *("world_person", "world_unit", "world_redirect", "read_index", "due", "account", "name_ledger", "outbox"),
    *("desired", "observed", "journal"),
}
"""The tables of revision 0001; those of execution are described and compared where they are used."""


def test_the_migrated_schema_has_exactly_the_described_columns(database_url: str) -> None:
    db = engine(database_url)
    tables = [table for table in METADATA.tables.values() if table.name in OWN]
    try:
        inspector = sqlalchemy.inspect(db)
        migrated = {
            table: {(c["name"], c["nullable"]) for c in inspector.get_columns(table, schema="iam")}
            for table in inspector.get_table_names(schema="iam")
            if table in OWN
        }
        described = {table.name: {(column.name, column.nullable) for column in table.columns} for table in tables}
        assert described == migrated
        for table in tables:
            keys = inspector.get_pk_constraint(table.name, schema="iam")["constrained_columns"]
            assert [column.name for column in table.primary_key] == keys
    finally:
        db.dispose()


@pytest.mark.parametrize(
    "statement", ["update iam.journal set lane = 'x'", "delete from iam.journal", "truncate iam.journal"]
)
def test_the_journal_refuses_every_change(database_url: str, statement: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("insert into iam.journal (at, kind, account) values (now(), 'evaluated', gen_random_uuid())")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement)
