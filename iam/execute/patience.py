"""Waiting for a database that is away: one line when it goes, one when it is back."""

import logging
import threading

import psycopg
import psycopg_pool

log = logging.getLogger(__name__)

DATABASE_AWAY = (psycopg.OperationalError, psycopg_pool.PoolTimeout)


class Patience:
    """Waits for the database, ever longer up to five seconds, with one line each way."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._seconds = 0.0

    def wait(self, error: Exception, ending: threading.Event) -> None:
        if not self._seconds:
            log.warning("%s: the database does not answer (%s), waiting", self._who, type(error).__name__)
        self._seconds = min(self._seconds * 2 or 0.2, 5.0)
        ending.wait(self._seconds)

    def over(self) -> None:
        if self._seconds:
            log.warning("%s: the database answers again", self._who)
            self._seconds = 0.0
