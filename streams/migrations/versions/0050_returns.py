"""Who may come back after an erasure, by which decision: beside the keys, as the erasure is."""

from alembic import op

revision = "streams_0050"
down_revision = "streams_0040"

_ERASURE = """
alter table streams.erasure
    add column owners jsonb not null default '[]',
    add column numbers jsonb not null default '[]',
    add column marking text,
    add column ended_by text;
"""

_RETURNED = """
create table streams.returned (
    decision text not null,
    person text not null,
    reason text not null,
    asked_by text not null,
    approved_by text not null,
    owners jsonb not null,
    numbers jsonb not null,
    marking text not null,
    at timestamptz not null,
    primary key (decision, person)
);
"""


def upgrade() -> None:
    op.execute(_ERASURE)
    op.execute(_RETURNED)
