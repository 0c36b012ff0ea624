"""What every leg needs: pools, data keys, clocks, dead letters, and the data files."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import psycopg
import psycopg_pool

from deploy.settings import Settings
from streams.brake import Brake, HeldFlows
from streams.clock import Clock, SystemTicker, Ticker
from streams.clock_row import DatabaseClock
from streams.database import open_pool
from streams.dead_letters import DeadLetters
from streams.keys import PostgresKeyRing
from streams.metrics import Meter
from streams.revisions import guard
from streams.sealing import KeyRing, KeyState
from streams.worker_metrics import KEY_MISSES

KEYS = "streams"
PACKAGES = (KEYS, "connectors", "mmd", "iam")
"""Every package that has a schema, in the order in which they are migrated."""

Pool = psycopg_pool.ConnectionPool[psycopg.Connection]


@dataclass(frozen=True)
class Base:
    """The parts of one process. Pools open at first use. `schemas`: packages whose schemas must be those of this program."""

    settings: Settings
    name: str
    pool_size: int = 4
    given_clock: Clock | None = None  # the direct replay moves its own
    meter: Meter = field(default_factory=Meter)
    schemas: tuple[str, ...] = ()

    @cached_property
    def pool(self) -> Pool:
        return open_pool(
            self.settings.store_url,
            size=self.pool_size,
            name=f"kallan-{self.name}",
            guard=self._guard([one for one in self.schemas if one != KEYS]),
        )

    @cached_property
    def keys_pool(self) -> Pool:
        """A pool of its own even on the same database: a key is created while a transaction of the first is open."""
        return open_pool(
            self.settings.keys_url,
            size=2,
            name=f"kallan-{self.name}-keys",
            guard=self._guard([one for one in self.schemas if one == KEYS]),
        )

    @cached_property
    def keys(self) -> KeyRing:
        """The data keys; which classes a process may use is decided by the codecs that it is given."""
        return self.key_ring()

    def key_ring(self) -> PostgresKeyRing:
        return PostgresKeyRing(self.keys_pool, self.settings.master_key, missed=self._key_missed)

    @staticmethod
    def _guard(packages: Sequence[str]) -> Callable[[psycopg.Connection], None] | None:
        return partial(guard, packages=packages) if packages else None

    def _key_missed(self, state: KeyState) -> None:
        self.meter.count(KEY_MISSES, state=state.value)

    @cached_property
    def clock(self) -> Clock:
        return self.given_clock or DatabaseClock(self.keys_pool)

    @cached_property
    def ticker(self) -> Ticker:
        return SystemTicker()

    @cached_property
    def dead_letters(self) -> DeadLetters:
        return DeadLetters(self.keys_pool)

    def brake(self, failures: int) -> Brake:
        """Of the consumer group that has this process's name."""
        return Brake(self.name, HeldFlows(self.keys_pool), failures)

    @property
    def owner(self) -> str:
        """Who holds a lease: unique to this process."""
        return f"{self.name}@{socket.gethostname()}:{os.getpid()}"

    def close(self) -> None:
        for part in ("pool", "keys_pool"):
            if part in self.__dict__:
                self.__dict__[part].close(timeout=2.0)


def migrate_all(settings: Settings) -> None:
    """Every schema to its newest version."""
    from streams.migrate import migrate  # nothing else needs what it loads

    migrate(settings.store_url, PACKAGES)
    if settings.keys_url != settings.store_url:
        migrate(settings.keys_url, ("streams",))
