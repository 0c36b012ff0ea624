"""Whether ingest keeps its rate as the store grows: changes of persons that it holds, with few of them and with many."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from deploy.bench.alone import Alone, alone
from deploy.bench.figures import Bound, Figure, Series, rates
from deploy.bench.ingest import ingested, processor_seconds, timed
from deploy.bench.machine import OthersMeter
from deploy.bench.waiting import number

WANTED = 0.8
"""Of the rate with few."""

_AT_ONCE = 5_000
_WORKER = "ingest-bulk"
_LAST = 8
_CHANGED = "select count(distinct subject) from mmd.head where subject = any(%s) and version like %s"


def measure(
    folder: Path, holds: Sequence[int], events: int, repeats: int, say: Callable[[str], None]
) -> Iterator[Figure]:
    """One figure for each number of persons, on one stack that grows; each but the first has the first one's rate as its
    bound. The relay stands still, as when ingest is measured."""
    with alone(folder / "growth") as one:
        one.found.stack.stop_process("relay")
        first: Series | None = None
        for persons in holds:
            say(f"ingest of changes with {persons} persons in the store")
            while one.bulk.told < persons:
                ingested(one.producer, one.bulk.messages(min(_AT_ONCE, persons - one.bulk.told)), one.pool)
            _changed(one, events // 10)
            meter = OthersMeter()
            meter.start()
            spent = -processor_seconds(one.found, _WORKER)
            seconds = [_changed(one, events) for _ in range(repeats)]
            spent += processor_seconds(one.found, _WORKER)
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


def _changed(one: Alone, events: int) -> float:
    """Seconds until all are committed; the last ones are asked for first."""
    messages, version = one.bulk.changes(events)
    keys = [message.key for message in messages]
    like = f"%{version}"

    def arrived() -> bool:
        return all(number(one.pool, _CHANGED, some, like) == len(some) for some in (keys[-_LAST:], keys))

    return timed(one.producer, messages, arrived)
