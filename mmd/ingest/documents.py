"""Deriving the documents of a batch, and writing those that changed, with who refers to what and what is dirty now."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mmd.domain.canonical import canonical_bytes
from mmd.domain.changes import lane, next_change
from mmd.domain.person import derive_person
from mmd.domain.protection import LEVEL
from mmd.domain.references import persons_in, references_of
from mmd.domain.register import SourceRegister
from mmd.domain.things import derive_thing
from mmd.ingest.identities import Cursor
from mmd.ingest.storage import Group
from mmd.store.dirty import BULK, URGENT, Dirty, mark
from mmd.store.sealed import Document, encoded, key_states, open_row, seal_document
from streams.contracts.claims import Marking, is_thing, is_unit, thing_of
from streams.contracts.documents import PersonDocument, PlaceDocument, Redirect, Thing
from streams.contracts.errors import Rejected
from streams.hashing import keyed_digest
from streams.sealing import Key, KeyClass, KeyRing, key_id

logger = logging.getLogger(__name__)

_BEFORE = """
select id, kind, marking, shown, said, key_id, body from mmd.document where id = any(%b) order by id for no key update
"""

_WRITE = """
insert into mmd.document as d (id, kind, number, marking, raised, key_id, body, shown, said, next_change)
select n.id, n.kind, 1, n.marking, n.raised, n.key_id, n.body, n.shown, n.said, n.next_change
from unnest(%b::text[], %b::text[], %b::text[], %b::boolean[], %b::text[], %b::bytea[], %b::text[], %b::text[],
            %b::timestamptz[]) as n (id, kind, marking, raised, key_id, body, shown, said, next_change)
order by n.id
on conflict (id) do update set
    kind = excluded.kind, number = d.number + (d.said <> excluded.said)::int, marking = excluded.marking,
    raised = d.raised or excluded.raised,
    key_id = excluded.key_id, body = excluded.body, shown = excluded.shown, said = excluded.said,
    next_change = excluded.next_change,
    touched = case when d.said <> excluded.said then pg_current_xact_id() else d.touched end
returning d.id, d.number
"""

_RAISE = """
update mmd.document set raised = true, number = number + 1, touched = pg_current_xact_id()
where id = any(%b) returning id, number
"""

_EMPTY = """
update mmd.document d set kind = case when kind = 'redirect' then 'person' else kind end, number = number + 1,
    marking = null, raised = false, key_id = n.key_id, body = '', shown = '', said = '', next_change = null,
    touched = pg_current_xact_id()
