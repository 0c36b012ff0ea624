"""What worker processes tell of themselves in `streams.worker`, so that one who looks from outside need not reach them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
import psycopg_pool
from psycopg.rows import class_row

_Pool = psycopg_pool.ConnectionPool[psycopg.Connection]

FORGET_SECONDS = 3600.0
"""A process that has said nothing for so long is gone, and its row with the next that one of its kind writes."""

_TELL = """
insert into streams.worker as w (owner, name, started_at, seen_at, moved_at, code, detail, metrics)
values (%(owner)s, %(name)s, clock_timestamp(), clock_timestamp(), to_timestamp(nullif(%(moved)s::float8, 0)), %(code)s,
        %(detail)s, %(metrics)s)
on conflict (owner) do update set seen_at = excluded.seen_at, moved_at = excluded.moved_at, code = excluded.code,
    detail = excluded.detail, metrics = excluded.metrics
"""
_FORGET = """
delete from streams.worker where name = %(name)s and owner <> %(owner)s
and seen_at < clock_timestamp() - make_interval(secs => %(seconds)s)
"""
_LIST = """
select owner, name, extract(epoch from clock_timestamp() - seen_at)::float8 as seen_seconds, moved_at, code, detail, metrics
from streams.worker order by name, owner
"""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """`seen_seconds`: how long ago it told of itself; `code`: why it is not ready, empty where it is."""

    owner: str
    name: str
    seen_seconds: float
    moved_at: dt.datetime | None
    code: str
    detail: str
    metrics: str


def tell(pool: _Pool, owner: str, name: str, moved: float, code: str, detail: str, metrics: str) -> None:
    """One process, as it is now; `moved` is Unix time, 0: never."""
    told = {"owner": owner, "name": name, "moved": moved, "code": code, "detail": detail, "metrics": metrics}
    with pool.connection() as connection:
        connection.execute(_TELL, told)
        connection.execute(_FORGET, {"name": name, "owner": owner, "seconds": FORGET_SECONDS})


def leave(pool: _Pool, owner: str) -> None:
    """The process ends as it should. Not waited for long: a row that is left is forgotten after a while."""
    with pool.connection(timeout=1.0) as connection:
        connection.execute("delete from streams.worker where owner = %s", [owner])


def workers(pool: _Pool) -> Sequence[WorkerState]:
    with pool.connection() as connection, connection.cursor(row_factory=class_row(WorkerState)) as cursor:
        return cursor.execute(_LIST).fetchall()
