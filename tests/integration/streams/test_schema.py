"""The migrated schema is what streams/tables.py says."""

import sqlalchemy

from streams.migrate import engine
from streams.tables import METADATA


def test_the_migrated_tables_have_the_columns_that_are_described(database_url: str) -> None:
    db = engine(database_url)
    found = sqlalchemy.MetaData(schema="streams")
    found.reflect(db)
    db.dispose()
    tables = {name: table for name, table in found.tables.items() if not name.endswith("alembic_version")}
    assert tables.keys() == METADATA.tables.keys()
    for name, table in tables.items():
        described = METADATA.tables[name]
        assert {c.name: c.nullable for c in table.columns} == {c.name: c.nullable for c in described.columns}, name
        assert {c.name for c in table.primary_key} == {c.name for c in described.primary_key}, name
        for column in table.columns:
            assert column.type._type_affinity is described.columns[column.name].type._type_affinity, column
