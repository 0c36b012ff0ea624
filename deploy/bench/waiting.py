"""Waiting for what the workers do, by asking the stores."""

import time
from collections.abc import Callable

import psycopg
import psycopg_pool

from deploy.quiet import Quiet
from streams.contracts.errors import Unavailable

Pool = psycopg_pool.ConnectionPool[psycopg.Connection]


def until(done: Callable[[], bool], seconds: float, what: str, every: float = 0.05) -> None:
    """Raises `Unavailable("service.unavailable")` telling what did not come."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise Unavailable("service.unavailable", f"bench: {what}: not there after {seconds:.0f} s")
        time.sleep(every)


def number(pool: Pool, query: str, *values: object) -> float:
    """The one number that a query gives; 0 for none."""
    with pool.connection() as connection:
        row = connection.execute(query.encode(), values or None).fetchone()
    return float(row[0] or 0) if row else 0.0


def decided(quiet: Quiet, seconds: float) -> None:
    """Until everything is evaluated and only operations in targets are left."""
    looks = 0

    def nothing_else() -> bool:
        nonlocal looks
        pending = [kind for kind in quiet.pending() if not kind.startswith("operations")]
        looks = 0 if pending else looks + 1
        return looks >= 2

    until(nothing_else, seconds, "everything evaluated", every=0.1)
