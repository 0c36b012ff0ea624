"""The queue of execution: what differs, by lane, with the lease of whoever works on it; and the relay's lease."""

from alembic import op

revision = "iam_0002"
down_revision = "iam_0001"

_TABLES = """
create sequence iam.attempt;

create table iam.work (
    account uuid not null,
    target text not null,
    lane text not null check (lane in ('protect', 'disable', 'remove', 'update', 'create')),
    rank smallint not null,
    version bigint not null,
    queued_at timestamptz not null default clock_timestamp(),
    ready_at timestamptz not null default clock_timestamp(),
    owner text,
    until timestamptz,
    attempt bigint,
    primary key (account, target)
);
create index work_next on iam.work (target, rank, queued_at);

create table iam.reference_wait (
    account uuid not null,
    target text not null,
    refers_to uuid not null,
    primary key (account, target)
);
create index reference_wait_on on iam.reference_wait (refers_to, target);

create table iam.target_away (
    target text primary key,
    since timestamptz not null default clock_timestamp()
);

create table iam.relay_lease (
    name text primary key,
    owner text not null,
    until timestamptz not null
);
"""

_FUNCTIONS = """
create function iam.lane_rank(lane text) returns smallint language sql immutable parallel safe as $$
    select case lane when 'protect' then 0 when 'disable' then 1 when 'remove' then 2 when 'update' then 3 else 4 end
$$;

-- The lane in which a desired row waits, against what was last observed: a change of title that is written after an end
-- which is not yet carried out waits as an end. An unknown account counts as one that may be enabled.
create function iam.work_lane(wanted iam.desired) returns text language sql stable as $$
    select case
        when o.account is null or o.status = 'never' or (o.status = 'known' and o.presence = 'absent')
            then case when wanted.create_missing then 'create' else 'disable' end
        when wanted.lane = 'protect' then 'protect'
        when wanted.presence <> 'enabled' and (o.status = 'unknown' or o.presence <> wanted.presence) then 'disable'
        when not o.groups <@ wanted.groups then 'remove'
        else 'update' end
    from (select 1) one left join iam.observed o on o.account = wanted.account and o.target = wanted.target
$$;

-- A new desired version is work at once, in the transaction that wrote it. A call under way goes on and finds the newer
-- version when it is done. A version that is replaced while it waits keeps its place, and keeps protecting.
create function iam.desired_is_work() returns trigger language plpgsql as $$
declare
    found text := iam.work_lane(new);
begin
    insert into iam.work as w (account, target, lane, rank, version)
    values (new.account, new.target, found, iam.lane_rank(found), new.version)
    on conflict (account, target) do update set
        lane = case when w.lane = 'protect' then w.lane else excluded.lane end,
        rank = case when w.lane = 'protect' then w.rank else excluded.rank end,
        version = excluded.version,
        ready_at = excluded.ready_at,
        queued_at = case when excluded.rank < w.rank then excluded.queued_at else w.queued_at end;
    perform pg_notify('iam_work', new.target);
    return null;
end $$;

create trigger desired_inserted after insert on iam.desired
    for each row execute function iam.desired_is_work();
create trigger desired_changed after update on iam.desired
    for each row when (new.version is distinct from old.version) execute function iam.desired_is_work();

create function iam.outbox_is_filled() returns trigger language plpgsql as $$
begin
    perform pg_notify('iam_outbox', '');
    return null;
end $$;

create trigger outbox_inserted after insert on iam.outbox
    for each statement execute function iam.outbox_is_filled();

create function iam.desired_is_no_work() returns trigger language plpgsql as $$
begin
    delete from iam.work where account = old.account and target = old.target;
    delete from iam.reference_wait where account = old.account and target = old.target;
    return null;
end $$;

create trigger desired_deleted after delete on iam.desired
    for each row execute function iam.desired_is_no_work();
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_FUNCTIONS)
