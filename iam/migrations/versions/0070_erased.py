"""Somebody erased is gone as of a version, not for ever: whoever returns has a newer document."""

from alembic import op

revision = "iam_0070"
down_revision = "iam_0003"

_ERASED = """
alter table iam.world_person add column erased boolean not null default false;
update iam.world_person set erased = true, epoch = 0, number = 0 where epoch = 4611686018427387904;
"""


def upgrade() -> None:
    op.execute(_ERASED)
