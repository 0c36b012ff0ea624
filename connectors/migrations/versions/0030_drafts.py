"""Reorganisations as drafts, which wait at the edge until somebody lets them take effect as one."""

from alembic import op

revision = "connectors_0030"
down_revision = "connectors_0002"

_DRAFT = """
create table connectors.draft (
    id text primary key,
    title text not null,
    decision text not null,
    takes_effect date not null,
    state text not null check (state in ('draft', 'publishing', 'committed', 'void')),
    version text not null default '',
    units bytea not null,
    loaded_at timestamptz not null,
    decided_by text not null default '',
    decided_at timestamptz
);
"""


def upgrade() -> None:
    op.execute(_DRAFT)
