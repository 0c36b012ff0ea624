"""Execution's own tables are as they are described."""

import sqlalchemy

from iam.execute.tables import ReferenceWait, RelayLease, TargetAway, WorkRow
from streams.migrate import engine


def test_the_migrated_tables_have_exactly_the_described_columns_and_keys(database_url: str) -> None:
    db = engine(database_url)
    try:
        inspector = sqlalchemy.inspect(db)
        for model in (WorkRow, ReferenceWait, TargetAway, RelayLease):
            table = model.metadata.tables[f"iam.{model.__tablename__}"]
            found = {(c["name"], c["nullable"]) for c in inspector.get_columns(table.name, schema="iam")}
            assert found == {(column.name, column.nullable) for column in table.columns}
            keys = inspector.get_pk_constraint(table.name, schema="iam")["constrained_columns"]
            assert [column.name for column in table.primary_key] == keys
    finally:
        db.dispose()
