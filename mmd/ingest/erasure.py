"""A person leaves the master for good (*gallring*): claims, what was searched by, and the documents' content.

The keys are destroyed before: what arrives later is kept aside, and what is left under the ids becomes tombstones.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
import psycopg.rows

from mmd.domain.protection import LEVEL
from mmd.store.dirty import URGENT, Dirty, mark
from mmd.store.disclosing import firms_of
from streams.contracts.claims import ID_SUBJECT_PREFIX, PERSON, Marking, thing_of
from streams.hashing import id_subject
from streams.sealing import KeyClass, key_id

_GATE = "select pg_advisory_xact_lock(hashtextextended('mmd.join', 0))"
_IDS = """
select i.id from mmd.identity i where i.kind = 'person'
   and i.survivor = (select survivor from mmd.identity where id = %s) order by 1
"""
_SUBJECTS = "select subject from mmd.subject where own_id = any(%s) order by 1"
_FORGET = (
    """insert into mmd.floor (head, subject, version, digest, logged_at)
       select h.id, h.subject, h.version, h.digest, c.logged_at from mmd.head h join mmd.claim c on c.id = h.claim
       where h.subject = any(%(subjects)s) on conflict do nothing""",
    "delete from mmd.head where subject = any(%(subjects)s)",
    "delete from mmd.claim where subject = any(%(subjects)s)",
    "delete from mmd.shared_head where subject = any(%(subjects)s)",
    "delete from mmd.conflict where subject = any(%(subjects)s)",
    "delete from mmd.merge where subject = any(%(subjects)s)",
    "delete from mmd.split where subject = any(%(subjects)s)",
    "delete from mmd.edge where from_subject = any(%(subjects)s) or to_subject = any(%(subjects)s)",
    "delete from mmd.subject where subject = any(%(subjects)s)",
    "delete from mmd.referrer where document = any(%(ids)s)",
    "update mmd.identity set survivor = id where id = any(%(ids)s) and survivor <> id",
)
_EMPTY = """
update mmd.document set kind = case when id = any(%(firms)s) then kind else 'person' end,
    number = number + 1, marking = null, raised = false, key_id = %(key)s, body = '',
    shown = '', said = '', next_change = null, touched = pg_current_xact_id()
where id = any(%(ids)s) returning id, number
"""

_HEADS = """
select h.id::text, c.logged_at, h.subject, h.version, h.digest from mmd.head h join mmd.claim c on c.id = h.claim
where h.subject = any(%s) order by 1
"""
_FLOOR = """
insert into mmd.floor (head, subject, version, digest, logged_at)
values (%s::uuid, %s, %s, %s, coalesce(%s, '-infinity'::timestamptz)) on conflict do nothing
"""
_MARKINGS = "select marking from mmd.document where id = any(%s) and marking is not null"

_HELD = "select exists (select from mmd.claim where subject = any(%s))"
_AGAIN = """
update mmd.document set number = number + 1, touched = pg_current_xact_id() where id = any(%s) and body <> ''
returning id, number
"""
_COUNT = "update mmd.epoch set erasures = erasures + 1"
_COUNTED = "select erasures from mmd.epoch"

Head = tuple[str, str, str, str, str]
"""What is spoken of, when the winning claim was first logged (ISO 8601; in an erasure from before this was kept something
else: that is not known), its subject, its version and its digest."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that is one person: every id there was, the firms of a sole trader (*enskild firma*, whose number is the
    person's), and every subject that sources spoke about, theirs too."""

    ids: tuple[str, ...]
    firms: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The subjects of the person's numbers."""
        return tuple(one for one in self.subjects if thing_of(one) == PERSON and not one.startswith(ID_SUBJECT_PREFIX))

    @property
    def owners(self) -> frozenset[str]:
        """Whoever keys of any class belong to: of claims, of published documents, of account facts."""
        return frozenset((*self.ids, *self.firms, *self.subjects, *(id_subject(one) for one in self.ids)))


def erasures(cursor: psycopg.Cursor[psycopg.rows.TupleRow]) -> int:
    """How many there were. A batch whose keys were looked up after this is known to hold nobody erased for as long as it
    says the same under the gate."""
    cursor.execute(_COUNTED)
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])


def whole_of(connection: psycopg.Connection, person: str) -> Whole:
    """By any of the person's ids. Nothing is known of an unknown one: it has no ids."""
    ids = [row[0] for row in connection.execute(_IDS, [person]).fetchall()]
    with connection.cursor() as cursor:
        firms = firms_of(cursor, ids)
    subjects = [row[0] for row in connection.execute(_SUBJECTS, [[*ids, *firms]]).fetchall()]
    return Whole(tuple(ids), tuple(firms), tuple(subjects))


def heads_of(connection: psycopg.Connection, whole: Whole) -> list[Head]:
    """The newest word of each source about the person. Where it took something from somebody else (a number that HR had
    mistyped), that must not go back to them because nobody can read it any more: what it outranked stays outranked, unless
    it is said of the person anew after a return."""
    rows = connection.execute(_HEADS, [list(whole.subjects)]).fetchall()
    return [(head, at.astimezone(dt.UTC).isoformat(), *rest) for head, at, *rest in rows]


def marking_of(connection: psycopg.Connection, whole: Whole) -> Marking:
    """The highest that is effective of the person; UNVERIFIED where nothing was raised."""
    rows = connection.execute(_MARKINGS, [list(whole.ids)]).fetchall()
    return max((Marking(row[0]) for row in rows), key=LEVEL.__getitem__, default=Marking.UNVERIFIED)


def keep_heads(connection: psycopg.Connection, heads: Iterable[Head]) -> None:
    """In a master that is made again, before anything is read into it. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(_FLOOR, [(head, *rest, _instant(at)) for head, at, *rest in heads])


def _instant(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def holds_claims(connection: psycopg.Connection, owners: Iterable[str]) -> bool:
    """Whether anything that somebody said of these is stored."""
    return connection.execute(_HELD, [sorted(owners)]).fetchone() == (True,)


def count_a_return(connection: psycopg.Connection) -> None:
    """Batches that are on their way are prepared again. In the caller's transaction, before anybody has a key again."""
    connection.execute(_GATE)
    connection.execute(_COUNT)


def publish_again(connection: psycopg.Connection, owners: Iterable[str], cause: str, now: dt.datetime) -> None:
    """Documents under these ids that hold something are published once more: while there was no key for it nothing was. In
    the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, [sorted(owners)])
        numbers: dict[str, int] = dict(cursor.fetchall())
    with connection.cursor(binary=True) as cursor:
        mark(cursor, [Dirty(one, URGENT, number, cause, now, fan_out=True) for one, number in numbers.items()])


def forget(connection: psycopg.Connection, whole: Whole, decision: str, now: dt.datetime) -> None:
    """In the caller's transaction, alone among those that change the master. The keys of `whole.owners` are destroyed
    already. Every id is by itself again. Heads become floors, see `heads_of`."""
    with connection.cursor() as cursor:
        cursor.execute(_GATE)
        cursor.execute(_COUNT)
        named = {"subjects": list(whole.subjects), "ids": [*whole.ids, *whole.firms], "firms": list(whole.firms)}
        for statement in _FORGET:
            cursor.execute(statement, named)
        cursor.execute(_EMPTY, {**named, "key": key_id(KeyClass.OUTER, whole.ids[0], 1)})
        numbers: dict[str, int] = dict(cursor.fetchall())
    with connection.cursor(binary=True) as cursor:
        mark(cursor, [Dirty(one, URGENT, number, decision, now, fan_out=True) for one, number in numbers.items()])
