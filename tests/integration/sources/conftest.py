"""An edge over a real PostgreSQL and the in-memory bus."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import psycopg_pool
import pytest

from connectors.sources.edge import Edge
from streams.bus import MemoryBus
from streams.clock import SetClock
from streams.codec import Incoming, RecordCodec
from streams.contracts.claims import SourceRecord
from streams.database import open_pool
from streams.keys import MemoryKeyRing

NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
SECRET = b"s" * 32


@dataclass
class Bench:
    """What a test holds: the edge, and what it has sent."""

    edge: Edge
    bus: MemoryBus
    codec: RecordCodec
    keys: MemoryKeyRing
    clock: SetClock
    pool: psycopg_pool.ConnectionPool[psycopg.Connection]

    def records(self, topic: str) -> list[SourceRecord]:
        return [found.record for found in self.codec.decode(self.bus.log(topic)) if isinstance(found, Incoming)]

    def ids(self, topic: str) -> list[str]:
        return [message.headers["ce_id"] for message in self.bus.log(topic)]


@pytest.fixture
def pool(database_url: str) -> Iterator[psycopg_pool.ConnectionPool[psycopg.Connection]]:
    with open_pool(database_url, size=4) as found:
        yield found


@pytest.fixture
def bench(pool: psycopg_pool.ConnectionPool[psycopg.Connection]) -> Bench:
    return make_bench(pool)


def make_bench(pool: psycopg_pool.ConnectionPool[psycopg.Connection]) -> Bench:
    bus, keys, clock = MemoryBus(), MemoryKeyRing(), SetClock(NOW)
    codec = RecordCodec(keys)
    return Bench(Edge(pool, codec, bus, SECRET, clock, keys=keys, batch=7), bus, codec, keys, clock, pool)


@pytest.fixture
def new_bench(new_database: Callable[[], str]) -> Iterator[Callable[[], Bench]]:
    """Benches with a database each."""
    pools = []

    def make() -> Bench:
        pools.append(open_pool(new_database(), size=4))
        return make_bench(pools[-1])

    yield make
    for one in pools:
        one.close()
