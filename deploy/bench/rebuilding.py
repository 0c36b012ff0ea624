"""How fast the store comes again from its log, beside reading the same log and copying its bytes into a table."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from deploy.bench import null_agent
from deploy.bench.alone import SEED, UNITS, Alone, alone
from deploy.bench.figures import Bound, Figure, Series
from deploy.bench.machine import OthersMeter
from deploy.bench.population import Population
from deploy.operations.rebuild import rebuild, whole_log
from deploy.operations.shadow import Shadow, make_empty, shadow_of
from deploy.running import Running
from deploy.wiring import provisioning
from streams.contracts.errors import Unavailable
from streams.kafka_log import dump

_AT_ONCE = 5_000
_NAME = "bench_rebuilt"


def measure(folder: Path, events: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """A log of about so many records: of five, two are of new persons, one is an employment, two are changes. All workers
    stand still: what is measured is the process that rebuilds, with the broker and the database."""
    with alone(folder / "rebuild") as one:
        for name in one.found.stack.worker_names:
            one.found.stack.stop_process(name)
        say(f"rebuild: a log of {events} records is written")
        _write(one, events)
        make_empty(one.found.master, _NAME)
        say("rebuild: the log is read and copied")
        with closing(shadow_of(one.found.master, _NAME)) as shadow:
            yield _measured(one.found, shadow, say)


def _write(one: Alone, events: int) -> None:
    people = Population.grown(one.found.stack.home / "sources", one.world, employees=1, units=UNITS, seed=SEED)
    people.load_units()
    for start in range(0, events, _AT_ONCE):
        some = min(_AT_ONCE, events - start) // 5
        for message in (*one.bulk.messages(2 * some, some), *one.bulk.changes(2 * some)[0]):
            one.producer.send(message)
        one.producer.flush()


def _measured(found: Running, shadow: Shadow, say: Callable[[str], None]) -> Figure:
    read = partial(dump, found.master.broker)
    with shadow.pool.connection() as connection:
        connection.execute(null_agent.TABLE)
    copy, copied, began = null_agent.Copy(shadow.pool), 0, time.perf_counter()
    for batch in whole_log(read):
        copy(batch)
        copied += len(batch)
    null = copied / (time.perf_counter() - began)
    with shadow.pool.connection() as connection:
        connection.execute("drop schema bench cascade")
    say(f"rebuild of {copied} records")
    meter = OthersMeter()
    meter.start()
    with ExitStack() as stack:
        targets = provisioning.targets(found.execute)
        for target in targets.values():
            stack.callback(target.close)
        began, spent = time.perf_counter(), -time.process_time()
        made = rebuild(shadow, found.master, found.execute, read, targets)
        seconds, spent = time.perf_counter() - began, spent + time.process_time()
    if made.events != copied or made.refused:
        raise Unavailable(
            "service.unavailable", f"bench: {made.events} of {copied} rebuilt, {made.refused.total()} refused"
        )
    return Figure(
        "rebuild",
        f"a rebuild of {copied} records",
        "records/s",
        Series((copied / seconds,)),
        Bound("reading the log, COPY of the bytes", Series((null,))),
        note=f"{seconds:.0f} s, one process: the log twice, all documents published into the evaluation of accounts; "
        f"processor time {spent / copied * 1e6:.0f} microseconds a record ({spent / seconds:.2f} of a core)",
        others=meter.share(),
        details={"records": float(copied), "seconds": seconds, "microseconds per record": spent / copied * 1e6},
    )
