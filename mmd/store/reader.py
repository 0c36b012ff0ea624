"""The ordinary reads: documents by id, subject or key, as known at an earlier time, conflicts and counts.

What is read here is everything the master holds; whoever passes it on does so through `mmd.domain.disclosure`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import islice

import psycopg
import psycopg_pool
from psycopg.rows import TupleRow

from mmd.domain.claims import LoggedClaim
from mmd.domain.disclosure import People
from mmd.domain.identity import components
from mmd.domain.person import derive_person
from mmd.domain.register import SourceRegister
from mmd.domain.rulings import Joining, joined
from mmd.store import disclosing
from mmd.store.claim_rows import ClaimAsRead
from mmd.store.conflicts import ConflictEntry, Conflicts
from mmd.store.own_ids import own_id
from mmd.store.sealed import Document, find_keys, open_documents
from streams.contracts.claims import ID_SUBJECT_PREFIX
from streams.contracts.documents import PersonDocument, Redirect, Thing, UnitDocument
from streams.sealing import KeyRing

_DOCUMENTS = "select id, kind, key_id, body from mmd.document where id = any(%s)"
_SUBJECT = """
select coalesce((select i.survivor from mmd.subject s join mmd.identity i on i.id = s.own_id where s.subject = %(one)s),
                (select survivor from mmd.identity where id = %(id)s))
"""
_MEMBERS = """
select s.subject, s.own_id from mmd.identity i join mmd.subject s on s.own_id = i.id
where i.survivor = (select survivor from mmd.identity where id = %s)
"""
_EDGES = """
select from_subject, to_subject from mmd.edge
where from_subject = any(%(subjects)s) and to_subject = any(%(subjects)s) and logged_at <= %(known)s
"""
_MERGES = """
select version, name, subject, other_subject from mmd.merge m
where subject = any(%(subjects)s) and logged_at <= %(known)s
  and not exists (select from mmd.split s where s.subject = m.subject and s.name = m.name)
"""
_MARKED = """
select id from mmd.document where kind = 'person' and marking not in ('none', 'unverified') order by id
"""
_CLAIMS = """
select uuid_send(c.id), c.subject, c.source, c.source_key, c.version, c.digest, c.event, c.logged_at, c.key_id, c.body
from (select * from mmd.claim where subject = any(%(subjects)s)
      union all
      select c.* from (
          select distinct other.head, other.subject from mmd.shared_head mine join mmd.shared_head other using (head)
          where mine.subject = any(%(subjects)s) and other.subject <> all(%(subjects)s)
      ) o join mmd.claim c on c.subject = o.subject and c.head = o.head) c
where c.logged_at <= %(known)s
  and (c.standing or not exists (select from mmd.floor f
       where f.head = c.head and f.subject <> c.subject and f.logged_at <= %(known)s
         and (f.version, f.digest) >= (c.version, c.digest)))
