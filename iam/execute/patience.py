"""Waiting for a server that is away: one line when it goes, one when it is back."""

import logging
import threading

import psycopg
import psycopg_pool

from streams.contracts.errors import KallanError

log = logging.getLogger(__name__)

DATABASE_AWAY = (psycopg.OperationalError, psycopg_pool.PoolTimeout)


class Patience:
    """Waits ever longer, up to five seconds, with one line each way."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._seconds = 0.0

    def wait(self, error: Exception, ending: threading.Event) -> None:
        if not self._seconds:
            named = str(error) if isinstance(error, KallanError) else f"the database ({type(error).__name__})"
            log.warning("%s waits for what does not answer: %s", self._who, named)
        self._seconds = min(self._seconds * 2 or 0.2, 5.0)
        ending.wait(self._seconds)

    def over(self) -> None:
        if self._seconds:
            log.warning("%s goes on", self._who)
            self._seconds = 0.0
