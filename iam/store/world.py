"""The world as events told it: documents, redirects, who reads what, and the evaluation queue. Plain SQL, sets at a time.

Everything here works on a connection inside the caller's transaction.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import psycopg

from iam.domain.world import parents_of, person_thing
from streams.contracts.documents import UnitDocument, Version

Connection: TypeAlias = psycopg.Connection

WITHHELD = b""
"""The body of a person whom the release does not cover (any more): nothing is known, which is not the same as a document
that is not there yet or has moved away. Every account of such a person is to be disabled."""

PRIORITY_NOW = 1
PRIORITY_TIMER = 2
PRIORITY_WORLD = 3
PRIORITY_POLICY = 9

_UNIT = msgspec.json.Decoder(UnitDocument)


@dataclass(frozen=True, slots=True)
class Cause:
    """The event behind a change and when it was first logged (UTC)."""

    event: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person's row as stored. `body` None: not known, moved away by a redirect, or `erased` as of the version; `WITHHELD`:
    not for us."""

    id: str
    version: Version
    key_id: str
    body: bytes | None
    erased: bool
    cause: Cause


def persons(connection: Connection, ids: Collection[str]) -> list[PersonRow]:
    rows = connection.execute(
        """select id, epoch, number, key_id, body, erased, cause, caused_at from iam.world_person
           where id = any(%s) order by id""",
        [list(ids)],
    ).fetchall()
    return [
        PersonRow(i, Version(epoch, number), key, body, erased, Cause(c, at))
        for i, epoch, number, key, body, erased, c, at in rows
    ]


_PUT_PERSON = """
insert into iam.world_person as p (id, epoch, number, key_id, body, restricted, cause, caused_at)
select %(id)s, %(epoch)s, %(number)s, %(key_id)s, %(body)s, %(restricted)s, %(cause)s, %(caused_at)s
where not exists (select from iam.world_redirect r
                  where r.id = %(id)s and (r.epoch, r.number) >= (%(epoch)s::bigint, %(number)s::bigint))
on conflict (id) do update
    set epoch = excluded.epoch, number = excluded.number, key_id = excluded.key_id, body = excluded.body,
        restricted = excluded.restricted, cause = excluded.cause, caused_at = excluded.caused_at, erased = false
    where (p.epoch, p.number) < (excluded.epoch, excluded.number)
returning id
"""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person's document as it is to be stored."""

    id: str
    version: Version
    key_id: str
    body: bytes | None
    restricted: bool
    cause: Cause


def put_persons(connection: Connection, rows: Sequence[NewPerson]) -> set[str]:
    """The ids that were stored: those whose version is above what is known of them."""
    found: set[str] = set()
    arguments = [
        {
            "id": row.id,
            "epoch": row.version.epoch,
            "number": row.version.number,
            "key_id": row.key_id,
            "body": row.body,
            "restricted": row.restricted,
            "cause": row.cause.event,
            "caused_at": row.cause.at,
        }
        for row in sorted(rows, key=lambda r: r.id)
    ]
    if not arguments:
        return found
    with connection.cursor() as cursor:
        cursor.executemany(_PUT_PERSON, arguments, returning=True)
        while True:
            found.update(row[0] for row in cursor.fetchall())
            if not cursor.nextset():
                return found


_PUT_ERASED = """
insert into iam.world_person as p (id, epoch, number, body, restricted, erased, cause, caused_at)
values (%(id)s, coalesce(%(epoch)s, 0), coalesce(%(number)s, 0), null, true, true, %(cause)s, %(caused_at)s)
on conflict (id) do update
    set epoch = coalesce(%(epoch)s, p.epoch), number = coalesce(%(number)s, p.number), key_id = '', body = null,
        restricted = true, erased = true, cause = excluded.cause, caused_at = excluded.caused_at
    where (p.epoch, p.number) < (%(epoch)s::bigint, %(number)s::bigint)
       or not p.erased and (p.epoch, p.number) = (coalesce(%(epoch)s, p.epoch), coalesce(%(number)s, p.number))
returning id
"""


def put_erased(connection: Connection, erased: Mapping[str, Version | None], cause: Cause) -> set[str]:
    """These are gone as of a version (None: as of the one that is known) and no document is left. Returns those of whom
    nothing newer was known."""
    found: set[str] = set()
    for person, version in sorted(erased.items()):
        as_of = {"epoch": version and version.epoch, "number": version and version.number}
        values = {"id": person, "cause": cause.event, "caused_at": cause.at, **as_of}
        found.update(row[0] for row in connection.execute(_PUT_ERASED, values).fetchall())
    return found


def mark_evaluated(connection: Connection, rows: Sequence[tuple[str, str, dt.datetime | None]]) -> None:
    """(person, policy fingerprint, next change) of those that were evaluated."""
    connection.execute(
        """update iam.world_person p set policy = n.policy, next_change = n.at
           from unnest(%s::text[], %s::text[], %s::timestamptz[]) as n (id, policy, at) where p.id = n.id""",
        [[r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]],
    )


