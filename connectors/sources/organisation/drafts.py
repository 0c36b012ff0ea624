"""Drafts of reorganisations: a dated set of changes that is looked at first and then takes effect as one.

    draft ─▶ publishing ─▶ committed        draft ─▶ void

The file is `org-draft.v1` (docs/formats/organisation.md): the rows of every unit that it changes, as the export has them.
It is kept here, for nothing is in the log that is not decided. Committed, it is one record of the organisation source, so
that it counts whole or not at all. A crash while publishing is taken up by committing again: same version, same event.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

import msgspec
from psycopg.rows import class_row

from connectors.sources import state
from connectors.sources.dates import as_stamp
from connectors.sources.edge import Edge
from connectors.sources.ids import ID, holds_number
from connectors.sources.jsonlines import LINE_LIMIT
from connectors.sources.organisation.reader import SOURCE, OrganisationReader, read_units
from connectors.sources.posts import Context, Post, Reject
from connectors.sources.report import LoadReport
from streams.contracts.claims import SourceRecord, UnitPart
from streams.contracts.errors import Rejected

FORMAT = "org-draft.v1"
_COLUMNS = (
    *("id", "title", "decision", "takes_effect", "state", "version", "units", "loaded_at", "decided_by", "decided_at"),
)
_KEEP = """
insert into connectors.draft (id, title, decision, takes_effect, state, version, units, loaded_at, decided_by, decided_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set title = excluded.title, decision = excluded.decision,
    takes_effect = excluded.takes_effect, units = excluded.units, loaded_at = excluded.loaded_at
where connectors.draft.state = 'draft' returning id
"""
_LIST = """
select id, title, decision, takes_effect, state, version, units, loaded_at, decided_by, decided_at
from connectors.draft order by loaded_at desc, id
"""


class DraftState(StrEnum):
    DRAFT = "draft"
    PUBLISHING = "publishing"
    COMMITTED = "committed"
    VOID = "void"


class _Head(msgspec.Struct, rename="camel"):
    draft_id: str
    takes_effect: dt.date
    decision: str
    title: str = ""


_units = msgspec.json.Decoder(tuple[UnitPart, ...])


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft as it is kept. `version` is that of the published record; empty before."""

    id: str
    title: str
    decision: str
    takes_effect: dt.date
    state: str
    version: str
    units: bytes
    loaded_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None

    @property
    def parts(self) -> tuple[UnitPart, ...]:
        """What each unit becomes, whole: all its axes with their history, sorted by unit key."""
        return _units.decode(self.units)


def read_draft(stream: BinaryIO, context: Context) -> Draft:
    """A draft file. Raises `Rejected` for the first row that cannot be read: half a reorganisation is none."""
    head = _head(stream.readline(LINE_LIMIT + 1))
    stream.seek(0)
    parts: list[UnitPart] = []
    for item in read_units(stream, FORMAT, context):
        if isinstance(item, Reject):
            raise Rejected(item.code, item.detail)
        if isinstance(item, Post):
            parts.append(UnitPart(item.record.subject, item.record.claims))
    if not parts:
        raise Rejected("input.empty", FORMAT)
    units = msgspec.json.encode(tuple(sorted(parts, key=lambda one: one.subject)))
    return Draft(
        *(head.draft_id, head.title, head.decision, head.takes_effect, DraftState.DRAFT.value, "", units),
        *(context.now, "", None),
    )


def _head(line: bytes) -> _Head:
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.ValidationError:
        raise Rejected("input.invalid", "header: draftId, takesEffect, decision") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Rejected("input.not-decodable", "header") from None
    if not ID.fullmatch(head.draft_id) or holds_number(head.draft_id):
        raise Rejected("input.invalid", "draftId")
    if not head.decision.strip():
        raise Rejected("input.missing", "decision")
    if holds_number(head.decision) or holds_number(head.title):
        raise Rejected("input.invalid", "decision, title: a personnummer stands in it")
    return head


def keep(pool: state.Pool, draft: Draft) -> None:
    """A draft that waits is replaced by a newer one of its id. Raises `Rejected("draft.state")` for one that is decided."""
    with state.exclusive(pool, SOURCE), pool.connection() as connection:
        row = connection.execute(_KEEP, [getattr(draft, name) for name in _COLUMNS]).fetchone()
    if row is None:
        raise Rejected("draft.state", draft.id)


def find(pool: state.Pool, draft_id: str) -> Draft:
    """Raises `Rejected("resource.unknown")`."""
    found = [one for one in listed(pool) if one.id == draft_id]
    if not found:
        raise Rejected("resource.unknown", "draft")
    return found[0]


def listed(pool: state.Pool) -> list[Draft]:
    """Every draft, the newest first."""
    with pool.connection() as connection, connection.cursor(row_factory=class_row(Draft)) as cursor:
        cursor.execute(_LIST)
        return cursor.fetchall()


def commit(edge: Edge, verified: Draft, who: str) -> Draft:
    """Publish the draft as one record, newer than everything the source has said. Whoever calls has verified it.

    Raises `Rejected`: resource.unknown, draft.state for one that is thrown away or was replaced since it was verified,
    input.missing without a name. One that is committed already is left as it is.
    """
    draft_id = verified.id
    _named(who)
    with state.exclusive(edge.pool, SOURCE):
        draft = find(edge.pool, draft_id)
        if draft.state == DraftState.VOID:
            raise Rejected("draft.state", draft.state)
        if draft.state == DraftState.COMMITTED:
            return draft
        if draft.state == DraftState.DRAFT:
            if (draft.units, draft.takes_effect) != (verified.units, verified.takes_effect):
                raise Rejected("draft.state", "it was replaced meanwhile: verify it again")
            version = f"{as_stamp(edge.now())}|draft|{draft.id}"
            _decide(edge, draft_id, DraftState.PUBLISHING, who, version)
            draft = find(edge.pool, draft_id)
        first, *others = draft.parts
        record = SourceRecord(
            SOURCE, first.subject, draft.version, first.subject, first.claims, total=True, together=tuple(others)
        )
        edge.send([edge.lanes(OrganisationReader()).bulk(record)], LoadReport(SOURCE))
        _decide(edge, draft_id, DraftState.COMMITTED, draft.decided_by, draft.version)
        return find(edge.pool, draft_id)


def void(edge: Edge, draft_id: str, who: str) -> None:
    """Throw a draft away that waits. Raises `Rejected`: resource.unknown, draft.state, input.missing without a name."""
    _named(who)
    with state.exclusive(edge.pool, SOURCE):
        draft = find(edge.pool, draft_id)
        if draft.state != DraftState.DRAFT:
            raise Rejected("draft.state", draft.state)
        _decide(edge, draft_id, DraftState.VOID, who, "")


def _named(who: str) -> None:
    if not who.strip():
        raise Rejected("input.missing", "who")


def _decide(edge: Edge, draft_id: str, to: DraftState, who: str, version: str) -> None:
    with edge.pool.connection() as connection:
        connection.execute(
            "update connectors.draft set state = %s, version = %s, decided_by = %s, decided_at = %s where id = %s",
            [to.value, version, who, edge.now(), draft_id],
        )
