"""Rulings on identity: which merges there are and which were undone, so that a join finds them without opening claims."""

from alembic import op

revision = "mmd_0010"
down_revision = "mmd_0003"

_RULINGS = """
create table mmd.merge (
    subject text not null,
    name text not null,
    other_subject text not null,
    version text collate "C" not null,
    logged_at timestamptz not null,
    primary key (subject, name, other_subject, version)
);

create table mmd.split (
    subject text not null,
    name text not null,
    logged_at timestamptz not null,
    primary key (subject, name)
);
"""


def upgrade() -> None:
    op.execute(_RULINGS)
