"""The first tables of schema `mmd`."""

from alembic import op

revision = "mmd_0001"
down_revision = None


def upgrade() -> None:
    op.execute("select 1")
