"""What workers tell of themselves, and what the brake on dead letters holds."""

from alembic import op

revision = "streams_0002"
down_revision = "streams_0001"

_WORKERS = """
create table streams.worker (
    owner text primary key,
    name text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null,
    moved_at timestamptz,
    code text not null default '',
    detail text not null default '',
    metrics text not null default ''
);
"""

_BRAKE = """
create table streams.brake (
    consumer_group text not null,
    topic text not null,
    source text not null,
    code text not null,
    failures integer not null,
    since timestamptz not null default clock_timestamp(),
    primary key (consumer_group, topic, source)
);
"""


def upgrade() -> None:
    op.execute(_WORKERS)
    op.execute(_BRAKE)
