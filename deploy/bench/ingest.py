"""Source records into the master through the real broker and the real ingest worker, beside a null agent."""

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

from deploy.bench import null_agent
from deploy.bench.alone import alone
from deploy.bench.bulk import Bulk
from deploy.bench.figures import Bound, Figure, Series, rates
from deploy.bench.machine import OthersMeter
from deploy.bench.waiting import Pool, number, until
from deploy.embedded.stack import Worker
from deploy.running import PARTITIONS, Running
from streams.contracts.errors import Unavailable
from streams.envelope import Message
from streams.kafka import KafkaProducer, create_topics

_PATIENCE = 120.0
_EVERY = 0.03
_COPIED = "select count(*) from bench.copied"
_KNOWN = "select count(*) from mmd.subject where subject = any(%s)"
_TRANSACTIONS = "select count(distinct xmin::text) from mmd.claim"
_LAST = 64
_WORKER = "ingest-bulk"
_UNPUBLISHED = "select count(*) from mmd.dirty"


def measure_alone(folder: Path, events: int, repeats: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """On a stack of its own."""
    with alone(folder / "ingest") as one:
        say(f"ingest: {repeats} x {events} events")
        yield from measure(one.found, one.pool, one.bulk, events=events, repeats=repeats)


def measure(found: Running, pool: Pool, bulk: Bulk, *, events: int, repeats: int) -> list[Figure]:
    """New persons, one event each. The relay stands still meanwhile, so that only ingest is measured, as the null agent
    is alone too; what it then has to publish is measured next."""
    producer = KafkaProducer(found.master.kafka, client_id="bench")
    with pool.connection() as connection:
        connection.execute(null_agent.TABLE)
    create_topics(found.master.kafka, partitions=PARTITIONS, topics=[null_agent.TOPIC])
    found.stack.stop_process("relay")
    argv = (sys.executable, "-m", "deploy.bench.null_agent")
    found.stack.start_workers([Worker(null_agent.NAME, argv, dict(found.environment))])
    meter = OthersMeter()
    try:
        _copied(producer, bulk.messages(10), pool)  # it has joined its group
        ingested(producer, bulk.messages(200), pool)
        through: list[float] = []
        null: list[float] = []
        before = number(pool, _TRANSACTIONS)
        spent = {name: -processor_seconds(found, name) for name in (_WORKER, null_agent.NAME)}
        meter.start()
        for _ in range(repeats):
            messages = bulk.messages(events)
            through.append(ingested(producer, messages, pool))
            null.append(_copied(producer, messages, pool))
        others = meter.share()
        spent = {name: processor_seconds(found, name) + start for name, start in spent.items()}
    finally:
        found.stack.stop_process(null_agent.NAME)
    handled = events * repeats
    cores = {_WORKER: spent[_WORKER] / sum(through), null_agent.NAME: spent[null_agent.NAME] / sum(null)}
    size = sum(len(message.value or b"") for message in messages) / len(messages)
    return [
        Figure(
            "ingest",
            "source events into the master (ingest-bulk)",
            "events/s",
            rates(events, through),
            Bound("null Faust agent, COPY of the bytes", rates(events, null)),
            note=f"{events} new persons at a time, one process, {PARTITIONS} partitions; processor time of the worker "
            f"{spent[_WORKER] / handled * 1e6:.0f} microseconds an event ({cores[_WORKER]:.2f} of a core), of the null "
            f"agent {spent[null_agent.NAME] / handled * 1e6:.0f} ({cores[null_agent.NAME]:.2f})",
            others=others,
            details={
                "mean bytes of a sealed record": size,
                "microseconds of the worker per event": spent[_WORKER] / handled * 1e6,
                "microseconds of the null agent per event": spent[null_agent.NAME] / handled * 1e6,
                "cores of the worker": cores[_WORKER],
                "cores of the null agent": cores[null_agent.NAME],
                "events per transaction": handled / (number(pool, _TRANSACTIONS) - before),
            },
        ),
        _publishing(found, pool),
    ]


def _publishing(found: Running, pool: Pool) -> Figure:
    """What ingest has left is published and evaluated: no bound, there is nothing to compare it with."""
    meter = OthersMeter()
    meter.start()
    waiting = number(pool, _UNPUBLISHED)
    began = time.perf_counter()
    found.stack.start_process("relay")
    until(lambda: number(pool, _UNPUBLISHED) == 0, _PATIENCE, "documents published")
    seconds = time.perf_counter() - began
    return Figure(
        "publish",
        "documents out of the master (relay)",
        "documents/s",
        Series((waiting / seconds,)),
        note=f"{waiting:.0f} persons, most without an employment, of whom iam is told nothing; start of the worker included",
        others=meter.share(),
    )


def processor_seconds(found: Running, name: str) -> float:
    """What a worker has used since it started: hardly changed by what else runs on the machine."""
    pid = found.stack.pid(name)
    if pid is None:
        raise Unavailable("service.unavailable", f"bench: {name} does not run")
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def timed(producer: KafkaProducer, messages: Sequence[Message], arrived: Callable[[], bool]) -> float:
    """Seconds from the first message sent until the effect of the last one is committed."""
    began = time.perf_counter()
    for message in messages:
        producer.send(message)
    producer.flush()
    until(arrived, _PATIENCE, "events handled", every=_EVERY)
    return time.perf_counter() - began


def ingested(producer: KafkaProducer, messages: Sequence[Message], pool: Pool) -> float:
    """Asked for by key, the last ones first: counting whole tables would be part of what is measured."""
    keys = [message.key for message in messages]
    last = keys[-_LAST:]
    return timed(
        producer,
        messages,
        lambda: number(pool, _KNOWN, last) == len(last) and number(pool, _KNOWN, keys) == len(keys),
    )


def _copied(producer: KafkaProducer, messages: Sequence[Message], pool: Pool) -> float:
    with pool.connection() as connection:
        connection.execute("truncate bench.copied")
    elsewhere = [dataclasses.replace(message, topic=null_agent.TOPIC.name) for message in messages]
    return timed(producer, elsewhere, lambda: number(pool, _COPIED) == len(elsewhere))
