"""What the edge remembers between files: schema `connectors`, by explicit SQL. One connection, one transaction a call.

The state of a total load is in `connectors.sources.total_state` and `snapshot`.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import psycopg_pool

Pool = psycopg_pool.ConnectionPool[psycopg.Connection]

_MISSING_MOST = 1000
_LAST_OF_SERIES = 99_999


@dataclass(frozen=True, slots=True)
class SourceState:
    last_number: int | None = None
    missing: tuple[int, ...] = ()
    snapshot_count: int = 0
    total_stamp: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What was last published of a source key."""

    digest: str
    version: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is published now of a source key."""

    source_key: str
    digest: str
    version: str
    subject: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """`body` is sealed; `content_digest` makes the same record one row."""

    content_digest: str
    code: str
    detail: str
    position: int
    key_id: str
    body: bytes


@contextmanager
def exclusive(pool: Pool, source: str) -> Iterator[None]:
    """One file of a source at a time, over all processes; the lock goes with its connection."""
    with pool.connection() as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(hashtext('kallan.source'), hashtext(%s))", (source,))
        try:
            yield
        finally:
            connection.execute("select pg_advisory_unlock(hashtext('kallan.source'), hashtext(%s))", (source,))
            connection.autocommit = False


@contextmanager
def all_exclusive(pool: Pool, sources: Iterable[str]) -> Iterator[None]:
    """No file of any of these is read meanwhile."""
    with pool.connection() as connection, connection.transaction():
        for source in sorted(sources):
            connection.execute("select pg_advisory_xact_lock(hashtext('kallan.source'), hashtext(%s))", (source,))
        yield


def source_state(pool: Pool, source: str) -> SourceState:
    with pool.connection() as connection:
        row = connection.execute(
            "select last_number, missing, snapshot_count, total_stamp from connectors.source where name = %s", (source,)
        ).fetchone()
    return SourceState() if row is None else SourceState(row[0], tuple(row[1]), row[2], row[3])


def known(pool: Pool, source: str, keys: Iterable[str]) -> Mapping[str, Known]:
    with pool.connection() as connection:
        rows = connection.execute(
            "select source_key, digest, version from connectors.snapshot where source = %s and source_key = any(%s)",
            (source, sorted(set(keys))),
        ).fetchall()
    return {key: Known(digest, version) for key, digest, version in rows}


def gap(state: SourceState, number: int | None) -> tuple[int, ...]:
    """The file numbers that were skipped before this one. The series starts over after 99,999."""
    if number is None or state.last_number is None or number <= state.last_number + 1:
        return ()
    return tuple(range(state.last_number + 1, min(number, state.last_number + 1 + _MISSING_MOST)))


def record_number(pool: Pool, source: str, number: int | None, now: dt.datetime) -> tuple[int, ...]:
    """A file has been read to its end: note its number, and which are missing now (they are returned)."""
    state = source_state(pool, source)
    missing, last = set(state.missing), state.last_number
    if number is not None:
        missing = (missing | set(gap(state, number))) - {number}
        starts_over = last is not None and last >= _LAST_OF_SERIES and number <= 1
        last = number if last is None or starts_over else max(last, number)
    found = tuple(sorted(missing)[:_MISSING_MOST])
    with pool.connection() as connection:
        connection.execute(
            "insert into connectors.source (name, last_number, missing, heard_at) values (%s, %s, %s, %s) "
            "on conflict (name) do update set last_number = excluded.last_number, missing = excluded.missing, "
            "heard_at = excluded.heard_at",
            (source, last, list(found), now),
        )
    return found


_REMEMBER = """
with new as (
    insert into connectors.snapshot as s (source, source_key, digest, version, subject, kinds, load)
    values (%(source)s, %(key)s, %(digest)s, %(version)s, %(subject)s, %(kinds)s, 0)
    on conflict (source, source_key) do update
        set digest = excluded.digest, version = greatest(s.version, excluded.version), subject = excluded.subject,
            kinds = array(select distinct unnest(s.kinds || excluded.kinds) order by 1)
        where excluded.version >= s.version
    returning (xmax = 0) as inserted
)
insert into connectors.source as c (name, snapshot_count)
select %(source)s, count(*) from new where inserted
on conflict (name) do update set snapshot_count = c.snapshot_count + excluded.snapshot_count
"""


def remember(pool: Pool, source: str, seen: Sequence[Seen]) -> None:
    """A delta's records are published: the snapshot follows, and how many keys it should hold. Older versions than
    the one that is there leave it alone."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            _REMEMBER,
            [
                {
                    "source": source,
                    "key": one.source_key,
                    "digest": one.digest,
                    "version": one.version,
                    "subject": one.subject,
                    "kinds": list(one.kinds),
                }
                for one in seen
            ],
        )


_REJECT = """
insert into connectors.rejected
    (source, content_digest, code, detail, position, number, seen_at, expires_at, key_id, body)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (source, content_digest, code, detail) do update
    set seen_at = excluded.seen_at, expires_at = excluded.expires_at
"""


def keep_rejected(
    pool: Pool, source: str, number: int | None, records: Sequence[RejectedRecord], now: dt.datetime, days: int
) -> None:
    until = now + dt.timedelta(days=days)
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            _REJECT,
            [
                (source, r.content_digest, r.code, r.detail, r.position, number, now, until, r.key_id, r.body)
                for r in records
            ],
        )


def purge_rejected(pool: Pool, now: dt.datetime) -> int:
    """Delete what has been kept long enough (*gallring*)."""
    with pool.connection() as connection:
        return connection.execute("delete from connectors.rejected where expires_at <= %s", (now,)).rowcount
