"""What source connectors keep: total loads, the last committed snapshot, file positions, and what was rejected."""

from alembic import op

revision = "connectors_0001"
down_revision = None

_UPGRADE = """
create table connectors.source (
    name text primary key,
    last_number bigint,
    missing bigint[] not null default '{}',
    snapshot_count bigint not null default 0,
    total_stamp text collate "C" not null default '',
    heard_at timestamptz
);

create table connectors.load (
    id bigint generated always as identity primary key,
    source text not null,
    series text not null,
    state text not null
        check (state in ('opened', 'held', 'publishing', 'published', 'committed', 'void', 'aborted')),
    holds text not null default '' check (holds in ('', 'all', 'absences', 'only-absences')),
    reason text not null default '',
    stamp text collate "C" not null default '',
    files integer not null,
    declared bigint,
    found bigint not null default 0,
    rejected bigint not null default 0,
    unnamed bigint not null default 0,
    added bigint not null default 0,
    changed bigint not null default 0,
    absent bigint not null default 0,
    unchanged bigint not null default 0,
    opened_at timestamptz not null,
    settled_at timestamptz,
    decided_by text not null default '',
    decided_at timestamptz
);
create index on connectors.load (source, id);

create table connectors.load_file (
    load bigint not null references connectors.load on delete cascade,
    number integer not null,
    declared bigint,
    found bigint not null default 0,
    rejected bigint not null default 0,
    unnamed bigint not null default 0,
    complete boolean not null default false,
    primary key (load, number)
);

create table connectors.staged (
    load bigint not null,
    file integer not null,
    position bigint not null,
    source_key text collate "C" not null,
    version text collate "C" not null,
    subject text not null,
    kinds text[] not null,
    digest text not null,
    key_id text not null,
    body bytea not null,
    verdict text not null default '',
    primary key (load, file, position),
    foreign key (load, file) references connectors.load_file on delete cascade
);
create index on connectors.staged (load, source_key);

create table connectors.snapshot (
    source text not null,
    source_key text collate "C" not null,
    digest text not null,
    version text collate "C" not null,
    subject text not null,
    kinds text[] not null,
    load bigint not null,
    primary key (source, source_key)
);

create table connectors.rejected (
    id bigint generated always as identity primary key,
    source text not null,
    content_digest text not null,
    code text not null,
    detail text not null,
    position bigint not null,
    number bigint,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    key_id text not null,
    body bytea not null,
    unique (source, content_digest, code, detail)
);
create index on connectors.rejected (expires_at);
"""


def upgrade() -> None:
    for statement in _UPGRADE.split(";\n"):
        if statement.strip():
            op.execute(statement)
