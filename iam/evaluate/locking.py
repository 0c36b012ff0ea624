"""Transactions of evaluation: everything that is written or looked at is locked first, in one order for everyone."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
import psycopg_pool

from iam.store.world import Connection, take_locks
from streams.contracts.errors import Unavailable

log = logging.getLogger(__name__)

Pool: TypeAlias = psycopg_pool.ConnectionPool[psycopg.Connection]

_TRIES = 8


@dataclass(frozen=True, slots=True)
class Locks:
    """Things (unit keys, `person:<id>`) to lock alone, because they are written, and shared, because they are read."""

    alone: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()

    def __or__(self, other: "Locks") -> "Locks":
        return Locks(self.alone | other.alone, self.shared | other.shared)

    @property
    def all(self) -> frozenset[str]:
        return self.alone | self.shared

    def take(self, connection: Connection) -> None:
        take_locks(connection, self.alone, self.shared - self.alone)


class NotLocked(Exception):
    """What is touched turned out to be more than was locked: begin again with these locked too."""

    def __init__(self, alone: Collection[str] = (), shared: Collection[str] = ()) -> None:
        super().__init__(f"{len(alone)} alone, {len(shared)} shared")
        self.locks = Locks(frozenset(alone), frozenset(shared))


def run_locked(pool: Pool, work: Callable[[Connection, Locks], None]) -> None:
    """Run `work` in a transaction, from the start with more locks when it raises `NotLocked`, and again when the database
    breaks a ring of waits. Raises `Unavailable` when that never ends."""
    more = Locks()
    for _ in range(_TRIES):
        try:
            with pool.connection() as connection, connection.transaction():
                work(connection, more)
                return
        except NotLocked as error:
            more |= error.locks
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            log.info("a transaction of evaluation is tried again after a conflict")
    raise Unavailable("service.unavailable", "evaluation could not lock what it looks at")
