"""Which records a total load no longer had, so that they count again when they come back with an old stamp."""

from alembic import op

revision = "connectors_0002"
down_revision = "connectors_0001"

_GONE = """
create table connectors.gone (
    source text not null,
    source_key text collate "C" not null,
    version text collate "C" not null,
    primary key (source, source_key)
);
"""


def upgrade() -> None:
    op.execute(_GONE)
