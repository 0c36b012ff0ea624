"""The queue of execution in PostgreSQL: what differs, taken by a short lease, revocations first.

A lease is (owner, until, attempt) on one row of `iam.work`, written by one statement; no row lock is held while a
target works. Attempts are numbered over the whole database, so that (owner, attempt) is never mistaken for another.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
import psycopg_pool
from psycopg.rows import class_row

from iam.execute.metrics import Outcome

type_Pool = psycopg_pool.ConnectionPool[psycopg.Connection]

REVOCATION_RANK = 1
"""Lanes protect (0) and disable (1) have a thread of their own."""
LAST_RANK = 4


@dataclass(frozen=True, slots=True)
class Taken:
    """One (account, target) under lease, with what is desired and what was last observed when it was taken."""

    account: str
    target: str
    lane: str
    attempt: int
    version: int
    digest: str
    key_id: str
    body: bytes
    cause: str
    caused_at: dt.datetime | None
    observed_status: str
    observed_digest: str
    observed_presence: str
    observed_groups: Sequence[str]
    failures: int

    @property
    def revocation(self) -> bool:
        return self.lane in ("protect", "disable")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Figures of one target and lane; `oldest_seconds` is the age of the change that has waited longest."""

    target: str
    lane: str
    count: int
    oldest_seconds: float


_TAKE = """
with next as (
    select w.account, w.target from iam.work w
    where w.target = %(target)s and w.rank <= %(rank)s and w.ready_at <= clock_timestamp()
      and (w.until is null or w.until <= clock_timestamp())
      and not exists (select from iam.outbox x where x.account = w.account and x.delivered_at is null)
    order by w.rank, w.queued_at, w.account limit 1
    for update skip locked
), taken as (
    update iam.work w
    set owner = %(owner)s, attempt = nextval('iam.attempt'),
        until = clock_timestamp() + make_interval(secs => %(seconds)s)
    from next where w.account = next.account and w.target = next.target
    returning w.account, w.target, w.attempt
)
select d.account::text, d.target, d.lane, taken.attempt, d.version, d.digest, d.key_id, d.body, d.cause, d.caused_at,
       coalesce(o.status, 'never') as observed_status, coalesce(o.digest, '') as observed_digest,
       coalesce(o.presence, '') as observed_presence, coalesce(o.groups, '{}') as observed_groups,
       coalesce(o.failures, 0) as failures
from taken join iam.desired d using (account, target) left join iam.observed o using (account, target)
"""

_SWEEP = """
insert into iam.work (account, target, lane, rank, version)
select d.account, d.target, d.lane, iam.lane_rank(d.lane), d.version
from iam.desired d left join iam.observed o using (account, target)
where (o.account is null or o.status = 'unknown' or o.digest is distinct from d.digest)
on conflict (account, target) do nothing
"""
