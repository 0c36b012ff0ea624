"""The first tables of schema `connectors`."""

from alembic import op

revision = "connectors_0001"
down_revision = None


def upgrade() -> None:
    op.execute("select 1")
