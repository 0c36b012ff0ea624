"""One relay at a time publishes the outbox. Two at once would do no harm: event ids and versions are the same."""

from iam.execute.queue import Pool
from streams.clock import Ticker

_HOLD = """
insert into iam.relay_lease as l (name, owner, until)
values (%(name)s, %(owner)s, clock_timestamp() + make_interval(secs => %(seconds)s))
on conflict (name) do update set owner = excluded.owner, until = excluded.until
where l.owner = excluded.owner or l.until <= clock_timestamp()
"""


class Lease:
    """Renewed when half of it is over; the rest of the time holding it costs nothing."""

    def __init__(self, pool: Pool, ticker: Ticker, name: str, owner: str, seconds: float) -> None:
        self._pool = pool
        self._ticker = ticker
        self._name = name
        self._owner = owner
        self._seconds = seconds
        self._renew_at = float("-inf")

    def hold(self) -> bool:
        """Whether this process has the lease now."""
        now = self._ticker.monotonic()
        if now < self._renew_at:
            return True
        arguments = {"name": self._name, "owner": self._owner, "seconds": self._seconds}
        with self._pool.connection() as connection:
            held = connection.execute(_HOLD, arguments).rowcount == 1
        self._renew_at = now + self._seconds / 2 if held else float("-inf")
        return held

    def release(self) -> None:
        """Let a successor begin at once."""
        self._renew_at = float("-inf")
        with self._pool.connection() as connection:
            connection.execute("delete from iam.relay_lease where name = %s and owner = %s", [self._name, self._owner])
