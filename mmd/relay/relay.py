"""The level-triggered relay: reads what is dirty, publishes what is current, forgets what was delivered.

Nothing is ever published from the past: a row says *that* a document is to be published, never with which content. A
crash anywhere publishes the same version again. Whoever refers to something that changed is made dirty when the change
has been delivered, in the transaction that forgets it, so a reference written meanwhile is never missed.
"""

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import psycopg
import psycopg_pool

from mmd.domain.release import Release
from mmd.relay.delivered import forget
from mmd.relay.due import wake
from mmd.relay.lease import Lease
from mmd.relay.outgoing import Batch, compose, take, withheld_instead
from mmd.relay.topic_release import TopicRelease
from mmd.store.dirty import BULK, CHANNEL, URGENT
from streams.bus import Producer
from streams.clock import Clock, Ticker
from streams.codec import Outgoing, PublishedCodec
from streams.contracts.documents import Published, UnitDocument
from streams.contracts.errors import KallanError, Rejected
from streams.contracts.time import local_date
from streams.envelope import Message
from streams.failures import transient
from streams.progress import Progress
from streams.sealing import KeyClass, KeyRing

logger = logging.getLogger(__name__)

URGENT_BATCH = 50
BULK_BATCH = 250
IDLE_SECONDS = 0.25
_BACK_OFF_MOST = 5.0


class Relay:
    """Publishes documents of persons and of things (units, places, groups, legal organisations), and redirects, under the
    topic's own `release`.

    `owner` names this process; `delivery_seconds` is the producer's delivery time-out, which a successor waits out if
    this process dies with messages under way; `idle_seconds` is how soon it looks again when nobody tells it to.
    """

    def __init__(
        self,
        pool: "psycopg_pool.ConnectionPool[psycopg.Connection]",
        codec: PublishedCodec,
        keys: KeyRing,
        producer: Producer,
        release: Release,
        clock: Clock,
        ticker: Ticker,
        owner: str,
        *,
        lease_seconds: float = 3.0,
        delivery_seconds: float = 30.0,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._pool = pool
        self._codec = codec
        self._keys = keys
        self._producer = producer
        self._release = TopicRelease(release, ticker)
        self._clock = clock
        self._idle_seconds = idle_seconds
        self.progress = Progress()
        self._lease = Lease(pool, ticker, "relay", owner, seconds=lease_seconds, delivery=delivery_seconds)

    def run_once(self) -> int:
        """Publish the next batch, urgent first; how many documents were dealt with. 0: nothing to do, or another relay
        has the lease. Raises what the database or the producer raises: nothing is lost, call again."""
        if not self._lease.hold():
            return 0
        now = self._clock.now()
        on = local_date(now)
        in_force = self._release.in_force(on)
        with self._pool.connection() as connection:
            wake(connection, self._keys, now)
            if in_force:
                self._release.follow(connection, on, now)
        published = self._publish(URGENT, URGENT_BATCH, on)
        if in_force and not published:
            published = self._publish(BULK, BULK_BATCH, on)
        if published:
            self.progress.moved(published)
        return published

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then what is under way is finished and the lease is released. What does not answer
        is waited for, with one line in the log per wait; anything else is raised."""
        back_off = 0.1
        while not stop.is_set():
            try:
                with self._listening() as listener:
                    while not stop.is_set():
                        if self.run_once() == 0:
                            for _ in listener.notifies(timeout=self._idle_seconds, stop_after=1):
                                pass
                        back_off = 0.1
            except Exception as error:
                if not transient(error):
                    self.release()
                    raise
                named = error if isinstance(error, KallanError) else f"PostgreSQL ({type(error).__name__})"
                logger.warning("the relay waits %.1f s: %s", back_off, named)
                stop.wait(back_off)
                back_off = min(back_off * 2, _BACK_OFF_MOST)
        self.release()

    def release(self) -> None:
        """Give up the lease: a successor may work at once, unless something may still be under way."""
        try:
            self._lease.release()
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            logger.warning("the lease was not released and runs out by itself: %s", type(error).__name__)

    @contextmanager
    def _listening(self) -> Iterator[psycopg.Connection]:
        """A connection that hears of what becomes dirty; it goes back to the pool as it came."""
        with self._pool.connection() as connection:
            connection.autocommit = True
            try:
                connection.execute(f"listen {CHANNEL}")
                yield connection
            finally:
                if not connection.closed:
                    connection.execute(f"unlisten {CHANNEL}")
                    connection.autocommit = False

    def _publish(self, lane: str, most: int, on: dt.date) -> int:
        with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            taken, bad = take(cursor, self._keys, lane, most)
            if not taken and not bad:
                return 0
            row = cursor.execute("select number from mmd.epoch").fetchone()
            epoch = row[0] if row else 0
            batch = compose(cursor, taken, self._release.release, epoch, on)
            batch.bad.update(bad)
        raised = [one for one in taken if one.raised]
        for one in raised:
            self._renew(one.id)
        messages = self._encoded(batch)
        if not self._lease.begin_sending():
            return 0
        for message in messages:
            self._producer.send(message)
        self._producer.flush()
        for one in raised:
            self._keys.destroy_older(KeyClass.OUTER, one.id)
        self._forget(batch)
        return len(taken) + len(bad)

    def _renew(self, document: str) -> None:
        """From here on nothing is sealed any more with the key that older records were sealed with."""
        try:
            self._keys.renew(KeyClass.OUTER, document)
        except Rejected as error:
            if error.code != "key.erased":
                raise

    def _encoded(self, batch: Batch) -> list[Message]:
        """The messages in order. A document that cannot be sent holds up nobody, and whatever its version ends does end."""
        try:
            return [*batch.tombstones, *self._codec.encode(batch.records)]
        except Rejected:
            return [*batch.tombstones, *chain.from_iterable(map(self._alone, batch.records))]

    def _alone(self, one: Outgoing[Published]) -> list[Message]:
        try:
            return self._codec.encode([one])
        except Rejected as error:
            logger.error("a document cannot be published and is withheld instead: %s", error.code)  # noqa: TRY400
            return self._codec.encode([withheld_instead(one)])

    def _forget(self, batch: Batch) -> None:
        with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            forget(cursor, batch)
            self._lease.sent(connection)
        if any(isinstance(one.document, UnitDocument) for one in batch.taken):
            self._release.organisation_changed()
