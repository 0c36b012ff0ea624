"""How often somebody was erased: a batch that was prepared before an erasure is prepared again (decision 0290)."""

from alembic import op

revision = "mmd_0040"
down_revision = "mmd_0030"


def upgrade() -> None:
    op.execute("alter table mmd.epoch add column erasures bigint not null default 0")
