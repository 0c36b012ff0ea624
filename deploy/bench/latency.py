"""End to end: from the source's stamp of one single change to the read-back in the last target it concerns."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from connectors.targets.port import Observed, Presence
from deploy.bench.accounts import CLOUD, DIRECTORY
from deploy.bench.bulk import Bulk
from deploy.bench.figures import Figure, Series, limit
from deploy.bench.machine import OthersMeter
from deploy.bench.population import Employee, Population
from deploy.bench.waiting import Pool, number
from streams.contracts.errors import Unavailable
from streams.kafka import KafkaProducer

IDLE_LIMIT, BULK_LIMIT = 5.0, 15.0
_PATIENCE = 60.0
_POLL = 0.01

_MARK = "select coalesce(max(id), 0) from iam.journal"
_DONE = """
select target, max(recorded_at) from iam.journal
where person_id = %s and id > %s and kind = 'result' and outcome = 'done' group by target
"""

_AsWanted = Callable[[Employee, dict[str, Observed | None]], bool]


def _revoked(_: Employee, accounts: dict[str, Observed | None]) -> bool:
    return all(one is not None and one.state.presence is Presence.DISABLED for one in accounts.values())


def _hidden(employee: Employee, accounts: dict[str, Observed | None]) -> bool:
    """Works on in the directory without the name; no sign-in and no name in the cloud."""
    held = [value for one in accounts.values() if one is not None for value in one.state.attributes.values()]
    cloud = accounts[CLOUD]
    return not any(employee.person.family in value for value in held) and (
        cloud is None or cloud.state.presence is not Presence.ENABLED
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    title: str
    change: Callable[[Population, Employee, dt.datetime], None]
    as_wanted: _AsWanted


_REVOCATION = _Kind("revocation", "a revocation (HR: ended)", Population.end, _revoked)
_MARKING = _Kind("marking", "a sekretessmarkering (Navet)", Population.mark, _hidden)
KINDS = (_REVOCATION, _MARKING)


@dataclass(slots=True)
class Latency:
    """Takes a new employee for every change. `left`: those to whom nothing has happened yet."""

    population: Population
    left: list[Employee]
    kafka: str

    def idle(self, count: int) -> list[Figure]:
        """`count` single changes of each kind, in turn; each begins when the one before has been read back."""
        meter = OthersMeter()
        meter.start()
        found: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
        for _ in range(count):
            for kind in KINDS:
                found[kind.name].append(self._change(kind))
        others = meter.share()
        return [
            Figure(
                f"latency-{kind.name}-idle",
                f"{kind.title}, idle",
                "s",
                Series(tuple(found[kind.name])),
                limit("required", IDLE_LIMIT),
                tail=True,
                note="source stamp to read-back in both targets",
                others=others,
            )
            for kind in KINDS
        ]

    def behind(self, bulk: Bulk, persons: int, employed: int, *, most: int) -> list[Figure]:
        """Changes in turn from the moment at which the bulk was sent, for as long as something of it waits."""
        meter, quiet = OthersMeter(), self.population.world.quiet
        messages = bulk.messages(persons, employed)
        producer = KafkaProducer(self.kafka, client_id="bench")
        meter.start()
        for message in messages:
            producer.send(message)
        producer.flush()
        began = time.monotonic()
        found: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
        waiting: list[int] = []
        while len(waiting) < 2 * most and len(self.left) > 1:
            pending = sum(quiet.pending().values())
            if pending == 0:
                break
            kind = KINDS[len(waiting) % 2]
            waiting.append(pending)
            found[kind.name].append(self._change(kind))
        seconds, others = time.monotonic() - began, meter.share()
        if not all(found.values()):
            raise Unavailable("service.unavailable", "bench: the bulk was done before a change could be made")
        note = f"{len(messages)} bulk events sent at once ({employed} employments); {min(waiting)} to {max(waiting)} waited"
        return [
            Figure(
                f"latency-{kind.name}-behind-bulk",
                f"{kind.title}, behind {len(messages)} bulk events",
                "s",
                Series(tuple(found[kind.name])),
                limit("required", BULK_LIMIT),
                tail=True,
                note=note,
                others=others,
                details={"bulk events": len(messages), "seconds of measuring": seconds, "least waiting": min(waiting)},
            )
            for kind in KINDS
        ]

    def _change(self, kind: _Kind) -> float:
        """Seconds. What counts is when the read-back of the last target was recorded; that the targets really are so is
        read from them."""
        employee = self.left.pop()
        readings, pool = self.population.world.readings, self.population.world.base.pool
        person = readings.person_id(employee.person.number)
        keys = readings.account_keys(person) if person else []
        if person is None or len(keys) != 1:
            raise Unavailable("service.unavailable", "bench: an employee without an account of its own")
        mark = int(number(pool, _MARK))
        stamp = dt.datetime.now(dt.UTC)
        kind.change(self.population, employee, stamp)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            done = _done(pool, person, mark)
            if done.keys() >= {DIRECTORY, CLOUD}:
                accounts = {name: target.read(keys[0]) for name, target in readings.targets.items()}
                if kind.as_wanted(employee, accounts):
                    return max((at - stamp).total_seconds() for at in done.values())
            time.sleep(_POLL)
        raise Unavailable("service.unavailable", f"bench: {kind.name}: not in the targets after {_PATIENCE:.0f} s")


def _done(pool: Pool, person: str, mark: int) -> dict[str, dt.datetime]:
    with pool.connection() as connection:
        return dict(connection.execute(_DONE, (person, mark)).fetchall())
