"""The handler that ingest workers run, bulk and urgent alike: a batch of source records into the master."""

import logging
import random
from collections.abc import Sequence

import psycopg
import psycopg_pool

from mmd.domain.register import SourceRegister
from mmd.ingest.erasure import erasures
from mmd.ingest.prepare import Prepared, Preparer
from mmd.ingest.transaction import Ingest, NeedsGateAlone, Outdated
from streams.clock import Clock, SystemTicker, Ticker
from streams.codec import RecordCodec
from streams.envelope import Message
from streams.sealing import KeyRing

logger = logging.getLogger(__name__)

ATTEMPTS = 6
"""How often a batch is tried against deadlocks and serialization failures before the runner hears of it."""


class IngestHandler:
    """Implements `streams.bus.Handler` for every `source.*.v1` topic. Idempotent, and safe beside others of its kind: the
    same record handled twice, or by two workers at once, ends in the same state.

    When it returns, the batch is committed. Raises `Rejected` for what will never be accepted, after everything else in
    the batch has been committed; `psycopg.OperationalError` and the like come as they are.
    """

    def __init__(
        self,
        pool: "psycopg_pool.ConnectionPool[psycopg.Connection]",
        codec: RecordCodec,
        keys: KeyRing,
        register: SourceRegister,
        person_secret: bytes,
        digest_secret: bytes,
        clock: Clock,
        *,
        ticker: Ticker | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ticker = ticker or SystemTicker()
        self._preparer = Preparer(codec, keys, register, person_secret, digest_secret)
        self._ingest = Ingest(keys, register, person_secret, digest_secret)

    def __call__(self, batch: Sequence[Message]) -> None:
        prepared = self._prepared(batch)
        attempt, alone = 1, False
        while prepared.claims or prepared.conflicts or prepared.aside:
            try:
                with self._pool.connection() as connection:
                    self._ingest.run(connection, prepared, self._clock.now(), alone=alone)
                break
            except NeedsGateAlone:
                alone = True
            except Outdated:
                prepared = self._prepared(batch)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
                if attempt == ATTEMPTS:
                    raise
                logger.info("%s, attempt %d: the batch is tried again", type(error).__name__, attempt)
                self._ticker.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311
                attempt += 1
        if prepared.error is not None:
            raise prepared.error

    def _prepared(self, batch: Sequence[Message]) -> Prepared:
        with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            known = erasures(cursor)
        return self._preparer.prepare(batch, known)