from unnest(%b::text[], %b::text[]) as n (id, key_id) where d.id = n.id and d.body <> ''
returning d.id, d.number
"""

_FORGET_REFERENCES = """
delete from mmd.referrer r using unnest(%b::text[], %b::text[]) as n (target, document)
where r.target = n.target and r.document = n.document
"""
_ADD_REFERENCES = """
insert into mmd.referrer (target, document)
select * from unnest(%b::text[], %b::text[]) order by 1, 2 on conflict do nothing
"""

Cause = tuple[dt.datetime, str]


@dataclass(frozen=True, slots=True)
class _Before:
    kind: str
    marking: Marking | None
    shown: str
    said: str
    key_id: str
    body: bytes


@dataclass(slots=True)
class _Change:
    """One document that is written anew. `fan_out`: those who refer to it must hear of it."""

    document: Document
    plain: bytes
    shown: str
    said: str
    restated: bool = False  # only stamps are newer: no new version, nobody hears of it
    lane: str = BULK
    marking: Marking | None = None
    raised: bool = False
    fan_out: bool = False
    next_change: dt.datetime | None = None
    key: Key | None = None
    old_references: frozenset[str] = frozenset()
    new_references: frozenset[str] = frozenset()


@dataclass(slots=True)
class Writer:
    """Derives and writes within one transaction, under the locks of all documents concerned."""

    cursor: Cursor
    keys: KeyRing
    register: SourceRegister
    person_id_of: Callable[[str], str]
    digest_secret: bytes
    now: dt.datetime
    today: dt.date
    _changes: dict[str, _Change] = field(default_factory=dict)
    _aliases_raised: set[str] = field(default_factory=set)
    _unreadable: set[str] = field(default_factory=set)
    _erased: dict[str, str] = field(default_factory=dict)  # whose document is to be empty: a key of theirs that is gone

    def write(self, groups: Mapping[str, Group], redirects: Mapping[str, str], causes: Mapping[str, Cause]) -> None:
        """Bring the documents of the groups up to date, and put redirects (old id -> new id) under ids that moved."""
        before = self._before([*groups, *redirects])
        opened = self._opened(before)
        by_survivor: dict[str, list[str]] = {}
        for old, survivor in redirects.items():
            by_survivor.setdefault(survivor, []).append(old)
        for survivor, group in groups.items():
            if is_thing(survivor):
                self._thing(survivor, group, before.get(survivor), opened)
            else:
                self._person(survivor, group, before, opened, by_survivor.get(survivor, []))
        if self._changes:
            self._seal(groups)
            self._store(causes)

    def _before(self, ids: Iterable[str]) -> dict[str, _Before]:
        self.cursor.execute(_BEFORE, [sorted(set(ids))])
        return {
            row: _Before(kind, Marking(marking) if marking else None, shown, said, key_id, body)
            for row, kind, marking, shown, said, key_id, body in self.cursor.fetchall()
        }

    def _opened(self, before: Mapping[str, _Before]) -> Callable[[str], Document | None]:
        """The old documents, opened only where they are asked for. One that cannot be read does not matter: it is derived
        anew. What it told is not known then, so the new one is urgent."""
        keys = key_states(self.keys, (one.key_id for one in before.values()))

        def opened(row: str) -> Document | None:
            one = before.get(row)
            if one is None:
                return None
            try:
                return open_row(keys, (row, one.kind, one.key_id, one.body))
            except Rejected as error:
                logger.error("a stored document cannot be read and is written anew: %s", error.code)  # noqa: TRY400
                self._unreadable.add(row)
                return None

        return opened

    def _hashed(self, plain: bytes) -> str:
        return keyed_digest(self.digest_secret, "document", plain.decode())

    def _thing(self, key: str, group: Group, before: _Before | None, opened: Callable[[str], Document | None]) -> None:
        document = derive_thing(key, group.claims, self.register, self.person_id_of)
        plain = encoded(document)
        shown = self._hashed(plain)
        if before is not None and before.shown == shown:
            return
        said = self._hashed(canonical_bytes(document))
        old = opened(key)
        hidden = before is not None and _hidden(old, document)
        self._changes[key] = _Change(
            document,
            plain,
            shown,
            said,
            restated=before is not None and before.said == said,
            lane=URGENT if hidden else BULK,
            raised=hidden or _left(old, document),
            fan_out=True,
            next_change=next_change(document, self.now),
            key=group.key,
            old_references=frozenset() if old is None or isinstance(old, Redirect) else references_of(old),
            new_references=references_of(document),
        )

    def _person(
        self,
        survivor: str,
        group: Group,
        before: Mapping[str, _Before],
        opened: Callable[[str], Document | None],
        moved: list[str],
    ) -> None:
        document = derive_person(group.claims, self.register, self.person_id_of, subjects=group.subjects)
        plain = encoded(document)
        shown = self._hashed(plain)
        mine = before.get(survivor)
        changed = mine is None or mine.shown != shown
        if not changed and not moved:
            return
        marking = document.marking or Marking.UNVERIFIED
        old = [one for row in (survivor, *moved) if isinstance(one := opened(row), PersonDocument)]
        urgent = (
            not self._unreadable.isdisjoint((survivor, *moved))
            or any(lane(one, document, self.today) == URGENT for one in old)
            or (not old and lane(None, document, self.today) == URGENT)
        )
        if changed:
            held = opened(survivor)
            said = self._hashed(canonical_bytes(document))
            self._changes[survivor] = _Change(
                document,
                plain,
                shown,
                said,
                restated=mine is not None and mine.said == said and mine.kind == "person",
                lane=URGENT if urgent else BULK,
                marking=marking,
                raised=_raised(mine, marking) or _parted(held, document),
                fan_out=mine is None or mine.kind != "person" or mine.marking is not marking,
                next_change=next_change(document, self.now),
                key=group.key,
                old_references=references_of(held) if isinstance(held, PersonDocument) else frozenset(),
                new_references=references_of(document),
            )
            if mine is not None and _raised(mine, marking):
                self._aliases_raised.update(set(document.aliases) - set(moved))
        for row in moved:
            self._redirect(row, survivor, marking, before.get(row), opened(row), URGENT if urgent else BULK)

    def _redirect(
        self, row: str, survivor: str, marking: Marking, before: _Before | None, old: Document | None, lane: str
    ) -> None:
        redirect = Redirect(row, survivor)
        plain = encoded(redirect)
        shown = self._hashed(plain)
        if before is not None and before.shown == shown:
            return
        self._changes[row] = _Change(
            redirect,
            plain,
            shown,
            shown,
            lane=lane,
            marking=marking,
            raised=_raised(before, marking),
            fan_out=True,
            old_references=references_of(old) if isinstance(old, PersonDocument) else frozenset(),
        )

    def _seal(self, groups: Mapping[str, Group]) -> None:
        """A document is sealed with the key of one of its own subjects (only units and redirects are in clear); erasing them
        makes it unreadable."""
        without = {
            row: min(groups[row].subjects)
            for row, one in self._changes.items()
            if not isinstance(one.document, Redirect) and not is_unit(row) and one.key is None
        }
        keys = self.keys.current(KeyClass.INNER, set(without.values())) if without else {}
        for row, subject in without.items():
            if subject in keys:
                self._changes[row].key = keys[subject]
            else:  # erased: there is nothing to keep, and nothing to keep it under; what others said under the id goes too
                self._erased[row] = key_id(KeyClass.INNER, subject, 1)
                del self._changes[row]

    def _store(self, causes: Mapping[str, Cause]) -> None:
        rows = [
            (
                *(row, _kind(one.document), one.marking.value if one.marking else None, one.raised),
                *(one.key.id if one.key else "", seal_document(one.key, row, one.plain), one.shown),
                *(one.said, one.next_change),
            )
            for row, one in self._changes.items()
        ]
        if rows:
            self.cursor.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])
            numbers: dict[str, int] = dict(self.cursor.fetchall())
            self._refer(_FORGET_REFERENCES, lambda one: one.old_references - one.new_references)
            self._refer(_ADD_REFERENCES, lambda one: one.new_references - one.old_references)
        else:
            numbers = {}
        dirty = [
            Dirty(row, self._changes[row].lane, number, *_cause(causes, row, self.now), self._changes[row].fan_out)
            for row, number in numbers.items()
            if not self._changes[row].restated
        ]
        if self._erased:
            self.cursor.execute(_EMPTY, [list(self._erased), list(self._erased.values())])
            emptied = self.cursor.fetchall()
            dirty += [Dirty(row, URGENT, number, *_cause(causes, row, self.now), True) for row, number in emptied]
        if self._aliases_raised:
            self.cursor.execute(_RAISE, [sorted(self._aliases_raised)])
            latest = max(causes.values(), default=(self.now, ""))
            dirty += [Dirty(row, URGENT, number, latest[1], latest[0]) for row, number in self.cursor.fetchall()]
        mark(self.cursor, dirty)

    def _refer(self, statement: str, which: Callable[[_Change], frozenset[str]]) -> None:
        pairs = sorted((target, row) for row, one in self._changes.items() for target in which(one))
        if pairs:
            self.cursor.execute(statement, [[target for target, _ in pairs], [row for _, row in pairs]])


def _raised(before: _Before | None, marking: Marking) -> bool:
    """Whether something was published under an outer key that must not open any more."""
    if before is None or before.marking is None or marking in (Marking.NONE, Marking.UNVERIFIED):
        return False
    return LEVEL[marking] > LEVEL[before.marking]


def _hidden(before: Document | None, document: Thing) -> bool:
    """Whether a place that was known is a secret from now on: sheltered housing is hidden as fast as a person."""
    if not isinstance(document, PlaceDocument) or not document.restricted:
        return False
    return not (isinstance(before, PlaceDocument) and before.restricted)


def _left(before: Document | None, document: Thing) -> bool:
    """Whether somebody was told of who is not in it now: a later marking of theirs would not be brought to it."""
    if before is None or isinstance(before, PersonDocument | Redirect):
        return False
    return not persons_in(before) <= persons_in(document)


def _parted(before: Document | None, document: PersonDocument) -> bool:
    """Whether somebody else's data were published under this person's outer key: a split gave an id back."""
    return isinstance(before, PersonDocument) and not set(before.aliases) <= {document.id, *document.aliases}


def _cause(causes: Mapping[str, Cause], row: str, now: dt.datetime) -> tuple[str, dt.datetime]:
    logged_at, event = causes.get(row) or max(causes.values(), default=(now, ""))
    return event, logged_at


def _kind(document: Document) -> str:
    return "redirect" if isinstance(document, Redirect) else thing_of(document.id)
