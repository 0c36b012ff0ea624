"""What a replay, a report or an operator's command reads with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from connectors.targets.port import Target
from deploy.leaks import LeakSearch
from deploy.readings import Readings
from deploy.settings import MasterSettings
from deploy.wiring.base import Base
from deploy.wiring.data import read_releases
from mmd.store.reader import Reader
from streams.envelope import Message


def readings(
    base: Base,
    settings: MasterSettings,
    targets: Mapping[str, Target],
    topics: Callable[[], Iterable[Message]] = tuple,
    logs: Callable[[], Sequence[Path]] = tuple,
) -> Readings:
    """`topics` and `logs` are where the leak search looks besides the stores and the targets."""
    reader = Reader(base.pool, base.keys, settings.secret("person.secret"), settings.secret("digest.secret"))
    releases = read_releases(settings.releases).by_id
    return Readings(
        pool=base.pool,
        reader=reader,
        releases=releases,
        targets=targets,
        subject_secret=settings.secret("subject.secret"),
        clock=base.clock,
        leaks=LeakSearch(base.pool, base.keys, reader, releases, targets, base.clock, topics, logs),
    )
