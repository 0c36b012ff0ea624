"""Provisioning over a real PostgreSQL, told what the master says by messages as they come from Kafka."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import psycopg_pool
import pytest

from iam.domain.account import AccountState, Intent
from iam.domain.policy import Policy
from iam.evaluate.handler import EvaluateHandler
from iam.evaluate.timers import Timers
from iam.store.state import Accounts
from streams.catalogue import MMD_ORGANISATION, MMD_PERSON
from streams.clock import SetClock
from streams.codec import Outgoing, PublishedCodec
from streams.contracts.documents import PersonDocument, Published, Redirect, UnitDocument, Version, Withheld
from streams.database import open_pool
from streams.envelope import Message, new_event_id
from streams.keys import MemoryKeyRing
from tests.unit.iam_domain.making import DAY, DOMAIN, POLICY, SECRET, UNITS, at

Said = PersonDocument | UnitDocument | Redirect | Withheld


@dataclass
class Iam:
    """One store of provisioning with its handler and timers; `say` speaks as the master's relay does."""

    pool: "psycopg_pool.ConnectionPool[psycopg.Connection]"
    keys: MemoryKeyRing = field(default_factory=MemoryKeyRing)
    clock: SetClock = field(default_factory=lambda: SetClock(at(DAY)))
    policy: Policy = POLICY
    number: int = 0

    @property
    def codec(self) -> PublishedCodec:
        return PublishedCodec(self.keys)

    @property
    def handler(self) -> EvaluateHandler:
        return EvaluateHandler(self.pool, self.codec, self.keys, self.policy, SECRET, DOMAIN, self.clock)

    @property
    def timers(self) -> Timers:
        return Timers(self.pool, self.keys, self.policy, SECRET, DOMAIN, self.clock)

    def message(self, document: Said, *, number: int | None = None) -> Message:
        """A message with the next version number, or this one."""
        self.number += 1
        version = Version(1, self.number if number is None else number)
        now = self.clock.now()
        cause = f"cause-{version.number}"
        match document:
            case PersonDocument():
                record = Published(version, person=document, cause=cause, caused_at=now)
            case UnitDocument():
                record = Published(version, unit=document, cause=cause, caused_at=now)
            case Redirect():
                record = Published(version, redirect=document, cause=cause, caused_at=now)
            case Withheld():
                record = Published(version, withheld=document, cause=cause, caused_at=now)
        topic = MMD_ORGANISATION if isinstance(document, UnitDocument) else MMD_PERSON
        return self.codec.encode([Outgoing(topic, record, new_event_id(), now)])[0]

    def say(self, *documents: Said) -> None:
        self.handler([self.message(document) for document in documents])

    def settle(self) -> int:
        """Run the timers until nothing is due; returns how many persons were evaluated."""
        total = 0
        for _ in range(50):
            done = self.timers.run_once()
            total += done
            if not done:
                return total
        raise AssertionError("the timers never come to rest")

    def pass_to(self, instant: dt.datetime) -> None:
        self.clock.instant = instant
        self.settle()

    def rows(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self.pool.connection() as connection:
            return connection.execute(statement, arguments).fetchall()

    def versions(self) -> dict[tuple[str, str], int]:
        return {(str(a), t): v for a, t, v in self.rows("select account, target, version from iam.desired")}

    def intent(self, person: str = "p1", target: str = "directory") -> Intent:
        """The one intent of a person with one account."""
        (account,) = Accounts(self.pool, self.keys).of_person(person)
        (view,) = [view for view in account.targets if view.target == target]
        assert view.intent is not None
        return view.intent

    def state(self, person: str = "p1", target: str = "directory") -> AccountState:
        return self.intent(person, target).state


@pytest.fixture
def new_iam(new_database: Callable[[], str]) -> Iterator[Callable[[], Iam]]:
    """Makes empty stores of provisioning; the organisation is not known yet."""
    pools = []

    def make() -> Iam:
        pool = open_pool(new_database(), size=6, name="iam-test")
        pools.append(pool)
        return Iam(pool)

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def iam(new_iam: Callable[[], Iam]) -> Iam:
    """A store of provisioning that knows the organisation."""
    made = new_iam()
    made.say(*UNITS.values())
    return made
