"""A reorganisation from file to effect: the draft at the edge, looked at with the master's eyes, committed as one."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from connectors.sources.edge import Edge
from connectors.sources.organisation import drafts
from connectors.sources.organisation.drafts import Draft
from connectors.sources.organisation.reader import SOURCE
from mmd.domain.claims import LoggedClaim, digest_of
from mmd.domain.register import SourceRegister
from mmd.domain.reorganisation import Finding, verify
from mmd.domain.unit import derive_unit
from mmd.store.reader import Reader
from streams.contracts.documents import UnitDocument
from streams.contracts.errors import Rejected
from streams.contracts.time import local_date


def load(edge: Edge, path: Path) -> Draft:
    """Keep the draft of a file. Raises `Rejected`."""
    try:
        with path.open("rb") as stream:
            draft = drafts.read_draft(stream, edge.context())
    except OSError as error:
        raise Rejected("input.unreadable", error.strerror or type(error).__name__) from None
    drafts.keep(edge.pool, draft)
    return draft


def findings(edge: Edge, reader: Reader, register: SourceRegister, draft: Draft) -> tuple[Finding, ...]:
    """What is wrong with a draft over the organisation as the master holds it now."""
    now = {unit.id: unit for unit in reader.units()}
    units = _documents(draft, register, edge.now())
    closed = [key for key, unit in units.items() if not unit.exists(draft.takes_effect)]
    employed = {key: _employed(reader, key, draft.takes_effect) for key in closed}
    return verify(units, now, employed, draft.takes_effect, local_date(edge.now()))


def commit(edge: Edge, reader: Reader, register: SourceRegister, draft_id: str, who: str) -> Draft:
    """Let a draft take effect: looked at once more, then published as one record.

    Raises `Rejected("draft.refused")` where something is found that blocks it, and as `drafts.commit`. One whose
    publishing was cut off is published again as it was.
    """
    draft = drafts.find(edge.pool, draft_id)
    if draft.state == drafts.DraftState.DRAFT:
        blocking = sorted({one.code for one in findings(edge, reader, register, draft) if one.blocks})
        if blocking:
            raise Rejected("draft.refused", ", ".join(blocking))
    return drafts.commit(edge, draft, who)


def _documents(draft: Draft, register: SourceRegister, at: dt.datetime) -> Mapping[str, UnitDocument]:
    """The units as they would be, by the rules that make every other."""
    found = {}
    for part in draft.parts:
        claims = [
            LoggedClaim(part.subject, SOURCE, part.subject, draft.id, digest_of(claim), claim, draft.id, at)
            for claim in part.claims
        ]
        found[part.subject] = derive_unit(part.subject, claims, register)
    return found


def _employed(reader: Reader, unit: str, day: dt.date) -> frozenset[str]:
    """The keys of the personas that stand on the unit on a day."""
    return frozenset(
        persona.key
        for document in reader.persons(reader.referrers(unit)).values()
        for persona in document.personas
        if persona.state(day) in ("active", "on-leave")
        and (segment := persona.segment(day)) is not None
        and segment.unit == unit
    )
