"""The first tables of schema `iam`."""

from alembic import op

revision = "iam_0001"
down_revision = None


def upgrade() -> None:
    op.execute("select 1")
