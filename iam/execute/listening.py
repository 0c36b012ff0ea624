"""LISTEN on a pooled connection that is given back as it was taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from iam.execute.queue import Pool


class Wait(Protocol):
    def __call__(self, seconds: float) -> bool:
        """Wait for a notification; False: none came in time. Raises what the database raises."""
        ...


@contextmanager
def listening(pool: Pool, channel: str) -> Iterator[Wait]:
    """Notifications are only a saving of time: whoever waits looks at its table after every wait."""
    with pool.connection() as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute(f"listen {channel}".encode())
        try:
            yield lambda seconds: any(True for _ in connection.notifies(timeout=seconds, stop_after=1))
        finally:
            if not connection.closed and not connection.broken:
                connection.execute("unlisten *")
                connection.autocommit = False