"""
_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)
_COUNTS = """
select 'persons', count(*) from mmd.document where kind = 'person'
union all select 'units', count(*) from mmd.document where kind = 'unit'
union all select 'redirects', count(*) from mmd.document where kind = 'redirect'
union all select 'claims', count(*) from mmd.claim
union all select 'undesignated', count(*) from mmd.conflict where digest <> ''
union all select 'dirty', count(*) from mmd.dirty
union all select 'kept-aside', count(*) from mmd.kept_aside
"""


class Reader:
    """Reads with the keys it is given. Safe in several threads."""

    def __init__(
        self,
        pool: "psycopg_pool.ConnectionPool[psycopg.Connection]",
        keys: KeyRing,
        person_secret: bytes,
        digest_secret: bytes,
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._person_secret = person_secret
        self._conflicts = Conflicts(pool, digest_secret, self._own_id, self.persons)

    def person(self, person_id: str) -> PersonDocument | Redirect | None:
        """The person, a redirect where the id is an alias, or None. The survivor of a redirect is never a redirect."""
        found = self._documents([person_id]).get(person_id)
        return found if isinstance(found, PersonDocument | Redirect) else None

    def persons(self, ids: Iterable[str]) -> dict[str, PersonDocument]:
        """By the id asked for, aliases resolved; who is not known is left out."""
        asked = set(ids)
        with self._pool.connection() as connection:
            rows = connection.execute("select id, survivor from mmd.identity where id = any(%s)", [sorted(asked)])
            survivors: dict[str, str] = dict(rows.fetchall())
        documents = self._documents(set(survivors.values()))
        return {
            one: document
            for one, survivor in survivors.items()
            if isinstance(document := documents.get(survivor), PersonDocument)
        }

    def person_id_of_subject(self, subject: str) -> str | None:
        """The id of the person that a subject belongs to now, superseded numbers and `id:` subjects too."""
        named = subject.removeprefix(ID_SUBJECT_PREFIX) if subject.startswith(ID_SUBJECT_PREFIX) else ""
        with self._pool.connection() as connection:
            row = connection.execute(_SUBJECT, {"one": subject, "id": named}).fetchone()
        return row[0] if row else None

    def unit(self, key: str) -> UnitDocument | None:
        found = self.thing(key)
        return found if isinstance(found, UnitDocument) else None

    def thing(self, key: str) -> Thing | None:
        """A unit, place, group or legal organisation."""
        found = self._documents([key]).get(key)
        return None if isinstance(found, PersonDocument | Redirect) else found

    def people_in(self, document: PersonDocument | Thing) -> People:
        """Whom the document refers to: what `disclose` and `disclose_thing` ask for."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            return disclosing.people_in(cursor, [document])

    def units(self) -> list[UnitDocument]:
        """Every organisation unit, by key."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            return disclosing.all_units(cursor)

    def referrers(self, key: str) -> list[str]:
        """The documents that refer to a person id or unit key, also to one that does not exist yet."""
        with self._pool.connection() as connection:
            rows = connection.execute("select document from mmd.referrer where target = %s order by 1", [key])
            return [row[0] for row in rows.fetchall()]

    def counts(self) -> dict[str, int]:
        with self._pool.connection() as connection:
            return dict(connection.execute(_COUNTS).fetchall())

    def conflicts(self, on: dt.date, person_id: str | None = None, limit: int = 1000) -> list[ConflictEntry]:
        """What undesignated sources say that differs from what the master holds on that day (Swedish date), newest first:
        about everyone, or about one person (aliases resolved)."""
        subjects = None
        if person_id is not None:
            with self._pool.connection() as connection:
                subjects = [row[0] for row in connection.execute(_MEMBERS, [person_id]).fetchall()]
        return list(islice(self._conflicts.standing(on, subjects), limit))

    def as_known(self, person_id: str, known: dt.datetime, register: SourceRegister) -> PersonDocument | None:
        """The person as derived from what was logged until then (UTC, inclusive), None if nothing was. The marking is
        that of then: before disclosing use `mmd.domain.disclosure.under_todays_marking`. A merge that has been undone
        since is not seen any more."""
        with self._pool.connection() as connection:
            members: dict[str, str] = dict(connection.execute(_MEMBERS, [person_id]).fetchall())
            asked = {"subjects": sorted(members), "known": known}
            edges = connection.execute(_EDGES, asked).fetchall()
            merges = [Joining(*row) for row in connection.execute(_MERGES, asked).fetchall()]
            rows = connection.execute(_CLAIMS, asked).fetchall()
        claims = self._claims(rows)
        spoken = {claim.subject for claim in claims}
        subjects = self._joined_then(person_id, members, edges, merges)
        if not subjects & spoken:
            return None
        return derive_person(claims, register, self._own_id, subjects=subjects)

    def claims(self, person_id: str) -> list[LoggedClaim]:
        """Every claim on the person's subjects that can still be opened: what each source said, in no order."""
        with self._pool.connection() as connection:
            subjects = [row[0] for row in connection.execute(_MEMBERS, [person_id]).fetchall()]
            rows = connection.execute(_CLAIMS, {"subjects": subjects, "known": _EVER}).fetchall()
        return [claim for claim in self._claims(rows) if claim.subject in subjects]

    def members(self, person_id: str) -> dict[str, str]:
        """The subjects of the person (aliases resolved), each with the id that it has alone. Empty: no such person."""
        with self._pool.connection() as connection:
            return dict(connection.execute(_MEMBERS, [person_id]).fetchall())

    def marked(self) -> list[str]:
        """The ids of all persons whose effective marking is a marking: neither NONE nor UNVERIFIED."""
        with self._pool.connection() as connection:
            return [row[0] for row in connection.execute(_MARKED).fetchall()]

    def _joined_then(
        self, person_id: str, members: Mapping[str, str], edges: list[tuple[str, str]], merges: list[Joining]
    ) -> set[str]:
        """Of the subjects that are one person now, those that were one with the asked-for id then."""
        numbers = {own: subject for subject, own in members.items() if not subject.startswith(ID_SUBJECT_PREFIX)}
        named = [(s, numbers[own]) for s, own in members.items() if own in numbers]
        for person in joined(components([*edges, *named, *((s, s) for s in members)]), merges):
            group = set().union(*person)
            if any(members[subject] == person_id for subject in group):
                return group
        return set()

    def _claims(self, rows: list[TupleRow]) -> list[LoggedClaim]:
        claims = [ClaimAsRead(*row) for row in rows]
        keys = find_keys(self._keys, (one.key_id for one in claims))
        return [one.opened(keys[one.key_id]) for one in claims if one.key_id in keys]

    def _documents(self, ids: Iterable[str]) -> Mapping[str, Document]:
        with self._pool.connection() as connection:
            rows = connection.execute(_DOCUMENTS, [sorted(set(ids))]).fetchall()
        return open_documents(self._keys, rows).whole()

    def _own_id(self, subject: str) -> str:
        return own_id(self._person_secret, subject)
