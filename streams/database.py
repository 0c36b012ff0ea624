"""PostgreSQL: connection pools, the same for every package."""

from collections.abc import Callable

import psycopg
import psycopg_pool

_PATIENCE = 10.0
"""Seconds that a connection is waited for, and that the pool itself tries: its pauses double within this time and begin
anew with the next who asks (docs/decisions/0102)."""


def open_pool(
    url: str, *, size: int = 4, name: str = "kallan", guard: Callable[[psycopg.Connection], None] | None = None
) -> psycopg_pool.ConnectionPool[psycopg.Connection]:
    """A pool of psycopg connections (`url` is a libpq URL, `postgresql://...`). Not waited for: a database that is away
    shows at first use, as `psycopg.OperationalError` or `psycopg_pool.PoolTimeout`; so does one that `guard` refuses."""

    def configure(connection: psycopg.Connection) -> None:
        # No statement of ours is worth compiling, and those with `offset 0` look far more costly than they are.
        connection.execute("set jit = off")
        connection.commit()
        if guard is not None:
            guard(connection)

    return psycopg_pool.ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        name=name,
        open=True,
        timeout=_PATIENCE,
        reconnect_timeout=_PATIENCE,
        check=psycopg_pool.ConnectionPool.check_connection,
        configure=configure,
        kwargs={"application_name": name},
    )
