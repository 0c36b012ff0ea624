"""One relay works at a time. A successor waits until nothing that its predecessor sent can be delivered any more."""

import psycopg
import psycopg_pool

from streams.clock import Ticker

_TAKE = """
insert into mmd.lease as held (name, owner, until, busy_until)
values (%(name)s, %(owner)s, clock_timestamp() + make_interval(secs => %(seconds)s), clock_timestamp())
on conflict (name) do update set owner = excluded.owner, until = excluded.until
where held.owner = excluded.owner or (held.until < clock_timestamp() and held.busy_until < clock_timestamp())
returning owner
"""

_BUSY = """
update mmd.lease set until = clock_timestamp() + make_interval(secs => %(seconds)s),
                     busy_until = clock_timestamp() + make_interval(secs => %(seconds)s + %(delivery)s)
where name = %(name)s and owner = %(owner)s and until > clock_timestamp()
returning owner
"""

_IDLE = "update mmd.lease set busy_until = clock_timestamp() where name = %(name)s and owner = %(owner)s"
_GIVE_UP = "delete from mmd.lease where name = %(name)s and owner = %(owner)s and busy_until <= clock_timestamp()"


class Lease:
    """`seconds` is how long it lasts without being renewed, `delivery` how long a message that was handed to the
    producer may still reach the broker (the producer's delivery time-out). Times of the database decide between
    processes; our own ticker only makes us stop earlier."""

    def __init__(
        self,
        pool: "psycopg_pool.ConnectionPool[psycopg.Connection]",
        ticker: Ticker,
        name: str,
        owner: str,
        *,
        seconds: float,
        delivery: float,
    ) -> None:
        self._pool = pool
        self._ticker = ticker
        self._seconds = seconds
        self._names = {"name": name, "owner": owner, "seconds": seconds, "delivery": delivery}
        self._until = float("-inf")

    def hold(self) -> bool:
        """Take or renew the lease; False where another has it, or may still have messages under way."""
        now = self._ticker.monotonic()
        if self._until - now > self._seconds * 2 / 3:
            return True
        with self._pool.connection() as connection:
            held = connection.execute(_TAKE, self._names).fetchone() is not None
        self._until = now + self._seconds if held else float("-inf")
        return held

    def begin_sending(self) -> bool:
        """Say, durably, that messages go out from now on. False where the lease was lost: then nothing may be sent."""
        now = self._ticker.monotonic()
        with self._pool.connection() as connection:
            held = connection.execute(_BUSY, self._names).fetchone() is not None
        self._until = now + self._seconds if held else float("-inf")
        return held and self._ticker.monotonic() < self._until

    def sent(self, connection: psycopg.Connection) -> None:
        """Everything was delivered: a successor need not wait for it. In the caller's transaction."""
        connection.execute(_IDLE, self._names)

    def release(self) -> None:
        """Let a successor work at once, unless something may still be under way."""
        self._until = float("-inf")
        with self._pool.connection() as connection:
            connection.execute(_GIVE_UP, self._names)
