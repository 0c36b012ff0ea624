"""The disclosure report of a protected person (SM2, on entry): who had what before the first raise, and where it lay.

From the read log, the change feeds and provisioning's journal: releases, attribute groups and times, never a value.
"""

import datetime as dt

import msgspec
import psycopg
import psycopg_pool

from mmd.store.reader import Reader
from streams.contracts.claims import Marking, Protection

Pool = psycopg_pool.ConnectionPool[psycopg.Connection]


class ReaderHad(msgspec.Struct, frozen=True):
    """A reader was answered about the person: how often before and since the first raise, and which attribute groups
    before it. Times in UTC."""

    release: str
    occasion: str
    before: int
    since: int
    attributes: tuple[str, ...]
    first: dt.datetime
    last: dt.datetime


class FeedTold(msgspec.Struct, frozen=True):
    """A release's change feed tells of the person: whoever follows it may have asked, and is told when that changes."""

    feed: str
    change: str


class TargetHad(msgspec.Struct, frozen=True):
    """An account in a target that was asked to hold these attributes before the first raise. `now`: its presence as
    desired now. Times in UTC."""

    account: str
    target: str
    attributes: tuple[str, ...]
    first: dt.datetime
    last: dt.datetime
    now: str


class Report(msgspec.Struct, frozen=True):
    """`raised_at`: when the first raise ever was logged (UTC); None: nobody raised, and everything counts as before it."""

    person: str
    raised_at: dt.datetime | None
    readers: tuple[ReaderHad, ...]
    feeds: tuple[FeedTold, ...]
    targets: tuple[TargetHad, ...]


_READERS = """
select release, occasion, count(*) filter (where at <= %(until)s), count(*) filter (where at > %(until)s),
       coalesce((select array_agg(distinct g order by g) from mmd.disclosure e, unnest(e.attribute_groups) g
                 where e.person = any(%(ids)s) and e.release = d.release and e.occasion = d.occasion
                   and e.at <= %(until)s), '{}'), min(at), max(at)
from mmd.disclosure d where person = any(%(ids)s) group by release, occasion order by release, occasion
"""
_FEEDS = """
select distinct release, change from mmd.feed where document = any(%(ids)s) and seq is not null order by 1, 2
"""
_TARGETS = """
select j.account::text, j.target,
       coalesce(array_agg(distinct a order by a) filter (where a is not null), '{}'), min(j.at), max(j.at),
       coalesce((select presence from iam.desired d where d.account = j.account and d.target = j.target), 'absent')
from iam.journal j left join unnest(j.attributes) a on true
where j.person_id = any(%(ids)s) and j.at <= %(until)s and j.kind = 'evaluated'
  and exists (select from iam.journal i where i.account = j.account and i.target = j.target and i.kind = 'intent'
                                          and i.at <= %(until)s)
group by j.account, j.target order by j.target, j.account
"""


def report(reader: Reader, pool: Pool, person: str) -> Report | None:
    """Of a person, by id or alias; None: no such person. Numbers that were joined are one person here too."""
    members = reader.members(person)
    found = reader.persons([person]).get(person)
    if found is None:
        return None
    raises = [
        one.logged_at
        for one in reader.claims(person)
        if isinstance(one.claim.body, Protection) and one.claim.body.marking is not Marking.NONE
    ]
    raised_at = min(raises, default=None)
    asked = {"ids": sorted(set(members.values())), "until": raised_at or dt.datetime.max.replace(tzinfo=dt.UTC)}
    with pool.connection() as connection:
        readers = connection.execute(_READERS, asked).fetchall()
        feeds = connection.execute(_FEEDS, asked).fetchall()
        targets = connection.execute(_TARGETS, asked).fetchall()
    return Report(
        found.id,
        raised_at,
        tuple(ReaderHad(row[0], row[1], row[2], row[3], tuple(row[4]), _utc(row[5]), _utc(row[6])) for row in readers),
        tuple(FeedTold(feed, change) for feed, change in feeds),
        tuple(TargetHad(row[0], row[1], tuple(row[2]), _utc(row[3]), _utc(row[4]), row[5]) for row in targets),
    )


def _utc(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC)
