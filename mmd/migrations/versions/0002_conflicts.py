"""Conflicts: of what an undesignated source says of one thing only the newest is kept, with a digest that is compared.

What was kept before cannot be compared with anything, and goes: the next change of its record
gives it again.
"""

from alembic import op

revision = "mmd_0002"
down_revision = "mmd_0001"

_CONFLICTS = """
drop table mmd.conflict;
create table mmd.conflict (
    source text not null,
    source_key text not null,
    kind text not null,
    valid_from text not null,
    version text collate "C" not null,
    digest text collate "C" not null,
    subject text collate "C" not null,
    event text collate "C" not null,
    logged_at timestamptz not null,
    primary key (source, source_key, kind, valid_from)
);
create index on mmd.conflict (subject);
create index on mmd.conflict (logged_at, source, source_key, kind, valid_from) where digest <> '';
"""


def upgrade() -> None:
    op.execute(_CONFLICTS)
