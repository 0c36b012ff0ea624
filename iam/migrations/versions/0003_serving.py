"""What an account has ever served, and redirects as they were told, each with the moment when it was heard of."""

from alembic import op

revision = "iam_0003"
down_revision = "iam_0002"

_ACCOUNTS = """
create sequence iam.serving;
alter table iam.account add column served jsonb not null default '{}';
update iam.account set served = (select coalesce(jsonb_object_agg(persona, 0), '{}') from unnest(personas) as persona);
"""

_REDIRECTS = """
alter table iam.world_redirect add column since timestamptz not null default 'epoch';

-- Where those of these persons who were redirected live on, and since when (the last step of the way). A ring of redirects,
-- which two orders of arrival can make for a moment, ends somewhere in it.
create function iam.lives_on(asked text[]) returns table (id text, to_id text, since timestamptz) language sql stable as $$
    with recursive way (id, at, since, steps) as (
        select r.id, r.to_id, r.since, 1 from iam.world_redirect r where r.id = any(asked)
        union all
        select w.id, r.to_id, greatest(w.since, r.since), w.steps + 1
        from way w join iam.world_redirect r on r.id = w.at where w.steps < 100
    )
    select distinct on (w.id) w.id, w.at, w.since from way w order by w.id, w.steps desc
$$;
"""


def upgrade() -> None:
    op.execute(_ACCOUNTS)
    op.execute(_REDIRECTS)
