"""The account relay: decisions of the ledger become events on `source.account.v1` before any target hears of them."""

import datetime as dt
import logging
import threading
from dataclasses import dataclass

import msgspec
from psycopg.rows import class_row

from iam.execute.listening import listening
from iam.execute.patience import DATABASE_AWAY, Patience
from iam.execute.queue import CHANNEL as WORK_CHANNEL
from iam.execute.queue import Pool
from iam.relay.lease import Lease
from streams.bus import Producer
from streams.catalogue import SOURCE_ACCOUNT
from streams.clock import Clock, Ticker
from streams.codec import Outgoing, RecordCodec
from streams.contracts.claims import AccountFacts, Claim, SourceRecord
from streams.contracts.errors import Rejected, Unavailable
from streams.envelope import Message
from streams.hashing import id_subject
from streams.progress import Progress

log = logging.getLogger(__name__)

CHANNEL = "iam_outbox"
SOURCE = "iam"
BATCH = 500
IDLE_SECONDS = 0.5
LEASE_SECONDS = 5.0

_FACTS = msgspec.json.Decoder(AccountFacts)
_WAITING = """
select id, event_id, account::text, person_id, facts, created_at from iam.outbox
where delivered_at is null and id <> all(%s) order by id limit %s
"""
_DELIVERED = "update iam.outbox set delivered_at = %s where id = any(%s)"


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the outbox that waits."""

    id: int
    event_id: str
    account: str
    person_id: str
    facts: bytes
    created_at: dt.datetime

    def outgoing(self) -> Outgoing[SourceRecord]:
        """The record to send. Its version sorts as text: the time of the decision, then the order of decisions."""
        moment = self.created_at.astimezone(dt.UTC)
        record = SourceRecord(
            source=SOURCE,
            source_key=self.account,
            version=f"{moment:%Y%m%d%H%M%S%f}|{self.id:019d}",
            subject=id_subject(self.person_id),
            claims=(Claim(_FACTS.decode(self.facts)),),
        )
        return Outgoing(SOURCE_ACCOUNT, record, self.event_id, moment)


class AccountRelay:
    """Publishes what the ledger decided, in order, and marks it delivered; execution waits for that mark.

    Event ids come from the outbox, so that a crash between delivery and mark sends the same event again. A person whose
    keys are erased gets no event: there is no key to seal it with, and the decision counts as delivered.
    """

    def __init__(
        self, pool: Pool, codec: RecordCodec, producer: Producer, clock: Clock, ticker: Ticker, owner: str
    ) -> None:
        self._pool = pool
        self._codec = codec
        self._producer = producer
        self._clock = clock
        self._lease = Lease(pool, ticker, "account", owner, LEASE_SECONDS)
        self._refused: set[int] = set()
        self.progress = Progress()

    def run_once(self) -> int:
        """Publish the next batch and wait for its delivery; returns how many decisions. 0: none waits, or another relay
        has the lease. Raises `Unavailable` or what the database raises: nothing is lost, call again."""
        if not self._lease.hold():
            return 0
        with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Decision)) as cursor:
            waiting = cursor.execute(_WAITING, [sorted(self._refused), BATCH]).fetchall()
        if not waiting:
            return 0
        done: list[int] = []
        for message in self._encode(waiting, done):
            self._producer.send(message)
        self._producer.flush()
        with self._pool.connection() as connection:
            connection.execute(_DELIVERED, [self._clock.now(), done])
            connection.execute("select pg_notify(%s, '')", [WORK_CHANNEL])
        self.progress.moved(len(done))
        return len(done)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then finish the batch under way and give up the lease. What does not answer is
        waited for."""
        patience = Patience("account relay")
        while not stop.is_set():
            try:
                self._listen_and_publish(stop, patience)
            except (*DATABASE_AWAY, Unavailable) as error:
                patience.wait(error, stop)
        try:
            self._lease.release()
        except DATABASE_AWAY:
            log.warning("account relay: the database is away, the lease runs out by itself")

    def _listen_and_publish(self, stop: threading.Event, patience: Patience) -> None:
        with listening(self._pool, CHANNEL) as wait:
            while not stop.is_set():
                published = self.run_once()
                patience.over()
                if published == 0:
                    wait(IDLE_SECONDS)

    def _encode(self, waiting: list[Decision], done: list[int]) -> list[Message]:
        """The messages of all that can be sent, and in `done` their ids; what cannot be sent is set aside, with a line
        in the log, and holds up its own account only."""
        try:
            messages = self._codec.encode([one.outgoing() for one in waiting])
        except (Rejected, msgspec.DecodeError) as error:
            if len(waiting) == 1:
                log.warning("decision %d cannot be published: %s", waiting[0].id, type(error).__name__)
                self._refused.add(waiting[0].id)
                return []
            return [message for one in waiting for message in self._encode([one], done)]
        done.extend(one.id for one in waiting)
        return messages
