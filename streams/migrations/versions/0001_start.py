"""The first tables of schema `streams`."""

from alembic import op

revision = "streams_0001"
down_revision = None


def upgrade() -> None:
    op.execute("select 1")
