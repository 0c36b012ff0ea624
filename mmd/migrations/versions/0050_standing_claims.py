"""Claims that count whatever is newer (markings, rulings) are found by themselves, not among all versions of all the others."""

from alembic import op

revision = "mmd_0050"
down_revision = "mmd_0040"


def upgrade() -> None:
    op.execute("create index claim_standing on mmd.claim (subject) where standing")
