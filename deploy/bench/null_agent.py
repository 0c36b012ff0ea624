"""The bound of ingest: `python -m deploy.bench.null_agent`: the same Faust worker, whose handler copies bytes into a table.

Same settings, same batches, same broker and database; nothing is opened, checked, or thought about.
"""

from collections.abc import Sequence

from deploy.operations.collector import collect_seldom
from deploy.operations.logs import configure_logging
from deploy.settings import KafkaSettings, load_settings
from deploy.wiring.base import Base, Pool
from streams.catalogue import FOREVER, RECORD_SCHEMA, Cleanup, Topic
from streams.consume import Runner
from streams.envelope import Message
from streams.faust_worker import run_faust_worker

NAME = "bench-null"
TOPIC = Topic(
    "bench.null.v1", "subject", RECORD_SCHEMA, Cleanup.DELETE, FOREVER, "bulk", ("bench",), (NAME,), "Mätning", "Bench"
)
TABLE = "create schema if not exists bench; create table if not exists bench.copied (key text, value bytea)"


class Copy:
    """Implements `streams.bus.Handler`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __call__(self, batch: Sequence[Message]) -> None:
        with (
            self._pool.connection() as connection,
            connection.cursor() as cursor,
            cursor.copy("copy bench.copied (key, value) from stdin (format binary)") as copy,
        ):
            copy.set_types(("text", "bytea"))
            for message in batch:
                copy.write_row((message.key, message.value))


def main() -> None:
    settings = load_settings(KafkaSettings)
    configure_logging(settings.log_level)
    collect_seldom()
    base = Base(settings, NAME)
    runner = Runner(Copy(base.pool), base.dead_letters, base.ticker, group=NAME)
    try:
        run_faust_worker(NAME, settings.kafka, (TOPIC.name,), runner, data_dir=settings.work_dir / NAME)
    finally:
        base.close()


if __name__ == "__main__":
    main()
