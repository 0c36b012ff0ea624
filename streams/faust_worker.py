"""A worker process: Faust reads topics and hands batches to a runner; an offset is committed only after the work is.

The settings are those that lost nothing when workers were killed in mid-load (docs/decisions/0011). What matters most:
the stream never acknowledges by itself, every event is acknowledged in offset order after the runner has returned, and
the agent has no concurrency.
"""

import asyncio
import logging
import random
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import faust
from mode.supervisors import CrashingSupervisor

from streams.broker import MECHANISM, Bootstrap, broker_of
from streams.client_logs import calm
from streams.consume import Runner, Stopped
from streams.contracts.errors import KallanError, Unavailable
from streams.ending import Ending
from streams.envelope import Message
from streams.failures import unexpected
from streams.kafka_client import text
from streams.kafka_topics import wait_for_topics

log = logging.getLogger(__name__)

FINISH_SECONDS = 5.0
"""How long a worker that is asked to stop lets its current batch run."""

_BUFFERED = 8
"""Batches that wait in memory. Four fifths of it full, Faust fetches no more, and looks again after a whole second: what is
left meanwhile (two fifths at least) must last that long."""

_COMMIT = 1.5
_LEAVE = 3.0
_TICK = 0.1
_QUICK_CRASHES = 10
_QUICK_SECONDS = 60.0


class _Work:
    """What the event loop and the handler's thread tell each other."""

    def __init__(self, runner: Runner, stop: threading.Event) -> None:
        self.runner = runner
        self.stop = stop
        self.handling = False
        self.acknowledging = False
        self.failed: KallanError | None = None
        self._left: dict[Any, int] = {}

    @property
    def busy(self) -> bool:
        return self.handling or self.acknowledging

    def _handle(self, batch: Sequence[Message]) -> Sequence[Message]:
        """In a thread; it may outlive the task that waits for it, if the app crashes meanwhile."""
        try:
            return self.runner.handle(batch)
        finally:
            self.handling = False

    def _behind_left(self, message: Any) -> bool:
        """Whether a record of its partition, at its place or before it, was left in the log. It is not acknowledged then:
        Faust commits past a gap where nothing of the partition was committed before."""
        first = self._left.get((message.topic, message.partition))
        return first is not None and message.offset >= first

    async def batch(self, stream: Any, events: Sequence[Any]) -> None:
        """One batch in a thread, so that heartbeats go on; then the acknowledgements, in offset order."""
        self.handling = self.acknowledging = True
        try:
            left = await asyncio.to_thread(self._handle, [message_of(event) for event in events])
            for one in left:
                place = (one.topic, one.partition)
                self._left[place] = min(one.offset, self._left.get(place, one.offset))
            for event in sorted(events, key=lambda one: (one.message.tp, one.message.offset)):
                if not self._behind_left(event.message):
                    await stream.ack(event)
        except Stopped:
            log.info("%s: stopped while waiting; the batch is read again later", self.runner.group)
        except Exception as error:  # noqa: BLE001  # told by its code
            self.failed = unexpected(error)
            raise self.failed from None  # its text may hold what the records held
        finally:
            self.acknowledging = False


def message_of(event: Any) -> Message:
    """A Faust event as a message: raw bytes, no codec of Faust's."""
    raw = event.message
    return Message(
        raw.topic,
        text(raw.key),
        raw.value,
        {str(name): text(value) for name, value in _pairs(raw.headers)},
        raw.partition,
        raw.offset,
    )


def _pairs(headers: Any) -> Iterator[tuple[Any, Any]]:
    return iter(headers.items() if hasattr(headers, "items") else headers or ())


def _credentials(bootstrap: Bootstrap) -> Any:
    broker = broker_of(bootstrap)
    if not broker.user:
        return None
    return faust.SASLCredentials(
        username=broker.user,
        password=broker.password,
        ssl_context=ssl.create_default_context(cafile=broker.ca_file or None),
        mechanism=MECHANISM,
    )


def _app(name: str, bootstrap: Bootstrap, data_dir: Path, batch: int) -> Any:
    return faust.App(
        name,
        broker=[f"aiokafka://{address.strip()}" for address in broker_of(bootstrap).address.split(",")],
        broker_credentials=_credentials(bootstrap),
        datadir=str(data_dir),
        store="memory://",
        processing_guarantee="at_least_once",
        agent_supervisor=CrashingSupervisor,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=0.5,
        broker_session_timeout=8.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=12.0,
        broker_request_timeout=20.0,
        broker_max_poll_interval=3600.0,  # a runner may wait for a database for a quarter of an hour
        stream_processing_timeout=3600.0,
        broker_commit_livelock_soft_timeout=3600.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=_BUFFERED * batch,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )


def _add_agent(app: Any, topics: Sequence[str], work: _Work, batch: int, within: float) -> None:
    channel = app.topic(*topics, key_serializer="raw", value_serializer="raw", allow_empty=True)

    async def handle(stream: Any) -> AsyncIterator[None]:
        async for events in stream.noack_take(batch, within=within):
            if work.stop.is_set():
                await asyncio.Event().wait()  # nothing new is begun: the app is being stopped
            await work.batch(stream, events)
            yield

    app.agent(channel, name=f"{app.conf.id}-batches")(handle)


def run_faust_worker(
    name: str,
    bootstrap: Bootstrap,
    topics: Sequence[str],
    runner: Runner,
    *,
    batch: int = 500,
    within: float = 0.05,
    data_dir: Path,
    stop: threading.Event | None = None,
) -> None:
    """Read `topics` as consumer group `name` until SIGTERM, SIGINT or `stop`; blocking. `within` (seconds) is the longest
    that a record waits for others to fill its batch.

    A broker that is away, at the start or later, is waited for. Raises what the runner raises (its deadline has passed,
    or the settings are wrong), with nothing of that batch committed: whoever started the process starts it again.
    """
    stop = stop or threading.Event()
    runner.stopping = stop.is_set
    calm()
    data_dir.mkdir(parents=True, exist_ok=True)
    crashes = 0

    def new_app(work: _Work) -> Any:
        app = _app(name, bootstrap, data_dir, batch)
        _add_agent(app, topics, work, batch, within)
        return app

    with Ending(name, stop) as ending:
        while not stop.is_set():
            wait_for_topics(bootstrap, topics, stop=stop)
            if stop.is_set():
                break
            work, started = _Work(runner, stop), time.monotonic()
            finished = asyncio.run(_run(new_app, work, ending))
            if work.failed is not None:
                raise work.failed
            if finished:
                break
            crashes = crashes + 1 if time.monotonic() - started < _QUICK_SECONDS else 1
            if crashes >= _QUICK_CRASHES:
                raise Unavailable("service.unavailable", f"Kafka: {name} cannot stay in its group")
            pause = random.uniform(0.5, 1.0) * min(5.0, 0.5 * 2.0**crashes)  # noqa: S311
            log.warning("%s: the connection to Kafka was lost; starting again in %.1f s", name, pause)
            stop.wait(pause)
    log.info("%s: stopped", name)


async def _run(new_app: Callable[[_Work], Any], work: _Work, ending: Ending) -> bool:
    """One life of a Faust app. True: it was asked to stop and did; False: it crashed."""
    app, name = new_app(work), work.runner.group
    starting = asyncio.ensure_future(app.start())
    said = False
    while not (work.stop.is_set() or app.crashed or app.should_stop or (starting.done() and starting.exception())):
        if starting.done() and not said:
            said = True
            log.info("%s: reading", name)
        await asyncio.sleep(_TICK)
    asked = work.stop.is_set() and not app.crashed
    await _finish_batch(name, work)
    if asked and starting.done() and not starting.exception() and not await _in_time(app.consumer.commit(), _COMMIT):
        ending.abandon("Kafka does not answer", 0)
    # Stopping Faust in the middle of a rebalance can hang for good: its two threads wait for each other.
    rebalanced_by = time.monotonic() + _LEAVE
    while app.rebalancing and time.monotonic() < rebalanced_by:
        await asyncio.sleep(_TICK)
    status = 0 if asked and not work.busy else 1
    ending.leave_within(_LEAVE, status)
    starting.cancel()
    if not await _in_time(app.stop(), _LEAVE):
        ending.abandon("the Kafka client does not stop", status)
    await asyncio.gather(starting, return_exceptions=True)
    ending.left()
    return asked


async def _finish_batch(name: str, work: _Work) -> None:
    """Let the batch that is being handled come to its end. A crashed app waits for it too: its records will be read
    again, and one runner handles one batch at a time."""
    deadline = time.monotonic() + FINISH_SECONDS
    while work.busy:
        if not work.stop.is_set():
            deadline = time.monotonic() + FINISH_SECONDS
        elif time.monotonic() > deadline:
            log.error("%s: the batch did not end in %.0f s; leaving without it", name, FINISH_SECONDS)
            return
        await asyncio.sleep(_TICK)


async def _in_time(action: Any, seconds: float) -> bool:
    """Whether it was done in that time. An error counts as done: the client has answered."""
    try:
        await asyncio.wait_for(action, seconds)
    except TimeoutError:
        return False
    except Exception as error:  # noqa: BLE001  # what was not committed is read again
        log.warning("leaving Kafka: %s", type(error).__name__)
    return True
