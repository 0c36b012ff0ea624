"""What the relay has to publish: one row per document, level-triggered. An urgent row stays urgent while it waits."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
import psycopg.rows

CHANNEL = "mmd_dirty"
"""Notified when something has become dirty, so that an idle relay starts at once."""

URGENT = "urgent"
BULK = "bulk"

_MARK = """
insert into mmd.dirty as d (document, lane, number, fan_out, cause, caused_at)
select * from unnest(%b::text[], %b::text[], %b::bigint[], %b::boolean[], %b::text[], %b::timestamptz[]) order by 1
on conflict (document) do update set
    cause = case when d.lane = 'urgent' and excluded.lane <> 'urgent' then d.cause else excluded.cause end,
    caused_at = case when d.lane = 'urgent' and excluded.lane <> 'urgent' then d.caused_at else excluded.caused_at end,
    lane = case when d.lane = 'urgent' then d.lane else excluded.lane end,
    number = greatest(d.number, excluded.number),
    fan_out = d.fan_out or excluded.fan_out,
    since = least(d.since, excluded.since)
"""


@dataclass(frozen=True, slots=True)
class Dirty:
    """A document to publish in version `number` or later. `cause` is the event that made it so, logged at `caused_at`;
    `fan_out`: whoever refers to it has to hear of it too."""

    document: str
    lane: str
    number: int
    cause: str
    caused_at: dt.datetime
    fan_out: bool = False


def mark(cursor: psycopg.Cursor[psycopg.rows.TupleRow], rows: Iterable[Dirty]) -> None:
    """Within the caller's transaction; the notice goes out at its commit."""
    found = list(rows)
    if not found:
        return
    names = ("document", "lane", "number", "fan_out", "cause", "caused_at")
    cursor.execute(_MARK, [[getattr(one, name) for one in found] for name in names])
    cursor.execute(f"notify {CHANNEL}")
