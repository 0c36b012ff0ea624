"""What a claim must hold to be used at all, beyond having the right form. Errors name the kind and field, no values."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from mmd.domain.claims import KINDS
from streams.contracts.claims import (
    ENROLMENT_TYPES,
    ID_SUBJECT_PREFIX,
    PLACEMENT_TYPES,
    Absent,
    AccountFacts,
    Claim,
    Custody,
    DatedName,
    Employment,
    Enrolment,
    Leave,
    NumberReference,
    Placement,
    Protection,
    Relation,
    Role,
    Segment,
    SourceRecord,
    UnitName,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
    is_unit,
)
from streams.contracts.errors import Rejected

NAME_MOST = 200
"""Characters in whatever names something: an index of the database holds no more than a few thousand bytes."""
CLAIM_BYTES = 65_536
"""A claim as it is stored. A document of many claims must still go into one record of a topic."""

_SUBJECT = re.compile(r"[0-9a-f]{32}|id:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Span = tuple[dt.date | None, dt.date | None]
_Dated = Segment | Leave | Relation | UnitPeriod | UnitParent | DatedName


def check_record(record: SourceRecord) -> Rejected | None:
    """Why no more than `what_protects` of the record can be used, or None."""
    names = [("source", record.source), ("source_key", record.source_key), ("subject", record.subject)]
    if record.identifier is not None:
        names.append(("identifier", record.identifier.value))
    for name, text in names:
        if not text or len(text) > NAME_MOST:
            return Rejected("input.invalid", name)
    if not _is_subject(record.subject):
        return Rejected("input.invalid", "subject")
    return Rejected("input.invalid", "version") if len(record.version) > NAME_MOST else None


def _is_subject(text: str) -> bool:
    """Subjects stand in clear in tables and logs: a keyed hash, an id or a unit, and never the number of a person."""
    return is_unit(text) or _SUBJECT.fullmatch(text) is not None


def what_protects(record: SourceRecord) -> SourceRecord:
    """Of a record that is refused its protection claims, without the names that cannot be used; none where it does not
    say about whom."""
    named = len(record.subject) <= NAME_MOST and _is_subject(record.subject)
    identifier = record.identifier
    return SourceRecord(
        source=_usable(record.source),
        source_key=_usable(record.source_key),
        version=_usable(record.version),
        subject=record.subject,
        claims=tuple(claim for claim in record.claims if named and isinstance(claim.body, Protection)),
        identifier=identifier if identifier is not None and _usable(identifier.value) else None,
    )


def _usable(text: str) -> str:
    return text if len(text) <= NAME_MOST else ""


def check_claim(record: SourceRecord, claim: Claim) -> Rejected | None:
    """Why this claim cannot be used, or None. The other claims of the record stand. Nothing but being about a unit keeps
    a protection claim out."""
    body, kind = claim.body, claim.kind
    if isinstance(body, Absent) and body.of not in KINDS:
        return Rejected("input.invalid", "absent: of")
    if is_unit(record.subject) != (kind in ("unit-node", "unit-structure", "unit-name")):
        return Rejected("input.invalid", f"{kind}: subject")
    if isinstance(body, Protection):
        return None
    if any(start is not None and end is not None and end < start for start, end in _spans(claim)):
        return Rejected("input.end-before-start", kind)
    if isinstance(body, Role) and not (body.employer and body.source_id):
        return Rejected("input.missing", f"{kind}: employer, id")
    if (isinstance(body, Enrolment) and body.school_type not in ENROLMENT_TYPES) or (
        isinstance(body, Placement) and body.school_type not in PLACEMENT_TYPES
    ):
        return Rejected("code.unknown", f"{kind}: school_type")
    if isinstance(body, NumberReference) and (
        body.other_subject in ("", record.subject) or body.other_subject.startswith(ID_SUBJECT_PREFIX)
    ):
        return Rejected("input.invalid", "number-reference: other_subject")
    for field, text, of_person in _names(claim):
        if len(text) > NAME_MOST or (of_person and text and _SUBJECT.fullmatch(text) is None):
            return Rejected("input.invalid", f"{kind}: {field}")
    return None


def _names(claim: Claim) -> Iterator[tuple[str, str, bool]]:
    """Field, text, and whether it names a person: what the claim refers to by key."""
    body = claim.body
    if isinstance(body, NumberReference):
        yield "other_subject", body.other_subject, True
    elif isinstance(body, Role):
        yield "employer", body.employer, False
        yield "id", body.source_id, False
        for segment in body.segments:
            yield "unit", segment.unit, False
            yield "manager", segment.manager, True
    elif isinstance(body, Custody):
        yield from (("subject", relation.subject, True) for relation in body.relations)
    elif isinstance(body, UnitStructure):
        yield from (("parent", parent.parent, False) for parent in body.parents)
    elif isinstance(body, AccountFacts):
        yield "account", body.account, False
        yield from (("personas", persona, False) for persona in body.personas)


def _spans(claim: Claim) -> Iterable[Span]:
    yield claim.valid_from, claim.valid_to
    body = claim.body
    dated: Iterable[_Dated] = ()
    if isinstance(body, Employment):
        dated = (*body.segments, *body.leaves)
    elif isinstance(body, Role):
        dated = body.segments
    elif isinstance(body, Custody):
        dated = body.relations
    elif isinstance(body, UnitNode):
        dated = body.periods
    elif isinstance(body, UnitStructure):
        dated = body.parents
    elif isinstance(body, UnitName):
        dated = body.names
    yield from ((one.valid_from, one.valid_to) for one in dated)
