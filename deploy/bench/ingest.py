"""Source records into the master through the real broker and the real ingest worker, beside a null agent."""

import dataclasses
import sys
import time
from collections.abc import Sequence

from deploy.bench import null_agent
from deploy.bench.bulk import Bulk
from deploy.bench.figures import Bound, Figure, Series, rates
from deploy.bench.machine import OthersMeter
from deploy.bench.waiting import Pool, number, until
from deploy.embedded.stack import Worker
from deploy.running import PARTITIONS, Running
from streams.envelope import Message
from streams.kafka import KafkaProducer, create_topics

_PATIENCE = 120.0
_EVERY = 0.03
_COPIED = "select count(*) from bench.copied"
_PERSONS = "select count(*) from mmd.document where kind = 'person'"
_UNPUBLISHED = "select count(*) from mmd.dirty"


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
        _run(producer, _elsewhere(bulk.messages(10)), pool, _COPIED)  # it has joined its group
        _run(producer, bulk.messages(200), pool, _PERSONS)
        through: list[float] = []
        null: list[float] = []
        meter.start()
        for _ in range(repeats):
            messages = bulk.messages(events)
            through.append(_run(producer, messages, pool, _PERSONS))
            null.append(_run(producer, _elsewhere(messages), pool, _COPIED))
        others = meter.share()
    finally:
        found.stack.stop_process(null_agent.NAME)
    size = sum(len(message.value or b"") for message in messages) / len(messages)
    return [
        Figure(
            "ingest",
            "source events into the master (ingest-bulk)",
            "events/s",
            rates(events, through),
            Bound("null Faust agent, COPY of the bytes", rates(events, null)),
            note=f"{events} new persons at a time, one process, {PARTITIONS} partitions",
            others=others,
            details={"mean bytes of a sealed record": size},
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
        note=f"{waiting:.0f} documents, evaluate running beside it, the start of the worker included",
        others=meter.share(),
    )


def _run(producer: KafkaProducer, messages: Sequence[Message], pool: Pool, counting: str) -> float:
    """Seconds from the first message sent until the effect of the last one is committed."""
    wanted = number(pool, counting) + len(messages)
    began = time.perf_counter()
    for message in messages:
        producer.send(message)
    producer.flush()
    until(lambda: number(pool, counting) >= wanted, _PATIENCE, "events handled", every=_EVERY)
    return time.perf_counter() - began


def _elsewhere(messages: Sequence[Message]) -> list[Message]:
    return [dataclasses.replace(message, topic=null_agent.TOPIC.name) for message in messages]
