"""Accounts and names follow a person through redirect and merge; a split gives back exactly what was joined.

A redirect moves rows and changes nothing else: no account is disabled by it. Redirects are kept as they were told, each
to the survivor that it named; where a person lives on is where the way of redirects ends (`iam.lives_on`).
"""

import datetime as dt
from collections.abc import Collection, Mapping

from iam.store.world import Connection, redirects
from streams.contracts.documents import Version


def redirect(connection: Connection, old: str, to: str, version: Version, now: dt.datetime) -> bool:
    """A published redirect. False: something newer is known of `old` already, or it leads nowhere else."""
    if old == to:
        return False
    newer = connection.execute(
        """select 1 from iam.world_person where id = %(id)s and (epoch, number) > (%(e)s::bigint, %(n)s::bigint)
           union all
           select 1 from iam.world_redirect where id = %(id)s and (epoch, number) >= (%(e)s::bigint, %(n)s::bigint)""",
        {"id": old, "e": version.epoch, "n": version.number},
    ).fetchone()
    if newer:
        return False
    _survives(connection, to, {old})
    connection.execute(
        """insert into iam.world_redirect as r (id, to_id, epoch, number, since) values (%s, %s, %s, %s, %s)
           on conflict (id) do update set to_id = excluded.to_id, epoch = excluded.epoch, number = excluded.number,
               claimed = r.claimed and r.to_id = excluded.to_id,
               since = case when r.to_id = excluded.to_id then r.since else excluded.since end""",
        [old, to, version.epoch, version.number, now],
    )
    _move(connection, old)
    return True


def claimants(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these persons whose earlier documents listed aliases."""
    rows = connection.execute(
        "select distinct to_id from iam.world_redirect where claimed and to_id = any(%s)", [sorted(ids)]
    )
    return {row[0] for row in rows}


def claim(connection: Connection, to: str, aliases: Collection[str], now: dt.datetime) -> set[str]:
    """The newest document of `to` lists these aliases. Returns those whose rows were moved to it just now."""
    _survives(connection, to, aliases)
    known = redirects(connection, aliases)
    connection.execute(
        "update iam.world_redirect set claimed = false where to_id = %s and claimed and not id = any(%s)",
        [to, sorted(aliases)],
    )
    moved = {alias for alias in aliases if known.get(alias) != to}
    for alias in sorted(aliases):
        connection.execute(
            """insert into iam.world_redirect as r (id, to_id, claimed, since) values (%s, %s, true, %s)
               on conflict (id) do update set to_id = excluded.to_id, claimed = true,
                   since = case when r.to_id = excluded.to_id then r.since else excluded.since end
               where r.to_id <> excluded.to_id or not r.claimed""",
            [alias, to, now],
        )
        if alias in moved:
            _move(connection, alias)
    return moved


def release(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """End the redirects of those of these persons that have a newer document of their own and that nobody claims any
    more (a split). Their own accounts go back to them, with those of whoever was joined with them before. Returns where
    each lived."""
    lived = redirects(connection, _told_of(connection, ids))
    freed = connection.execute(
        """delete from iam.world_redirect r using iam.world_person p
           where (r.id = any(%(ids)s) or r.to_id = any(%(ids)s)) and not r.claimed and p.id = r.id
             and p.body is not null and (p.epoch, p.number) > (r.epoch, r.number)
           returning r.id""",
        {"ids": sorted(ids)},
    ).fetchall()
    for row in sorted(freed):
        _follow(connection, row[0])
    return {row[0]: lived[row[0]] for row in freed}


def _told_of(connection: Connection, ids: Collection[str]) -> set[str]:
    """These persons, and those who were redirected to one of them."""
    rows = connection.execute("select id from iam.world_redirect where to_id = any(%s)", [sorted(ids)]).fetchall()
    return {*ids, *(row[0] for row in rows)}


def _survives(connection: Connection, person: str, others: Collection[str]) -> None:
    """`person` is who these live on as: should its own way lead to one of them, the turn is the newer word, and that
    redirect is over."""
    way = connection.execute(
        """with recursive way (id) as (
               select to_id from iam.world_redirect where id = %(id)s
               union
               select r.to_id from way join iam.world_redirect r using (id)
           )
           select 1 from way where id = any(%(others)s) limit 1""",
        {"id": person, "others": sorted(others)},
    ).fetchone()
    if way:
        connection.execute("delete from iam.world_redirect where id = %s", [person])
        _follow(connection, person)


def _move(connection: Connection, old: str) -> None:
    """Everything that hangs on `old`. Its document is dropped (the version stays: an older one is still older)."""
    _follow(connection, old)
    connection.execute("update iam.world_person set body = null, key_id = '' where id = %s", [old])
    connection.execute("delete from iam.read_index where person = %s", [old])
    connection.execute("delete from iam.due where person = %s", [old])


def _follow(connection: Connection, person: str) -> None:
    """Every account is where the person lives whom it was made for: those of `person`, and of all who were joined with
    that person before."""
    connection.execute(
        """with recursive joined (id) as (
               select %(id)s::text
               union
               select r.id from iam.world_redirect r join joined on r.to_id = joined.id
           ), home as (
               select a.id, coalesce(l.to_id, a.first_person) as person
               from iam.account a join joined on a.first_person = joined.id
               left join lateral iam.lives_on(array[a.first_person]) l on true
           )
           update iam.account a set person_id = home.person from home
           where a.id = home.id and a.person_id <> home.person""",
        {"id": person},
    )
