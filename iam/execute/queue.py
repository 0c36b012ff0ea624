"""The queue of execution in PostgreSQL: what differs, taken by a short lease, revocations first.

A lease is (owner, until, attempt) on one row of `iam.work`, written by one statement; no row lock is held while a
target works. Attempts are numbered over the whole database, so that (owner, attempt) is never mistaken for another.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
import psycopg_pool
from psycopg.rows import class_row

from iam.domain.account import Lane

Connection: TypeAlias = psycopg.Connection
Pool: TypeAlias = psycopg_pool.ConnectionPool[psycopg.Connection]

CHANNEL = "iam_work"
"""NOTIFY channel: something became work; the payload is the target, empty for any."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One (account, target) under lease: what is desired and what was last observed when it was taken.

    `observed_status` is `never`, `known` or `unknown`. `caused_at`: when the cause was first logged, UTC.
    """

    account: str
    target: str
    person: str
    lane: str
    attempt: int
    version: int
    digest: str
    create_missing: bool
    key_id: str
    body: bytes
    cause: str
    caused_at: dt.datetime | None
    observed_status: str
    observed_digest: str
    observed_presence: str
    observed_groups: list[str]
    failures: int

    @property
    def revocation(self) -> bool:
        return self.lane in (Lane.PROTECT, Lane.DISABLE, Lane.REMOVE)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one lane of a target, and the age in seconds of what has waited longest."""

    target: str
    lane: str
    count: int
    oldest_seconds: float


_DELIVERED = """not exists (
          select from iam.outbox x where x.account = w.account and x.kind = 'allocated' and x.delivered_at is null)"""

_READY = f"""
    select w.account, w.target from iam.work w
    where w.target = %(target)s and w.rank <= %(rank)s and w.ready_at <= clock_timestamp()
      and (w.until is null or w.until <= clock_timestamp()) and {_DELIVERED}
    order by w.rank, w.queued_at, w.account limit 1
"""  # noqa: S608  # put together from constants

_TAKE = f"""
with next as ({_READY} for update skip locked),
taken as (
    update iam.work w
    set owner = %(owner)s, attempt = nextval('iam.attempt'),
        until = clock_timestamp() + make_interval(secs => %(seconds)s)
    from next where w.account = next.account and w.target = next.target
    returning w.account, w.target, w.lane, w.attempt
)
select d.account::text, d.target, coalesce(a.person_id, '') as person, taken.lane, taken.attempt, d.version, d.digest,
       d.create_missing, d.key_id, d.body, d.cause, d.caused_at, coalesce(o.status, 'never') as observed_status,
       coalesce(o.digest, '') as observed_digest, coalesce(o.presence, 'absent') as observed_presence,
       coalesce(o.groups, '{{}}') as observed_groups, coalesce(o.failures, 0) as failures
from taken
join iam.desired d using (account, target)
left join iam.account a on a.id = taken.account
left join iam.observed o using (account, target)
"""  # noqa: S608  # put together from constants

_HOLD = """
update iam.work set until = clock_timestamp() + make_interval(secs => %(seconds)s)
where account = %(account)s and target = %(target)s and owner = %(owner)s and attempt = %(attempt)s
  and until > clock_timestamp()
"""

_DONE = """
delete from iam.work
where account = %(account)s and target = %(target)s and owner = %(owner)s and attempt = %(attempt)s
  and version = %(version)s
"""

# A version that is newer than the one that was tried is ready at once, whatever became of the older.
_AGAIN = """
with found as (
    select w.account, w.target, iam.work_lane(d) as lane
    from iam.work w join iam.desired d using (account, target)
    where w.account = %(account)s and w.target = %(target)s
)
update iam.work w
set owner = null, until = null,
    ready_at = clock_timestamp() + make_interval(secs => case when w.version = %(version)s then %(delay)s else 0 end),
    lane = case when w.lane = 'protect' then w.lane else found.lane end,
    rank = case when w.lane = 'protect' then w.rank else iam.lane_rank(found.lane) end
from found
where w.account = found.account and w.target = found.target and w.owner = %(owner)s and w.attempt = %(attempt)s
"""

_SWEEP = """
insert into iam.work (account, target, lane, rank, version)
select d.account, d.target, x.lane, iam.lane_rank(x.lane), d.version
from iam.desired d
left join iam.observed o using (account, target)
cross join lateral (select iam.work_lane(d) as lane) x
left join iam.reference_wait r on r.account = d.account and r.target = d.target
left join iam.observed m on m.account = r.refers_to and m.target = r.target
where (o.account is null or o.status = 'unknown' or o.digest is distinct from d.digest
       or (o.status = 'never' and o.version <> d.version))
  and (r.account is null or (m.status = 'known' and m.presence <> 'absent'))
order by d.account, d.target
on conflict (account, target) do nothing
"""

_WAIT_FOR = """
insert into iam.reference_wait (account, target, refers_to)
select %(account)s, %(target)s, %(other)s
where not exists (select from iam.observed m where m.account = %(other)s and m.target = %(target)s
                  and m.status = 'known' and m.presence <> 'absent')
on conflict (account, target) do update set refers_to = excluded.refers_to
"""

_WAKE = """
insert into iam.work (account, target, lane, rank, version)
select d.account, d.target, 'update', iam.lane_rank('update'), d.version
from iam.reference_wait r join iam.desired d using (account, target)
where r.refers_to = %(account)s and r.target = %(target)s
order by d.account
on conflict (account, target) do update set ready_at = excluded.ready_at
"""

