"""The first tables of schema `mmd`: claims with heads, identities, documents, what is dirty, feeds, and what was set aside.

Texts that are ordered like Python orders them (versions, digests) collate "C". Personal content is sealed in `body`
(and so never compressed); subjects are keyed hashes. The claim's id is a hash of its natural key (decision 0030), so the primary key is the
de-duplication.
"""

from alembic import op

revision = "mmd_0001"
down_revision = None

_EPOCH = """
create table mmd.epoch (
    one boolean primary key default true check (one),
    number bigint not null
);
insert into mmd.epoch (number) values (extract(epoch from clock_timestamp())::bigint);
"""

_IDENTITY = """
create table mmd.identity (
    id text primary key,
    survivor text not null,
    kind text not null check (kind in ('person', 'unit'))
);
create index on mmd.identity (survivor);

create table mmd.subject (
    subject text primary key,
    own_id text not null
);
create index on mmd.subject (own_id);

create table mmd.edge (
    from_subject text not null,
    to_subject text not null,
    superseded boolean not null,
    logged_at timestamptz not null,
    primary key (from_subject, to_subject, superseded)
);
create index on mmd.edge (to_subject);
"""

_CLAIMS = """
create table mmd.claim (
    id uuid primary key,
    head uuid not null,
    source text not null,
    source_key text not null,
    kind text not null,
    valid_from text not null,
    version text collate "C" not null,
    digest text collate "C" not null,
    subject text not null,
    standing boolean not null,
    logged_at timestamptz not null,
    event text not null,
    key_id text not null,
    body bytea not null
);
alter table mmd.claim alter column body set storage external;
create index on mmd.claim (subject);
create index on mmd.claim (head);

create table mmd.head (
    id uuid primary key,
    claim uuid not null,
    subject text not null,
    version text collate "C" not null,
    digest text collate "C" not null
);
create index on mmd.head (subject);

create table mmd.conflict (
    subject text not null,
    kind text not null,
    source text not null,
    source_key text not null,
    digest text not null,
    logged_at timestamptz not null,
    event text not null,
    primary key (subject, kind, source, source_key, digest)
);

create table mmd.kept_aside (
    topic text not null,
    part int not null,
    position bigint not null,
    subject text not null,
    reason text not null,
    since timestamptz not null default clock_timestamp(),
    primary key (topic, part, position)
);
"""

_DOCUMENTS = """
create table mmd.document (
    id text primary key,
    kind text not null check (kind in ('person', 'unit', 'redirect')),
    number bigint not null,
    marking text,
    raised boolean not null default false,
    key_id text not null,
    body bytea not null,
    shown text not null,
    said text not null,
    next_change timestamptz,
    touched xid8 not null default pg_current_xact_id()
);
alter table mmd.document alter column body set storage external;
create index on mmd.document (touched);
create index on mmd.document (next_change) where next_change is not null;
create index on mmd.document (kind) where kind = 'unit';

create table mmd.referrer (
    target text not null,
    document text not null,
    primary key (target, document)
);
create index on mmd.referrer (document);

create table mmd.dirty (
    document text primary key,
    lane text not null check (lane in ('urgent', 'bulk')),
    number bigint not null,
    fan_out boolean not null default false,
    cause text not null,
    caused_at timestamptz not null,
    since timestamptz not null default clock_timestamp()
);
create index on mmd.dirty (lane, since);

create table mmd.lease (
    name text primary key,
    owner text not null,
    until timestamptz not null,
    busy_until timestamptz not null
);
"""

_READERS = """
create table mmd.feed_release (
    release text primary key,
    digest text not null,
    last bigint not null default 0,
    horizon xid8 not null default '0'
);

create table mmd.feed (
    release text not null,
    document text not null,
    number bigint not null,
    seq bigint,
    hash text not null,
    change text not null check (change in ('', 'person', 'unit', 'redirect', 'gone')),
    primary key (release, document)
);
create unique index on mmd.feed (release, seq);

create table mmd.disclosure (
    id bigint generated always as identity primary key,
    release text not null,
    person text not null,
    occasion text not null,
    attribute_groups text[] not null,
    restricted boolean not null,
    at timestamptz not null
);
create index on mmd.disclosure (person, at);
"""


def upgrade() -> None:
    for script in (_EPOCH, _IDENTITY, _CLAIMS, _DOCUMENTS, _READERS):
        op.execute(script)
