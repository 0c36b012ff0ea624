"""When is everything quiet? What was published has reached every consumer, nothing is dirty, nothing due, no work left.

Work that waits for its next try, or for a target that is away, is work: only what a target refuses is left out, because
no waiting mends that.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
import psycopg_pool

from deploy.wiring.groups import GROUPS
from streams.clock import Clock
from streams.contracts.errors import Unavailable
from streams.kafka_log import LagMeter

_PENDING = """
select 'documents to publish', count(*) from mmd.dirty
union all select 'documents due by date', count(*) from mmd.document where next_change <= %(now)s
union all select 'persons to evaluate', count(*) from iam.due where at <= %(now)s
union all select 'account facts to deliver', count(*) from iam.outbox where delivered_at is null
union all select 'operations under way', count(*) from iam.work where until > clock_timestamp()
union all select 'operations waiting', count(*) from iam.work w
    where not exists (select from iam.observed o where o.account = w.account and o.target = w.target
                      and o.error_code = 'target.refused')
"""
_HELD_BY_A_RESTORE = "operations"
_MARK = "select (select coalesce(max(id), 0) from iam.journal), (select coalesce(sum(number), 0) from mmd.document)"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Looks at lag and stores; changes nothing."""

    pool: psycopg_pool.ConnectionPool[psycopg.Connection]
    lag: LagMeter
    clock: Clock

    def pending(self) -> dict[str, int]:
        """What is still to do, by kind; empty when everything is quiet."""
        try:
            lag = self.lag.read(GROUPS)
        except Unavailable:
            return {"answer of the broker": 1}
        found: dict[str, int] = {}
        for (group, _), count in lag.items():
            if count:
                found[f"messages for {group}"] = found.get(f"messages for {group}", 0) + count
        with self.pool.connection() as connection:
            rows = connection.execute(_PENDING, {"now": self.clock.now()}).fetchall()
        found.update({str(kind): int(count) for kind, count in rows if count})
        return found

    def unread(self) -> dict[str, int]:
        """What is still to be done before a restore is finished: all but the operations, which it holds."""
        return {kind: count for kind, count in self.pending().items() if not kind.startswith(_HELD_BY_A_RESTORE)}

    def wait(self, seconds: float, pause: float = 0.1, *, held: bool = False) -> None:
        """Return when nothing is pending and nothing has moved between two looks. `held`: a restore holds the operations,
        which are not waited for.

        Raises `Unavailable("service.unavailable")` telling what is still pending when the time is out.
        """
        deadline = time.monotonic() + seconds
        before: object = None
        pending: Mapping[str, int] = {}
        while time.monotonic() < deadline:
            pending = self.unread() if held else self.pending()
            mark = self._mark()
            if not pending and mark == before:
                return
            before = mark if not pending else None
            time.sleep(pause)
        left = ", ".join(f"{count} {kind}" for kind, count in pending.items())
        raise Unavailable("service.unavailable", f"not quiet after {seconds:.0f} s: {left}")

    def _mark(self) -> tuple[object, ...]:
        with self.pool.connection() as connection:
            row = connection.execute(_MARK).fetchone()
        return tuple(row or ())
