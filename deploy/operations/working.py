"""What stands around the work of every worker process: its log, the check of the schema, the watch and its HTTP server."""

import contextlib
import importlib.metadata
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import psycopg
import psycopg_pool

from deploy.operations.http import serving
from deploy.operations.logs import configure_logging
from deploy.operations.schema import check
from deploy.operations.watch import Part, Verdict, Watch
from deploy.settings import Settings, load_settings
from deploy.wiring.base import Base
from streams.contracts.errors import KallanError
from streams.worker_metrics import BUILD, VERSION
from streams.workers import leave, tell

log = logging.getLogger(__name__)

Kind = TypeVar("Kind", bound=Settings)

_ASK_AGAIN_SECONDS = 1.0


def begin(kind: type[Kind], name: str, *packages: str) -> Kind:
    """What every worker process does first: its settings, its log, and whether the schemas of these packages are those
    that the program was written for. Where the database does not answer, `working` asks again.

    Raises `KallanError("settings.invalid")`, `("schema.older")`, `("schema.newer")`.
    """
    settings = load_settings(kind)
    configure_logging(settings.log_level, settings.log_format, name)
    try:
        check(settings, packages)
    except psycopg.OperationalError as error:
        log.warning("PostgreSQL does not answer yet (%s); its schemas are looked at when it does", error)
    return settings


class _SchemaWatch:
    """Asks until the database has answered once. On a schema of another program the process is told to stop; until then
    the pools hand out nothing (`Base.schemas`)."""

    def __init__(self, base: Base) -> None:
        self.failed: KallanError | None = None
        self._base = base
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schema", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._ending.set()
        if self.failed is not None and error is None:
            raise self.failed

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                check(self._base.settings, self._base.schemas)
            except psycopg.OperationalError:
                self._ending.wait(_ASK_AGAIN_SECONDS)
            except KallanError as error:
                self.failed = error
                log.error("stopping: %s", error)  # noqa: TRY400  # the error is told whole
                os.kill(os.getpid(), signal.SIGTERM)
                return
            else:
                return


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
    with _SchemaWatch(base), contextlib.ExitStack() as stack:
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
