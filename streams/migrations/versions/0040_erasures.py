"""Who was erased by which decision, beside the keys that were destroyed: it must outlive every store."""

from alembic import op

revision = "streams_0040"
down_revision = "streams_0002"

_ERASURE = """
create table streams.erasure (
    decision text not null,
    person text not null,
    asked_by text not null,
    approved_by text not null,
    names jsonb not null default '[]',
    heads jsonb not null default '[]',
    at timestamptz not null,
    primary key (decision, person)
);
"""


def upgrade() -> None:
    op.execute(_ERASURE)
