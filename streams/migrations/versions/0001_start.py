"""The first tables of schema `streams`: data keys, the business clock and dead letters."""

from alembic import op

revision = "streams_0001"
down_revision = None

_KEYS = """
create table streams.data_key (
    key_class text not null,
    owner text not null,
    generation integer not null,
    state text not null check (state in ('live', 'renewed', 'erased')),
    wrapped bytea,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    primary key (key_class, owner, generation),
    check ((state = 'live') = (wrapped is not null))
);
create table streams.erased_owner (
    owner text primary key,
    erased_at timestamptz not null default now()
);
"""

_CLOCK = """
create table streams.clock (
    one boolean primary key default true check (one),
    instant timestamptz,
    running boolean not null default false,
    set_at timestamptz not null default clock_timestamp()
);
"""

_DEAD_LETTERS = """
create table streams.dead_letter (
    id bigint generated always as identity primary key,
    consumer_group text not null,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    code text not null,
    detail text not null default '',
    state text not null default 'open' check (state in ('open', 'retried', 'discarded')),
    attempts integer not null default 1,
    first_seen timestamptz not null default now(),
    last_seen timestamptz not null default now(),
    closed_at timestamptz,
    closed_by text not null default '',
    unique (consumer_group, topic, partition, "offset")
);
create index dead_letter_open on streams.dead_letter (last_seen) where state = 'open';
"""


def upgrade() -> None:
    for statements in (_KEYS, _CLOCK, _DEAD_LETTERS):
        op.execute(statements)
