"""Whether ingest keeps its rate as the store grows: changes of persons that it holds, with few of them and with many."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from deploy.bench.bulk import Bulk
from deploy.bench.figures import Bound, Figure, Series, rates
from deploy.bench.ingest import ingested, processor_seconds, timed
from deploy.bench.machine import OthersMeter
from deploy.bench.startup import wait_ready
from deploy.bench.waiting import Pool, number
from deploy.municipality.tree import grow
from deploy.replay.live import LiveWorld
from deploy.running import Running, running
from streams.envelope import Message
from streams.kafka import KafkaProducer

WANTED = 0.8
"""Of the rate with few: issue 5, *It must hold*."""

_SEED = 2026
_UNITS = 4
_AT_ONCE = 5_000
_WORKER = "ingest-bulk"
_LAST = 64
_CHANGED = "select count(distinct subject) from mmd.claim where subject = any(%s) and version like %s"


def measure(
    folder: Path, holds: Sequence[int], events: int, repeats: int, say: Callable[[str], None]
) -> Iterator[Figure]:
    """One figure for each number of persons, on one stack that grows; each but the first has the first one's rate as its
    bound. The relay stands still, as when ingest is measured."""
    home = folder / "growth"
    with running(home, throwaway=True) as found:
        wait_ready(found)
        world = LiveWorld(found)
        try:
            yield from _growing(found, world, holds, events, repeats, say)
        finally:
            world.close()
    shutil.rmtree(home, ignore_errors=True)


def _growing(
    found: Running, world: LiveWorld, holds: Sequence[int], events: int, repeats: int, say: Callable[[str], None]
) -> Iterator[Figure]:
    found.stack.stop_process("relay")
    producer = KafkaProducer(found.master.kafka, client_id="bench")
    pool = world.base.pool
    bulk = Bulk(world, found.master.secret("subject.secret"), grow(_UNITS), _SEED)
    first: Series | None = None
    for persons in holds:
        say(f"ingest of changes with {persons} persons in the store")
        while bulk.told < persons:
            ingested(producer, bulk.messages(min(_AT_ONCE, persons - bulk.told)), pool)
        _changed(producer, *bulk.changes(events // 10), pool)
        meter = OthersMeter()
        meter.start()
        spent = -processor_seconds(found, _WORKER)
        seconds = [_changed(producer, *bulk.changes(events), pool) for _ in range(repeats)]
        spent += processor_seconds(found, _WORKER)
        series = rates(events, seconds)
        each = spent / (events * repeats) * 1e6
        yield Figure(
            f"ingest-with-{persons}-persons",
            f"changes into a store of {persons} persons",
            "events/s",
            series,
            None if first is None else Bound(f"with {holds[0]} persons; {WANTED} of it is wanted", first),
            note=f"{events} new addresses at a time; processor time of the worker {each:.0f} microseconds an event",
            others=meter.share(),
            details={"persons": float(persons), "microseconds of the worker per event": each},
        )
        first = first or series


def _changed(producer: KafkaProducer, messages: Sequence[Message], version: str, pool: Pool) -> float:
    """Seconds until all are committed; the last ones are asked for first."""
    keys = [message.key for message in messages]
    like = f"%{version}"

    def arrived() -> bool:
        return all(number(pool, _CHANGED, some, like) == len(some) for some in (keys[-_LAST:], keys))

    return timed(producer, messages, arrived)
