"""What stands around the work of every worker process: its log, the check of the schema, the watch and its HTTP server."""

import contextlib
import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import psycopg
import psycopg_pool

from deploy.operations.http import serving
from deploy.operations.logs import configure_logging
from deploy.operations.schema import wait_and_check
from deploy.operations.watch import Part, Verdict, Watch
from deploy.settings import Settings, load_settings
from deploy.wiring.base import Base
from streams.worker_metrics import BUILD, VERSION
from streams.workers import leave, tell

Kind = TypeVar("Kind", bound=Settings)


def begin(kind: type[Kind], name: str, *packages: str) -> Kind:
    """What every worker process does first: its settings, its log, and whether the schemas of these packages are those
    that the program was written for. A database that does not answer is waited for.

    Raises `KallanError("settings.invalid")`, `("schema.older")`, `("schema.newer")`.
    """
    settings = load_settings(kind)
    configure_logging(settings.log_level, settings.log_format, name)
    wait_and_check(settings, packages)
    return settings


@contextmanager
def working(
    base: Base,
    settings: Settings,
    parts: Sequence[Part],
    *,
    held: Callable[[], Sequence[str]] = tuple,
    served: str = "",
) -> Iterator[None]:
    """Watches the worker for as long as the block lasts, tells `streams.worker` of it, and serves what is measured where
    `KALLAN_METRICS_PORT` says so. `served`: where it is served already (the API's own address)."""
    version = importlib.metadata.version("kallan")
    base.meter.know(VERSION, [version])
    base.meter.set(BUILD, 1, version=version)
    address = served

    def told(moved: float, verdict: Verdict) -> None:
        tell(base.keys_pool, base.owner, base.name, moved, verdict.code, verdict.detail, address)

    watch = Watch(parts, base.meter, base.ticker, stall_seconds=settings.stall_seconds, held=held, tell=told)
    with contextlib.ExitStack() as stack:
        if settings.metrics_port and not served:
            address = stack.enter_context(
                serving(settings.metrics_host, settings.metrics_port, base.meter, lambda: watch.verdict)
            )
        watch.start()
        try:
            yield
        finally:
            watch.stop()
            with contextlib.suppress(psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
                leave(base.keys_pool, base.owner)  # else it is forgotten after a while
