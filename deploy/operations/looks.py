"""What each worker looks at: how much could be done now, told to the metrics as well.

What waits for somebody else (a target that is away, another process that holds the lease, a next try) is not pending here.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from deploy.operations import metrics as own
from deploy.wiring.base import Base
from streams import worker_metrics as measured
from streams.brake import Brake
from streams.broker import Bootstrap
from streams.contracts.errors import Rejected, Unavailable
from streams.dead_letters import DeadLetters
from streams.kafka_log import LagMeter
from streams.metrics import Meter

Look = Callable[[], int]

_SECONDS = 3.0
"""How long a look waits for a connection."""

_DIRTY = """
select lane, count(*)::int, coalesce(extract(epoch from clock_timestamp() - min(since)), 0)::float8,
       count(*) filter (where since <= clock_timestamp())::int
from mmd.dirty group by lane
"""
_ANOTHER_RELAYS = "select count(*) from mmd.lease where name = 'relay' and owner <> %s and until > clock_timestamp()"
_DOCUMENTS_DUE = "select count(*)::int from mmd.document where next_change <= %s"
_PERSONS_DUE = "select count(*)::int, min(at) from iam.due where at <= %s"
_FACTS = """
select count(*)::int, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8
from iam.outbox where delivered_at is null
"""
_ANOTHER_TELLS = """
select count(*) from iam.relay_lease where name = 'account' and owner <> %s and until > clock_timestamp()
"""
_OPERATIONS = """
select count(*)::int from iam.work w
where w.target = %s and w.ready_at <= clock_timestamp() - interval '1 second'
  and (w.until is null or w.until <= clock_timestamp())
  and not exists (select from iam.target_away a where a.target = w.target)
  and not exists (select from iam.outbox x
                  where x.account = w.account and x.kind = 'allocated' and x.delivered_at is null)
"""


class Messages:
    """Records that the group has not committed, its open dead letters by code, and what the brake holds. `close` when
    nobody looks any more."""

    def __init__(
        self, bootstrap: Bootstrap, topics: Sequence[str], brake: Brake, letters: DeadLetters, meter: Meter
    ) -> None:
        self._topics = {brake.group: topics}
        self._brake = brake
        self._letters = letters
        self._meter = meter
        self._lag = LagMeter(bootstrap)

    def __call__(self) -> int:
        self._meter.replace(measured.LETTERS, self._letters.open_by_code(self._brake.group))
        self._meter.replace(measured.BRAKE, Counter(flow.topic for flow in self._brake.held))
        try:
            found = self._lag.read(self._topics, timeout=5.0)
        except Rejected as error:  # its topics are still to be made
            raise Unavailable("service.unavailable", f"Kafka: {error.detail}") from None
        for (_, topic), count in found.items():
            self._meter.set(measured.LAG, count, topic=topic)
        return sum(found.values())

    def held(self) -> list[str]:
        return [f"{flow.source} in {flow.topic}" for flow in sorted(self._brake.held)]

    def close(self) -> None:
        self._lag.close()


def documents(base: Base) -> Look:
    """Documents that wait to be published, or whose day has come."""

    def look() -> int:
        with base.pool.connection(timeout=_SECONDS) as connection:
            rows = {row[0]: row[1:] for row in connection.execute(_DIRTY).fetchall()}
            due = _number(connection.execute(_DOCUMENTS_DUE, [base.clock.now()]).fetchone())
            elsewhere = _number(connection.execute(_ANOTHER_RELAYS, [base.owner]).fetchone())
        for lane in ("urgent", "bulk"):
            count, oldest, _ = rows.get(lane, (0, 0.0, 0))
            base.meter.set(own.DIRTY, count, lane=lane)
            base.meter.set(own.DIRTY_OLDEST, max(0.0, oldest), lane=lane)
        base.meter.set(own.DOCUMENTS_DUE, due)
        return 0 if elsewhere else due + sum(row[2] for row in rows.values())

    return look


def persons(base: Base) -> Look:
    """Persons whose evaluation is due."""

    def look() -> int:
        now = base.clock.now()
        with base.pool.connection(timeout=_SECONDS) as connection:
            row = connection.execute(_PERSONS_DUE, [now]).fetchone()
        count, first = row or (0, None)
        base.meter.set(own.PERSONS_DUE, count)
        base.meter.set(own.PERSONS_OLDEST, (now - first).total_seconds() if first else 0.0)
        return int(count)

    return look


def operations(base: Base, target: str) -> Look:
    """Changes that could be carried out in a target now. Their figures are shown by the executor itself."""

    def look() -> int:
        with base.pool.connection(timeout=_SECONDS) as connection:
            return _number(connection.execute(_OPERATIONS, [target]).fetchone())

    return look


def account_facts(base: Base) -> Look:
    """What the ledger decided and nobody was told yet."""

    def look() -> int:
        with base.pool.connection(timeout=_SECONDS) as connection:
            row = connection.execute(_FACTS).fetchone()
            elsewhere = _number(connection.execute(_ANOTHER_TELLS, [base.owner]).fetchone())
        count, oldest = row or (0, 0.0)
        base.meter.set(own.FACTS, count)
        base.meter.set(own.FACTS_OLDEST, max(0.0, oldest))
        return 0 if elsewhere else int(count)

    return look


def store(base: Base) -> Look:
    """The API has no queue: ready is that its store answers."""

    def look() -> int:
        with base.pool.connection(timeout=_SECONDS) as connection:
            connection.execute("select 1 from mmd.document limit 1")
        return 0

    return look


def _number(row: tuple[Any, ...] | None) -> int:
    return int(row[0]) if row else 0
