"""What stands between a log and a handler: one bad record stops nobody, and a server that is away is waited for.

outcome of the handler                          what the runner does
returns                                         the batch is done
`Rejected`, or an exception nobody expected     each record alone; those that fail become dead letters
transient (a server is away, a deadlock)        waits, longer each time, and tries again; after a deadline it raises
another `KallanError` (settings)                raises at once: no record is to blame
"""

import logging
import random
import traceback
from collections.abc import Callable, Sequence

from streams.bus import Handler
from streams.clock import SystemTicker, Ticker
from streams.contracts.errors import KallanError
from streams.dead_letters import DeadLetterBox, redact
from streams.envelope import Message
from streams.failures import nobodys_record, transient, unexpected

log = logging.getLogger(__name__)

DEADLINE = 15 * 60.0
"""Seconds that something may be away before the process gives up; a restart then starts over."""

_SLICE = 0.25  # how soon a wait notices that the process is asked to stop


class Stopped(Exception):
    """The process was asked to stop while it waited: the batch is not done and will be read again."""


def _what(error: Exception) -> str:
    """What does not answer, without the text of a foreign exception."""
    if isinstance(error, KallanError):
        return redact(str(error))
    return f"PostgreSQL ({type(error).__name__})"


class Runner:
    """Runs a handler over batches for one consumer group. For one thread."""

    def __init__(
        self,
        handler: Handler,
        dead_letters: DeadLetterBox,
        ticker: Ticker | None = None,
        *,
        group: str,
        deadline: float = DEADLINE,
        first_wait: float = 0.2,
        longest_wait: float = 15.0,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.group = group
        self.stopping = stopping
        self._handler = handler
        self._dead_letters = dead_letters
        self._ticker = ticker or SystemTicker()
        self._deadline = deadline
        self._first_wait = first_wait
        self._longest_wait = longest_wait
        self._jitter = random.Random()  # noqa: S311  # spreads retries, keeps no secret

    def handle(self, batch: Sequence[Message]) -> None:
        """Returns when every record of the batch is handled or is a dead letter.

        Raises the last transient error after the deadline, `Stopped` if asked to stop while waiting, and a `KallanError`
        that is neither `Rejected` nor `Unavailable` at once.
        """
        if not batch:
            return
        error = self._try(lambda: self._handler(batch))
        if error is None:
            return
        if len(batch) == 1:
            self._set_aside(batch[0], error)
            return
        log.info("%s: a batch of %d was refused (%s), each record alone now", self.group, len(batch), _name(error))
        for message in batch:
            alone = self._try(lambda one=message: self._handler([one]))  # type: ignore[misc]
            if alone is not None:
                self._set_aside(message, alone)

    def _set_aside(self, message: Message, error: Exception) -> None:
        letter = unexpected(error)
        log.warning("%s: %s set aside: %s%s", self.group, message.pointer, redact(str(letter)), _where(error, letter))
        failed = self._try(lambda: self._dead_letters.add(self.group, message, letter))
        if failed is not None:
            raise failed

    def _try(self, action: Callable[[], None]) -> Exception | None:
        """Does it, waiting for what is away. Returns the deterministic error, if that is how it ended."""
        started, tries = self._ticker.monotonic(), 0
        while True:
            try:
                action()
            except (Stopped, MemoryError):
                raise
            except Exception as error:
                if not transient(error):
                    if nobodys_record(error):
                        raise
                    return error
                if self._ticker.monotonic() - started >= self._deadline:
                    log.error("%s: %s for %.0f s; giving up", self.group, _what(error), self._deadline)  # noqa: TRY400
                    raise
                tries += 1
                self._wait(error, tries)
            else:
                if tries:
                    log.info("%s: going on after %.1f s", self.group, self._ticker.monotonic() - started)
                return None

    def _wait(self, error: Exception, tries: int) -> None:
        longest = min(self._longest_wait, self._first_wait * 2 ** min(tries - 1, 30))
        seconds = longest * self._jitter.uniform(0.5, 1.0)
        log.warning("%s: %s; trying again in %.1f s (try %d)", self.group, _what(error), seconds, tries + 1)
        until = self._ticker.monotonic() + seconds
        while (left := until - self._ticker.monotonic()) > 0:
            if self.stopping():
                raise Stopped from error
            self._ticker.sleep(min(left, _SLICE))
        if self.stopping():
            raise Stopped from error


def _name(error: Exception) -> str:
    return error.code if isinstance(error, KallanError) else type(error).__name__


def _where(error: Exception, letter: KallanError) -> str:
    """For an error nobody expected: the line of the program, without the error's text."""
    frames = traceback.extract_tb(error.__traceback__)
    if letter is error or not frames:
        return ""
    return f" at {frames[-1].filename}:{frames[-1].lineno}"
