"""The state of the whole system at a glance, as `kallan status` tells it. Everything is read, nothing is written."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from deploy.operations.schema import Schema
from deploy.wiring.base import Base, Pool
from deploy.wiring.groups import GROUPS
from mmd.domain.release import Release
from streams.brake import HeldFlow, HeldFlows
from streams.contracts.errors import Rejected, Unavailable
from streams.kafka_log import LagMeter
from streams.workers import WorkerState, workers


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits in one lane; `oldest_seconds` since the oldest of it came, 0 where nothing waits."""

    lane: str
    count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Operations:
    """Changes of accounts that are not carried out. `state`: `under way`, `ready`, `later` (waits for its next try),
    `refused` (the target refuses it, tried again seldom), `undelivered` (its account facts are still to be told)."""

    target: str
    lane: str
    state: str
    count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class HeldLoad:
    """A total load that waits for a decision."""

    load: int
    source: str
    holds: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Ending:
    """A release that ends soon, or has ended."""

    release: str
    until: dt.date


@dataclass(frozen=True, slots=True)
class Stores:
    """What the stores tell in one look."""

    documents: Sequence[Queue]
    persons: Queue
    account_facts: Queue
    operations: Sequence[Operations]
    targets_away: Mapping[str, float]
    unknown: Mapping[str, int]
    held_loads: Sequence[HeldLoad]


@dataclass(frozen=True, slots=True, kw_only=True)
class System(Stores):
    """All of it. `lag` by consumer group, None: the broker does not answer. Times are real, `seconds` are ages."""

    schemas: Sequence[Schema]
    workers: Sequence[WorkerState]
    lag: Mapping[str, int] | None
    dead_letters: Mapping[str, int]
    brake: Sequence[HeldFlow]
    conflicts: int
    releases: Sequence[Ending]


CONFLICTS_MOST = 1000
"""Counted up to here."""
ENDS_WITHIN_DAYS = 30

_READ_ONLY = "set transaction isolation level repeatable read, read only"
_DOCUMENTS = """
select lane, count(*)::int, greatest(0, extract(epoch from clock_timestamp() - min(since)))::float8
from mmd.dirty group by lane order by lane desc
"""
_PERSONS = """
select 'due', count(*)::int, coalesce(greatest(0, extract(epoch from %(now)s - min(at))), 0)::float8
from iam.due where at <= %(now)s
"""
_FACTS = """
select 'account facts', count(*)::int, coalesce(greatest(0, extract(epoch from %(now)s - min(created_at))), 0)::float8
from iam.outbox where delivered_at is null
"""
_OPERATIONS = """
select target, lane, state, count(*)::int, greatest(0, extract(epoch from clock_timestamp() - min(queued_at)))::float8
from (
    select w.target, w.lane, w.rank, w.queued_at, case
        when w.until > clock_timestamp() then 'under way'
        when exists (select from iam.outbox x where x.account = w.account and x.kind = 'allocated'
                     and x.delivered_at is null) then 'undelivered'
        when o.error_code = 'target.refused' then 'refused'
        when w.ready_at > clock_timestamp() then 'later'
        else 'ready' end as state
    from iam.work w left join iam.observed o using (account, target)
) one
group by target, rank, lane, state order by target, rank, state
"""
_AWAY = "select target, extract(epoch from clock_timestamp() - since)::float8 from iam.target_away order by target"
_UNKNOWN = "select target, count(*)::int from iam.observed where status = 'unknown' group by target order by target"
_HELD = """
select id, source, holds, reason, extract(epoch from %(now)s - coalesce(decided_at, settled_at, opened_at))::float8
from connectors.load where state = 'held' order by id
"""


def stores(pool: Pool, now: dt.datetime) -> Stores:
    """One consistent look; `now` is business time."""
    with pool.connection() as connection:
        connection.execute(_READ_ONLY)
        at = {"now": now}
        persons = connection.execute(_PERSONS, at).fetchone() or ("due", 0, 0.0)
        facts = connection.execute(_FACTS, at).fetchone() or ("account facts", 0, 0.0)
        return Stores(
            documents=[Queue(*row) for row in connection.execute(_DOCUMENTS).fetchall()],
            persons=Queue(*persons),
            account_facts=Queue(*facts),
            operations=[Operations(*row) for row in connection.execute(_OPERATIONS).fetchall()],
            targets_away=dict(connection.execute(_AWAY).fetchall()),
            unknown=dict(connection.execute(_UNKNOWN).fetchall()),
            held_loads=[HeldLoad(*row) for row in connection.execute(_HELD, at).fetchall()],
        )


def lag_of(meter: LagMeter) -> dict[str, int] | None:
    """Records that each group has not committed; None where the broker does not answer, or has no topics yet."""
    try:
        found = meter.read(GROUPS, timeout=5.0)
    except (Unavailable, Rejected):
        return None
    return {group: sum(count for (one, _), count in found.items() if one == group) for group in GROUPS}


def endings(releases: Mapping[str, Release], on: dt.date) -> list[Ending]:
    """Releases that are over or end within `ENDS_WITHIN_DAYS`, the nearest first."""
    soon = on + dt.timedelta(days=ENDS_WITHIN_DAYS)
    found = [Ending(name, one.valid_until) for name, one in releases.items() if one.valid_until <= soon]
    return sorted(found, key=lambda one: (one.until, one.release))


def system(
    base: Base,
    schemas: Sequence[Schema],
    lag: Mapping[str, int] | None,
    conflicts: int,
    releases: Mapping[str, Release],
    on: dt.date,
) -> System:
    """Everything. Raises what psycopg raises where a store does not answer."""
    found = stores(base.pool, base.clock.now())
    return System(
        **{one.name: getattr(found, one.name) for one in fields(found)},
        schemas=schemas,
        workers=workers(base.keys_pool),
        lag=lag,
        dead_letters=base.dead_letters.open_by_code(),
        brake=HeldFlows(base.keys_pool).list(),
        conflicts=conflicts,
        releases=endings(releases, on),
    )
