"""A worker process for the kill tests: writes the pointer of every record that it handled to PostgreSQL."""

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from streams.consume import Runner
from streams.database import open_pool
from streams.dead_letters import DeadLetters
from streams.envelope import Message
from streams.faust_worker import run_faust_worker


def main(name: str, bootstrap: str, topic: str, database: str, folder: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    pool = open_pool(database, size=2)

    def handle(batch: Sequence[Message]) -> None:
        with pool.connection() as connection:
            connection.execute(
                "insert into handled (pointer) select unnest(%s::text[])", [[one.pointer for one in batch]]
            )
            time.sleep(0.1)

    runner = Runner(handle, DeadLetters(pool), group=name)
    run_faust_worker(name, bootstrap, [topic], runner, batch=100, data_dir=Path(folder))
    pool.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
