"""What is dirty, as messages: the current document under the topic's release, a redirect, that it is withheld, or a
tombstone for what is erased."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from mmd.domain.disclosing_things import disclose_thing
from mmd.domain.disclosure import People, disclose
from mmd.domain.release import Release
from mmd.store.dirty import URGENT
from mmd.store.disclosing import Cursor, effective_release, people_in
from mmd.store.sealed import Document, open_documents
from streams.catalogue import MMD_GROUP, MMD_ORGANISATION, MMD_PERSON, MMD_PLACE, MMD_URGENT
from streams.codec import Outgoing, tombstone
from streams.contracts.claims import thing_of
from streams.contracts.documents import PersonDocument, Published, Redirect, Thing, Version, Withheld, publish
from streams.envelope import Message
from streams.hashing import uuid8
from streams.sealing import KeyRing

_TAKE = """
with taken as (
    select * from mmd.dirty where lane = %s and since <= clock_timestamp() order by since, document limit %s
)
select t.document, t.lane, t.fan_out, t.cause, t.caused_at, d.number, d.raised, d.kind, d.key_id, d.body
from taken t join mmd.document d on d.id = t.document
"""


_STATE = {
    "unit": MMD_ORGANISATION,
    "legal-organisation": MMD_ORGANISATION,
    "place": MMD_PLACE,
    "group": MMD_GROUP,
}
"""The full-state topic by what a document id names; persons have their own."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A dirty document as it is now. `number` is the version that is published, whatever made it dirty."""

    id: str
    lane: str
    fan_out: bool
    cause: str
    caused_at: dt.datetime
    number: int
    raised: bool
    document: Document | None


@dataclass(slots=True)
class Batch:
    """`records` are sealed and sent, `tombstones` sent as they are. `bad` could not be read and wait: their code by id."""

    taken: list[Taken] = field(default_factory=list)
    records: list[Outgoing[Published]] = field(default_factory=list)
    tombstones: list[Message] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)
    in_force: bool = True


def take(cursor: Cursor, keys: KeyRing, lane: str, most: int) -> tuple[list[Taken], dict[str, str]]:
    """The next dirty documents of a lane, the longest waiting first, and those that cannot be read with why."""
    cursor.execute(_TAKE, [lane, most])
    rows = cursor.fetchall()
    opened = open_documents(keys, ((row[0], *row[7:10]) for row in rows))
    taken = [
        Taken(row, of_lane, fan_out, cause, caused_at.astimezone(dt.UTC), number, raised, opened.documents.get(row))
        for row, of_lane, fan_out, cause, caused_at, number, raised, *_ in rows
        if row not in opened.unreadable
    ]
    return taken, {row: error.code for row, error in opened.unreadable.items()}


def compose(cursor: Cursor, taken: Sequence[Taken], release: Release, epoch: int, on: dt.date) -> Batch:
    """What goes out for them. Whom the release does not cover is withheld, everybody if it is not in force that day;
    whoever is erased gets a tombstone."""
    batch = Batch(list(taken), in_force=release.in_force(on))
    release = effective_release(cursor, release, on)
    known = [one.document for one in taken if one.document is not None and not isinstance(one.document, Redirect)]
    people = people_in(cursor, known)
    for one in taken:
        published = _published(one, release, epoch, on, people)
        for topic in _topics(one):
            if published is None:
                batch.tombstones.append(tombstone(topic, one.id, Version(epoch, one.number)))
            else:
                dataclass_ = "open" if published.unit is not None else "personal"
                batch.records.append(Outgoing(topic, published, _event_id(one, epoch), one.caused_at, dataclass_))
    return batch


def _published(one: Taken, release: Release, epoch: int, on: dt.date, people: People) -> Published | None:
    document = one.document
    if document is None:
        return None
    answer: PersonDocument | Thing | Redirect | Withheld
    if isinstance(document, PersonDocument):
        answer = disclose(document, release, on, people=people) or Withheld(document.id)
    elif isinstance(document, Redirect):
        answer = document
    else:
        answer = disclose_thing(document, release, on, people) or Withheld(document.id)
    return publish(Version(epoch, one.number), answer, cause=one.cause, caused_at=one.caused_at)


def withheld_instead(one: Outgoing[Published]) -> Outgoing[Published]:
    """For a document that cannot be sent: that it is withheld, which ends what was given (docs/decisions/0130)."""
    record = one.record
    document = record.said
    if document is None:
        raise ValueError("a record without a document")
    withheld = Withheld(document.id)
    published = publish(record.version, withheld, cause=record.cause, caused_at=record.caused_at)
    return Outgoing(one.topic, published, one.event_id, one.time, one.dataclass)


def _topics(one: Taken) -> list[str]:
    """The full-state topic of the document, and the urgent one where it cannot wait."""
    state = _STATE.get(thing_of(one.id), MMD_PERSON)
    return [MMD_URGENT, state] if one.lane == URGENT else [state]


def _event_id(one: Taken, epoch: int) -> str:
    """The same version published again is the same event."""
    return uuid8(hashlib.sha256(f"{one.id}\n{epoch}.{one.number}".encode()).digest())
