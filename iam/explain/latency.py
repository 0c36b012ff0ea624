"""How long changes take: from the first logging of a cause to the read-back that shows it done, from the journal."""

import datetime as dt

import msgspec

from iam.domain.account import Lane
from iam.execute.queue import Pool


class Latency(msgspec.Struct, frozen=True):
    """Seconds. `count` operations; of none there are no figures."""

    count: int
    median: float | None = None
    p95: float | None = None
    worst: float | None = None


class Latencies(msgspec.Struct, frozen=True):
    """All operations, and by lane. `unmeasured`: operations whose cause has no time of logging."""

    all: Latency
    lanes: dict[str, Latency]
    unmeasured: int


# The first read-back that shows a desired version done; a version that needed no call is no operation.
_FIGURES = """
with done as (
    select distinct on (account, target, desired_version) lane, at, caused_at
    from iam.journal
    where kind = 'result' and outcome in ('done', 'unchanged', 'waits') and duration_ms is not null
      and (%(since)s::timestamptz is null or at >= %(since)s)
      and (%(cause)s::text is null or cause = %(cause)s)
    order by account, target, desired_version, id
), measured as (
    select lane, extract(epoch from at - caused_at)::float as seconds from done where caused_at is not null
)
select coalesce(lane, ''), count(*)::int,
       percentile_cont(0.5) within group (order by seconds), percentile_cont(0.95) within group (order by seconds),
       max(seconds), (select count(*)::int from done where caused_at is null)
from measured group by grouping sets ((), (lane))
"""


def latencies(pool: Pool, *, since: dt.datetime | None = None, cause: str | None = None) -> Latencies:
    """Of all operations, or of those read back from `since` (business time) on, or of one causing event."""
    with pool.connection() as connection:
        rows = connection.execute(_FIGURES, {"since": since, "cause": cause}).fetchall()
    found = {row[0]: Latency(*row[1:5]) for row in rows if row[1]}
    lanes = {lane.value: found[lane.value] for lane in Lane if lane.value in found}
    unmeasured = next((row[5] for row in rows if row[0] == ""), 0)
    return Latencies(found.get("", Latency(0)), lanes, unmeasured)