def put_units(connection: Connection, units: Sequence[tuple[UnitDocument, Version]]) -> set[str]:
    """The keys of those that were stored."""
    rows = sorted(units, key=lambda pair: pair[0].id)
    if not rows:
        return set()
    found: set[str] = set()
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into iam.world_unit as u (id, epoch, number, body, parents) values (%s, %s, %s, %s, %s)
               on conflict (id) do update set epoch = excluded.epoch, number = excluded.number, body = excluded.body,
                   parents = excluded.parents
               where (u.epoch, u.number) < (excluded.epoch, excluded.number) returning id""",
            [(u.id, v.epoch, v.number, msgspec.json.encode(u), sorted(parents_of(u))) for u, v in rows],
            returning=True,
        )
        while True:
            found.update(row[0] for row in cursor.fetchall())
            if not cursor.nextset():
                return found


def units_with_ancestors(connection: Connection, keys: Collection[str]) -> tuple[set[str], dict[str, UnitDocument]]:
    """Every key on the way up from these, at any time, and the documents of those that are known."""
    if not keys:
        return set(), {}
    rows = connection.execute(
        """with recursive line (id) as (
               select unnest(%s::text[])
               union
               select unnest(u.parents) from iam.world_unit u join line using (id)
           )
           select line.id, u.body from line left join iam.world_unit u using (id)""",
        [list(keys)],
    ).fetchall()
    return {row[0] for row in rows}, {row[0]: _UNIT.decode(row[1]) for row in rows if row[1] is not None}


def redirects(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Where those of these persons that were redirected live on."""
    if not ids:
        return {}
    rows = connection.execute("select id, to_id from iam.lives_on(%s)", [list(ids)]).fetchall()
    return dict(rows)


def readers(connection: Connection, things: Collection[str]) -> set[str]:
    """The persons whose evaluation looked at any of these things."""
    if not things:
        return set()
    rows = connection.execute("select distinct person from iam.read_index where thing = any(%s)", [list(things)])
    return {row[0] for row in rows}


def put_reads(connection: Connection, reads: Mapping[str, Collection[str]]) -> None:
    """What each of these persons was evaluated with; only differences are written."""
    if not reads:
        return
    rows = connection.execute(
        "select person, thing from iam.read_index where person = any(%s)", [list(reads)]
    ).fetchall()
    old = set(rows)
    new = {(person, thing) for person, things in reads.items() for thing in things}
    gone, come = sorted(old - new), sorted(new - old)
    with connection.cursor() as cursor:
        if gone:
            cursor.executemany("delete from iam.read_index where person = %s and thing = %s", gone)
        if come:
            cursor.executemany(
                "insert into iam.read_index (person, thing) values (%s, %s) on conflict do nothing", come
            )


def enqueue(connection: Connection, ids: Iterable[str], at: dt.datetime, priority: int, cause: Cause) -> None:
    """Evaluate these at `at` or before; the earliest time and the most urgent priority stand."""
    rows = sorted(set(ids))
    if rows:
        connection.execute(
            """insert into iam.due as d (person, at, priority, cause, caused_at)
               select p, %s, %s, %s, %s from unnest(%s::text[]) as p
               on conflict (person) do update
                   set at = least(d.at, excluded.at), priority = least(d.priority, excluded.priority),
                       cause = excluded.cause, caused_at = excluded.caused_at
                   where excluded.at < d.at or excluded.priority < d.priority""",
            [at, priority, cause.event, cause.at, rows],
        )


def set_timers(connection: Connection, next_changes: Mapping[str, dt.datetime | None]) -> None:
    """These were evaluated: what was due is done, and the next time to look is this one (None: no date is known)."""
    with connection.cursor() as cursor:
        timed = sorted((person, at) for person, at in next_changes.items() if at is not None)
        if timed:
            cursor.executemany(
                """insert into iam.due (person, at, priority, cause, caused_at) values (%s, %s, %s, 'timer', %s)
                   on conflict (person) do update set at = excluded.at, priority = excluded.priority,
                       cause = excluded.cause, caused_at = excluded.caused_at""",
                [(person, at, PRIORITY_TIMER, at) for person, at in timed],
            )
        ended = sorted(person for person, at in next_changes.items() if at is None)
        if ended:
            cursor.execute("delete from iam.due where person = any(%s)", [ended])


def take_locks(connection: Connection, exclusive: Collection[str], shared: Collection[str]) -> None:
    """Lock things for this transaction, in one order for everyone, so that two evaluations never wait for each other in
    a ring. A thing that does not exist yet is locked too: what is looked at cannot appear meanwhile."""
    things = sorted(set(exclusive) | set(shared))
    alone = set(exclusive)
    connection.execute(
        """select case when x then pg_advisory_xact_lock(%s, h) else pg_advisory_xact_lock_shared(%s, h) end
           from (select hashtext(thing) as h, bool_or(alone) as x
                 from unnest(%s::text[], %s::boolean[]) as t (thing, alone) group by 1 order by 1) locks""",
        [_LOCK_CLASS, _LOCK_CLASS, things, [thing in alone for thing in things]],
    )


_LOCK_CLASS = 0x49414D  # "IAM": the two-key space of advisory locks, apart from every other use


def person_things(ids: Iterable[str]) -> set[str]:
    return {person_thing(one) for one in ids}
