"""What was delivered is not dirty any more, and who refers to it becomes dirty: one transaction.

Document rows are locked before dirty rows, sorted and in one statement, as ingest does it.
"""

import logging
from collections.abc import Mapping, Sequence

from mmd.relay.outgoing import Batch, Taken
from mmd.store.dirty import BULK, URGENT, Dirty, mark
from mmd.store.disclosing import Cursor, firms_of

logger = logging.getLogger(__name__)

PUT_OFF_SECONDS = 60.0

_REFERRERS = """
select distinct on (r.document) r.document, t.lane, t.cause, t.caused_at
from unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[]) as t (id, lane, cause, caused_at)
join mmd.identity i on i.survivor = t.id or i.id = t.id
join mmd.referrer r on r.target = i.id
order by r.document, t.lane desc
"""
_LOCK = "select id from mmd.document where id = any(%s) order by id for no key update"
_DONE = """
delete from mmd.dirty d using unnest(%s::text[], %s::bigint[]) as n (document, number)
where d.document = n.document and d.number <= n.number
"""
_BUMP = """
update mmd.document set number = number + 1, touched = pg_current_xact_id(), raised = raised or id = any(%s)
where id = any(%s) and kind <> 'redirect' returning id, number
"""
_GROUPS = """
select distinct r.document from mmd.identity i join mmd.referrer r on r.target = i.id
join mmd.document d on d.id = r.document and d.kind = 'group'
where i.survivor = any(%(ids)s) or i.id = any(%(ids)s)
"""
_RENEWED = """
update mmd.document d set raised = false
from unnest(%s::text[], %s::bigint[]) as n (id, number) where d.id = n.id and d.number = n.number
"""
_PUT_OFF = """
update mmd.dirty set since = clock_timestamp() + make_interval(secs => %s) where document = any(%s)
"""


def forget(cursor: Cursor, batch: Batch) -> None:
    """In the caller's transaction, after everything of the batch was delivered."""
    done = [one for one in batch.taken if one.id not in batch.bad]
    raised = [one for one in done if one.raised]
    again = dict(_referrers(cursor, done) if batch.in_force else _withheld(done))
    telling = _telling(cursor, raised)
    again |= telling
    cursor.execute(_LOCK, [sorted(again.keys() | {one.id for one in raised})])
    # Before who refers is marked: two who refer to each other must not keep each other dirty for ever.
    cursor.execute(_DONE, [[one.id for one in done], [one.number for one in done]])
    if raised:
        cursor.execute(_RENEWED, [[one.id for one in raised], [one.number for one in raised]])
    cursor.execute(_BUMP, [sorted(telling), sorted(again)])
    numbers: dict[str, int] = dict(cursor.fetchall())
    mark(cursor, [_in_version(one, numbers.get(row, one.number)) for row, one in again.items()])
    if batch.bad:
        cursor.execute(_PUT_OFF, [PUT_OFF_SECONDS, sorted(batch.bad)])
        logger.error("%d documents cannot be read and wait: %s", len(batch.bad), sorted(set(batch.bad.values())))


def _referrers(cursor: Cursor, done: Sequence[Taken]) -> Mapping[str, Dirty]:
    """Who refers to what changed. Whoever was committed by now is found; whoever commits later is published later anyway."""
    changed = [one for one in done if one.fan_out]
    if not changed:
        return {}
    columns = ("id", "lane", "cause", "caused_at")
    cursor.execute(_REFERRERS, [[getattr(one, name) for one in changed] for name in columns])
    return {row: Dirty(row, lane, 0, cause, caused_at) for row, lane, cause, caused_at in cursor.fetchall()}


def _telling(cursor: Cursor, raised: Sequence[Taken]) -> Mapping[str, Dirty]:
    """What was published of a sole trader's firm is the owner's data, and a class tells where a pupil is: their keys are
    renewed with the person's."""
    if not raised:
        return {}
    latest = max(raised, key=lambda one: one.caused_at)
    cursor.execute(_GROUPS, {"ids": [one.id for one in raised]})
    groups = [row[0] for row in cursor.fetchall()]
    found = [*firms_of(cursor, (one.id for one in raised)), *groups]
    return {row: Dirty(row, URGENT, 0, latest.cause, latest.caused_at) for row in found}


def _withheld(done: Sequence[Taken]) -> Mapping[str, Dirty]:
    """What could only be withheld, for the release has ended: published again when one is in force, and told to whoever
    refers to it then. A redirect tells nothing that its release could withhold; it goes out once more as it is."""
    return {
        one.id: Dirty(one.id, BULK, one.number, one.cause, one.caused_at, one.fan_out)
        for one in done
        if one.document is not None
    }


def _in_version(one: Dirty, number: int) -> Dirty:
    return Dirty(one.document, one.lane, number, one.cause, one.caused_at, one.fan_out)
