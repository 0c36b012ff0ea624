"""An edge over a real PostgreSQL and the in-memory bus, and what a test asks of them."""

import datetime as dt
import io
from dataclasses import dataclass

import psycopg
import psycopg_pool

from connectors.sources.edge import Edge
from streams.bus import MemoryBus, Producer
from streams.clock import SetClock
from streams.codec import Incoming, RecordCodec
from streams.contracts.claims import SourceRecord
from streams.keys import MemoryKeyRing

NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
SECRET = b"s" * 32
Pool = psycopg_pool.ConnectionPool[psycopg.Connection]


@dataclass
class Bench:
    """What a test holds: the edge, and what it has sent."""

    edge: Edge
    bus: MemoryBus
    codec: RecordCodec
    keys: MemoryKeyRing
    clock: SetClock
    pool: Pool

    def records(self, topic: str) -> list[SourceRecord]:
        return [found.record for found in self.codec.decode(self.bus.log(topic)) if isinstance(found, Incoming)]

    def ids(self, topic: str) -> list[str]:
        return [message.headers["ce_id"] for message in self.bus.log(topic)]

    def edge_over(self, pool: Pool, producer: Producer) -> Edge:
        """Another process of the same connector."""
        return Edge(pool, self.codec, producer, SECRET, self.clock, keys=self.keys, batch=7)


def make_bench(pool: Pool) -> Bench:
    bus, keys, clock = MemoryBus(), MemoryKeyRing(), SetClock(NOW)
    codec = RecordCodec(keys)
    return Bench(Edge(pool, codec, bus, SECRET, clock, keys=keys, batch=7), bus, codec, keys, clock, pool)


def stream(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)
