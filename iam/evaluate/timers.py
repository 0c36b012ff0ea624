"""Timers: persons whose time has come, whose surroundings changed, or whose policy did, are evaluated again.

A timer never acts: it looks at the facts of the day once more.
"""

import datetime as dt
import logging
import threading
from collections.abc import Mapping
from functools import partial

import psycopg
import psycopg_pool

from iam.domain.policy import Policy
from iam.evaluate.evaluator import Evaluator
from iam.evaluate.locking import Locks, Pool, run_locked
from iam.store import world as store
from iam.store.world import Cause, Connection
from streams.clock import Clock
from streams.contracts.errors import Rejected, Unavailable
from streams.progress import Progress
from streams.sealing import KeyRing

log = logging.getLogger(__name__)

CHUNK = 50
_POLL_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 10.0
_AFTER_FAILURE = dt.timedelta(hours=1)


class Timers:
    """One evaluate process runs them (two do no harm: what both do is the same)."""

    def __init__(
        self, pool: Pool, keys: KeyRing, policy: Policy, account_secret: bytes, name_domain: str, clock: Clock
    ) -> None:
        self._pool = pool
        self._policy = policy
        self._clock = clock
        self.progress = Progress()
        self._evaluator = Evaluator(keys, policy, account_secret, name_domain, clock)

    def run_once(self) -> int:
        """Evaluate what is due by the business clock, the most urgent first, one chunk; then those that were evaluated
        with another policy. Returns how many persons were taken; 0: nothing is due."""
        with self._pool.connection() as connection:
            found = self._due(connection) or self._other_policy(connection)
        if not found:
            return 0
        try:
            run_locked(self._pool, partial(self._evaluate, found))
        except Rejected:
            for person, cause in found.items():
                self._alone(person, cause)
        self.progress.moved(len(found))
        return len(found)

    def _alone(self, person: str, cause: Cause) -> None:
        """One person at a time, so that one who cannot be evaluated holds nobody else up; it is tried again later."""
        try:
            run_locked(self._pool, partial(self._evaluate, {person: cause}))
        except Rejected as error:
            log.error("a person cannot be evaluated (%s), next try in %s", error.code, _AFTER_FAILURE)  # noqa: TRY400
            with self._pool.connection() as connection:
                self._evaluator.pass_over(connection, [person])
                later = self._clock.now() + _AFTER_FAILURE
                store.enqueue(
                    connection, [person], later, store.PRIORITY_TIMER, Cause(f"failed:{error.code}", cause.at)
                )

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. A database that does not answer is waited for; one line is logged about it."""
        wait = _POLL_SECONDS
        while not stop.is_set():
            try:
                busy = self.run_once() > 0
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout, Unavailable) as error:
                if wait == _POLL_SECONDS:
                    log.warning("timers wait: the database does not answer (%s)", type(error).__name__)
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
                stop.wait(wait)
                continue
            wait = _POLL_SECONDS
            if not busy:
                stop.wait(_POLL_SECONDS)

    def pending(self) -> int:
        """How many persons wait for evaluation now: 0 when everything is quiet."""
        with self._pool.connection() as connection:
            row = connection.execute(
                """select (select count(*) from iam.due where at <= %s)
                        + (select count(*) from iam.world_person where policy <> %s and body is not null)""",
                [self._clock.now(), self._evaluator.fingerprint],
            ).fetchone()
        return int(row[0]) if row else 0

    def _due(self, connection: Connection) -> dict[str, Cause]:
        rows = connection.execute(
            """select person, cause, caused_at from iam.due where at <= %s order by priority, at, person limit %s""",
            [self._clock.now(), CHUNK],
        ).fetchall()
        return {person: Cause(cause, at) for person, cause, at in rows}

    def _other_policy(self, connection: Connection) -> dict[str, Cause]:
        rows = connection.execute(
            "select id from iam.world_person where policy <> %s and body is not null order by id limit %s",
            [self._evaluator.fingerprint, CHUNK],
        ).fetchall()
        cause = Cause(f"policy:{self._policy.version}", self._clock.now())
        return {row[0]: cause for row in rows}

    def _evaluate(self, causes: Mapping[str, Cause], connection: Connection, more: Locks) -> None:
        evaluator = self._evaluator
        documents = [one.document for one in evaluator.load(connection, causes.keys(), causes) if one.document]
        locks = more | Locks(frozenset(store.person_things(causes)), frozenset(evaluator.things(connection, documents)))
        locks.take(connection)
        moved = store.redirects(connection, causes)
        subjects = evaluator.load(connection, causes.keys() - moved.keys(), causes)
        evaluator.evaluate(connection, subjects, locks.all)
        evaluator.pass_over(connection, causes.keys() - {one.id for one in subjects})
