"""What stands between a log and a handler: one bad record stops nobody, and a server that is away is waited for.

outcome of the handler                          what the runner does
returns                                         the batch is done
`Rejected`, or an exception nobody expected     each record alone; those that fail become dead letters
transient (a server is away, a deadlock)        waits, longer each time, and tries again; after a deadline it raises
another `KallanError` (settings)                raises at once: no record is to blame
nothing of a source is accepted any more        what it says stays in the log: see `streams.brake`
"""

import logging
import random
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from streams import worker_metrics as measured
from streams.brake import Brake, Flow, State
from streams.bus import Handler
from streams.clock import SystemTicker, Ticker
from streams.contracts.errors import KallanError
from streams.dead_letters import DeadLetterBox, redact
from streams.envelope import Message
from streams.failures import nobodys_record, transient, unexpected
from streams.metrics import Meter
from streams.progress import Progress

log = logging.getLogger(__name__)

T = TypeVar("T")

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
        brake: Brake | None = None,
        progress: Progress | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.group = group
        self._brake = brake
        self._progress = progress or Progress()
        self._meter = meter or Meter()
        self.stopping = stopping
        self._handler = handler
        self._dead_letters = dead_letters
        self._ticker = ticker or SystemTicker()
        self._deadline = deadline
        self._first_wait = first_wait
        self._longest_wait = longest_wait
        self._jitter = random.Random()  # noqa: S311  # spreads retries, keeps no secret

    def handle(self, batch: Sequence[Message]) -> Sequence[Message]:
        """Returns when every record of the batch is handled, is a dead letter, or is left to the brake. Those that are
        left come back: neither they nor what stands behind them in their partition may be committed.

        Raises the last transient error after the deadline, `Stopped` if asked to stop while waiting, and a `KallanError`
        that is neither `Rejected` nor `Unavailable` at once.
        """
        if not batch:
            return ()
        if self._brake is not None:
            self._certainly(self._brake.begin)
        left = [one for one in batch if self._state(one) is State.HELD]
        tried = [one for one in batch if self._state(one) is not State.HELD] if left else batch
        if tried:
            error = self._try(lambda: self._handler(tried))
            if error is None:
                self._all_accepted(tried)
            else:
                left += self._each_alone(tried, error)
        self._count(left, "left")
        if len(left) < len(batch):
            self._progress.moved(len(batch) - len(left))
        return left

    def _each_alone(self, batch: Sequence[Message], error: Exception) -> list[Message]:
        """Those that the brake leaves in the log; the others are handled or set aside."""
        if len(batch) > 1:
            log.info("%s: a batch of %d was refused (%s), each record alone now", self.group, len(batch), _name(error))
        left: list[Message] = []
        probes: dict[Flow, list[tuple[Message, Exception]]] = {}
        for message in batch:
            state = self._state(message)
            if state is State.HELD:  # since this batch began
                left.append(message)
                continue
            alone = self._try(lambda one=message: self._handler([one])) if len(batch) > 1 else error  # type: ignore[misc]
            if alone is not None and state is State.PROBING:
                probes.setdefault(Flow.of(message), []).append((message, alone))
            elif alone is not None:
                self._set_aside(message, alone)
            else:
                self._all_accepted([message])
                for refused in probes.pop(Flow.of(message), ()):
                    self._set_aside(*refused)
        for flow, refused_all in probes.items():
            self._still_held(flow, refused_all)
            left += [message for message, _ in refused_all]
        return left

    def _set_aside(self, message: Message, error: Exception) -> None:
        letter = unexpected(error)
        place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
        log.warning(
            "%s: %s set aside: %s%s",
            *(self.group, message.pointer, redact(str(letter)), _where(error, letter)),
            extra={"code": letter.code, **place},
        )
        self._certainly(lambda: self._dead_letters.add(self.group, message, letter))
        self._count([message], "rejected")
        brake, flow = self._brake, Flow.of(message)
        if brake is not None and self._certainly(lambda: brake.failed(flow, letter.code)):
            log.error(
                "%s: nothing that %s says in %s is accepted any more (%s): it is left in the log until a restart",
                *(self.group, flow.source, flow.topic, letter.code),
                extra={"code": "worker.braked", "topic": flow.topic},
            )

    def _all_accepted(self, batch: Sequence[Message]) -> None:
        self._count(batch, "handled")
        brake = self._brake
        if brake is None:
            return
        for flow in {Flow.of(one) for one in batch}:
            if self._certainly(lambda one=flow: brake.accepted(one)):  # type: ignore[misc]
                log.warning("%s: what %s says in %s is accepted again", self.group, flow.source, flow.topic)

    def _still_held(self, flow: Flow, refused: Sequence[tuple[Message, Exception]]) -> None:
        brake, letter = self._brake, unexpected(refused[-1][1])
        if brake is not None:
            self._certainly(lambda: brake.hold(flow, letter.code, len(refused)))
        log.error(
            "%s: of %d records of %s in %s none is accepted (%s%s): left in the log until the next restart",
            *(self.group, len(refused), flow.source, flow.topic, letter.code, _where(refused[-1][1], letter)),
            extra={"code": "worker.braked", "topic": flow.topic},
        )

    def _state(self, message: Message) -> State:
        return State.OPEN if self._brake is None else self._brake.state(Flow.of(message))

    def _count(self, messages: Sequence[Message], fate: str) -> None:
        for topic, count in Counter(one.topic for one in messages).items():
            self._meter.count(measured.RECORDS, count, topic=topic, fate=fate)

    def _certainly(self, action: Callable[[], T]) -> T:
        """Does what is no record's fault if it fails; what is away is waited for."""
        found: list[T] = []
        failed = self._try(lambda: found.append(action()))
        if failed is not None:
            raise failed
        return found[0]

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
