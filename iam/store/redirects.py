"""Accounts and names follow a person through redirect and merge; a split gives back exactly what was joined.

A redirect moves rows and changes nothing else: no account is disabled by it.
"""

from collections.abc import Collection, Mapping

from iam.store.world import Connection
from streams.contracts.documents import Version


def redirect(connection: Connection, old: str, to: str, version: Version) -> bool:
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
    connection.execute("delete from iam.world_redirect where id = %s and to_id = %s", [to, old])
    to = _end(connection, to)
    connection.execute(
        """insert into iam.world_redirect as r (id, to_id, epoch, number) values (%s, %s, %s, %s)
           on conflict (id) do update set to_id = excluded.to_id, epoch = excluded.epoch, number = excluded.number,
               claimed = r.claimed and r.to_id = excluded.to_id""",
        [old, to, version.epoch, version.number],
    )
    _move(connection, old, to)
    return True


def claimants(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these persons whose earlier documents listed aliases."""
    rows = connection.execute(
        "select distinct to_id from iam.world_redirect where claimed and to_id = any(%s)", [sorted(ids)]
    )
    return {row[0] for row in rows}


def claim(connection: Connection, to: str, aliases: Collection[str]) -> set[str]:
    """The newest document of `to` lists these aliases. Returns those whose rows were moved to it just now."""
    connection.execute("delete from iam.world_redirect where id = %s and to_id = any(%s)", [to, sorted(aliases)])
    to = _end(connection, to)
    known = {
        row[0]: row[1]
        for row in connection.execute(
            "select id, to_id from iam.world_redirect where id = any(%s)", [sorted(aliases)]
        ).fetchall()
    }
    connection.execute(
        "update iam.world_redirect set claimed = false where to_id = %s and claimed and not id = any(%s)",
        [to, sorted(aliases)],
    )
    for alias in sorted(aliases):
        connection.execute(
            """insert into iam.world_redirect as r (id, to_id, claimed) values (%s, %s, true)
               on conflict (id) do update set to_id = excluded.to_id, claimed = true
               where r.to_id <> excluded.to_id or not r.claimed""",
            [alias, to],
        )
        if known.get(alias) != to:
            _move(connection, alias, to)
    return {alias for alias in aliases if known.get(alias) != to}


def release(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """End the redirects of those of these persons that have a newer document of their own and that nobody claims any
    more (a split). Their own accounts go back to them. Returns whom each was joined with."""
    freed: dict[str, str] = dict(
        connection.execute(
            """delete from iam.world_redirect r using iam.world_person p
               where (r.id = any(%(ids)s) or r.to_id = any(%(ids)s)) and not r.claimed and p.id = r.id
                 and p.body is not null and (p.epoch, p.number) > (r.epoch, r.number)
               returning r.id, r.to_id""",
            {"ids": sorted(ids)},
        ).fetchall()
    )
    for old, to in sorted(freed.items()):
        connection.execute(
            "update iam.account set person_id = first_person where first_person = %s and person_id = %s", [old, to]
        )
    return freed


def _end(connection: Connection, person: str) -> str:
    """Where a person lives on now. Redirects always lead to their end, see `_move`."""
    row = connection.execute("select to_id from iam.world_redirect where id = %s", [person]).fetchone()
    return str(row[0]) if row else person


def _move(connection: Connection, old: str, to: str) -> None:
    """Everything that hangs on `old`. Its document is dropped (the version stays: an older one is still older)."""
    connection.execute("update iam.account set person_id = %s where person_id = %s", [to, old])
    connection.execute("update iam.world_redirect set to_id = %s where to_id = %s and id <> %s", [to, old, to])
    connection.execute("update iam.world_person set body = null, key_id = '' where id = %s", [old])
    connection.execute("delete from iam.read_index where person = %s", [old])
    connection.execute("delete from iam.due where person = %s", [old])
