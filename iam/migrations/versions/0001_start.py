"""The first tables of schema `iam`: the world as events told it, accounts and names, desired beside observed, journal."""

from alembic import op

revision = "iam_0001"
down_revision = None

_WORLD = """
create table iam.world_person (
    id text primary key,
    epoch bigint not null default 0,
    number bigint not null default 0,
    key_id text not null default '',
    body bytea,
    restricted boolean not null default true,
    policy text not null default '',
    next_change timestamptz,
    cause text not null default '',
    caused_at timestamptz
);
create index world_person_policy on iam.world_person (policy);
create table iam.world_unit (
    id text primary key,
    epoch bigint not null,
    number bigint not null,
    body bytea not null,
    parents text[] not null default '{}'
);
create table iam.world_redirect (
    id text primary key,
    to_id text not null,
    epoch bigint not null default 0,
    number bigint not null default 0,
    claimed boolean not null default false
);
create index world_redirect_to on iam.world_redirect (to_id);
create table iam.read_index (
    thing text not null,
    person text not null,
    primary key (thing, person)
);
create index read_index_person on iam.read_index (person);
create table iam.due (
    person text primary key,
    at timestamptz not null,
    priority smallint not null default 5,
    cause text not null default '',
    caused_at timestamptz
);
create index due_order on iam.due (priority, at);
"""

_ACCOUNTS = """
create table iam.account (
    id uuid primary key,
    person_id text not null,
    first_person text not null,
    employer text not null,
    class text not null,
    personas text[] not null default '{}',
    created_at timestamptz not null
);
create index account_person on iam.account (person_id, employer, class);
create table iam.name_ledger (
    kind text not null check (kind in ('uid', 'eppn', 'mail')),
    name text not null,
    account uuid not null,
    allocated_at timestamptz not null,
    event_id text not null,
    primary key (kind, name)
);
create unique index name_ledger_account on iam.name_ledger (account, kind);
create table iam.outbox (
    id bigserial primary key,
    event_id text not null unique,
    account uuid not null,
    person_id text not null,
    kind text not null check (kind in ('allocated', 'personas')),
    facts bytea not null,
    created_at timestamptz not null,
    delivered_at timestamptz
);
create index outbox_waiting on iam.outbox (id) where delivered_at is null;
create index outbox_account on iam.outbox (account) where delivered_at is null;
"""

_STATE = """
create table iam.desired (
    account uuid not null,
    target text not null,
    version bigint not null,
    lane text not null check (lane in ('protect', 'disable', 'remove', 'update', 'create')),
    digest text not null,
    create_missing boolean not null,
    presence text not null,
    groups text[] not null default '{}',
    key_id text not null,
    body bytea not null,
    cause text not null,
    caused_at timestamptz,
    source_stamp text not null default '',
    changed_at timestamptz not null,
    primary key (account, target)
);
create table iam.observed (
    account uuid not null,
    target text not null,
    status text not null default 'never' check (status in ('never', 'known', 'unknown')),
    attempt bigint not null default 0,
    digest text not null default '',
    presence text not null default 'absent',
    version bigint not null default 0,
    groups text[] not null default '{}',
    native_id text not null default '',
    target_version text not null default '',
    read_at timestamptz,
    next_try_at timestamptz,
    failures integer not null default 0,
    error_code text not null default '',
    primary key (account, target)
);
"""

_JOURNAL = """
create table iam.journal (
    id bigserial primary key,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    kind text not null check (kind in ('allocated', 'evaluated', 'intent', 'result')),
    person_id text not null default '',
    account uuid not null,
    target text not null default '',
    lane text not null default '',
    attempt bigint not null default 0,
    desired_version bigint not null default 0,
    attributes text[] not null default '{}',
    groups_added text[] not null default '{}',
    groups_removed text[] not null default '{}',
    groups text[] not null default '{}',
    presence text not null default '',
    digest_before text not null default '',
    digest_after text not null default '',
    outcome text not null default '',
    error_code text not null default '',
    duration_ms integer,
    cause text not null default '',
    caused_at timestamptz,
    reasons jsonb not null default '[]'
);
create index journal_account on iam.journal (account, target, id);
create index journal_person on iam.journal (person_id, id);
create function iam.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'iam.journal is append-only';
end $$;
create trigger journal_append_only before update or delete on iam.journal
    for each row execute function iam.refuse_change();
create trigger journal_no_truncate before truncate on iam.journal
    for each statement execute function iam.refuse_change();
"""


def upgrade() -> None:
    for part in (_WORLD, _ACCOUNTS, _STATE, _JOURNAL):
        op.execute(part)