# The row is locked before `observed` is, as every other transaction does.
_DOUBT = """
insert into iam.work as w (account, target, lane, rank, version)
select d.account, d.target, x.lane, iam.lane_rank(x.lane), d.version
from iam.desired d
cross join lateral (select case when d.lane = 'protect' then 'protect' when d.presence <> 'enabled' then 'disable'
                                else 'update' end as lane) x
where d.account = %(account)s and d.target = %(target)s
on conflict (account, target) do update set
    ready_at = excluded.ready_at, rank = least(w.rank, excluded.rank),
    lane = case when excluded.rank < w.rank then excluded.lane else w.lane end
"""

_RETRY = """
with late as (
    select account, target from iam.work
    where ready_at > clock_timestamp() and (%(target)s::text is null or target = %(target)s)
    order by account, target for update
)
update iam.work w set ready_at = clock_timestamp() from late where w.account = late.account and w.target = late.target
"""

_WAITING = """
select target, lane, count(*)::int as count,
       extract(epoch from clock_timestamp() - min(queued_at))::float as oldest_seconds
from iam.work group by target, lane
"""


class Queue:
    """All statements on `iam.work`. `lease_seconds` must outlive the hard deadline of every target client."""

    def __init__(self, pool: Pool, owner: str, lease_seconds: float) -> None:
        self.pool = pool
        self.owner = owner
        self.lease_seconds = lease_seconds

    def take(self, target: str, most_rank: int = Lane.CREATE.rank) -> Taken | None:
        """The most urgent thing that is ready in lanes up to `most_rank`, now under lease; None: nothing is ready."""
        arguments = {"target": target, "rank": most_rank, "owner": self.owner, "seconds": self.lease_seconds}
        with self.pool.connection() as connection, connection.cursor(row_factory=class_row(Taken)) as cursor:
            return cursor.execute(_TAKE, arguments, binary=True).fetchone()

    def next_key(self, target: str) -> str | None:
        """The account that would be taken next, without taking it: what a probe of the target reads."""
        with self.pool.connection() as connection:
            row = connection.execute(_READY, {"target": target, "rank": Lane.CREATE.rank}).fetchone()
            return str(row[0]) if row else None

    def hold(self, connection: Connection, taken: Taken) -> bool:
        """Make the lease last a full term again, and lock its row for this transaction. False: it is lost."""
        arguments = {**self._lease(taken), "seconds": self.lease_seconds}
        return connection.execute(_HOLD, arguments).rowcount == 1

    def done(self, connection: Connection, taken: Taken) -> None:
        """What was taken is carried out; a version that came meanwhile is ready at once."""
        if connection.execute(_DONE, {**self._lease(taken), "version": taken.version}).rowcount == 0:
            self.again(connection, taken, 0.0)

    def again(self, connection: Connection, taken: Taken, delay: float) -> None:
        """Give the lease back, to be tried again after `delay` seconds."""
        connection.execute(_AGAIN, {**self._lease(taken), "version": taken.version, "delay": delay})

    def doubt(self, connection: Connection, taken: Taken) -> None:
        """A call came to its end after its lease had: it becomes work to find out what the account is now."""
        connection.execute(_DOUBT, {"account": taken.account, "target": taken.target})

    def wait_for(self, connection: Connection, taken: Taken, other: str) -> bool:
        """Leave what was taken alone until the account `other` is in the target. False: it is there already."""
        arguments = {"account": taken.account, "target": taken.target, "other": other}
        return connection.execute(_WAIT_FOR, arguments).rowcount == 1

    def waits_no_more(self, connection: Connection, taken: Taken) -> None:
        """What was taken waits for no other account any more."""
        connection.execute("delete from iam.reference_wait where account = %s and target = %s", self._key(taken))

    def wake_waiting(self, taken: Taken) -> None:
        """Whoever waits for this account becomes work. In a transaction of its own, which locks nothing else before;
        should it be lost, the sweep makes it good."""
        with self.pool.connection() as connection:
            connection.execute(_WAKE, {"account": taken.account, "target": taken.target})

    def sweep(self) -> int:
        """Whatever differs and is not queued becomes work: the queue follows from desired and observed at any time."""
        with self.pool.connection() as connection:
            return connection.execute(_SWEEP).rowcount

    def retry_now(self, target: str | None = None) -> int:
        """Everything that waits for a next try is ready at once."""
        with self.pool.connection() as connection:
            return connection.execute(_RETRY, {"target": target}).rowcount

    def note_target(self, target: str, *, away: bool) -> None:
        """Tell everybody whether a target answers."""
        statement = "insert into iam.target_away (target) values (%s) on conflict do nothing"
        with self.pool.connection() as connection:
            connection.execute(statement if away else "delete from iam.target_away where target = %s", [target])

    def waiting(self) -> list[Waiting]:
        with self.pool.connection() as connection, connection.cursor(row_factory=class_row(Waiting)) as cursor:
            return cursor.execute(_WAITING).fetchall()

    def _key(self, taken: Taken) -> tuple[str, str]:
        return taken.account, taken.target

    def _lease(self, taken: Taken) -> dict[str, object]:
        return {
            "account": taken.account,
            "target": taken.target,
            "owner": self.owner,
            "attempt": taken.attempt,
        }
