"""What a claim must hold to be used at all, beyond having the right form. Errors name the kind and field, no values."""

import datetime as dt
from collections.abc import Iterable

from streams.contracts.claims import (
    Claim,
    Custody,
    DatedName,
    Employment,
    Leave,
    NumberReference,
    Relation,
    Segment,
    SourceRecord,
    UnitName,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
)
from streams.contracts.errors import Rejected

UNIT_PREFIX = "unit:"
SUBJECT_MOST = 200

Span = tuple[dt.date | None, dt.date | None]
_Dated = Segment | Leave | Relation | UnitPeriod | UnitParent | DatedName


def is_unit(subject: str) -> bool:
    return subject.startswith(UNIT_PREFIX)


def check_record(record: SourceRecord) -> Rejected | None:
    """Why nothing of the record can be used, or None."""
    for name, text in (("source", record.source), ("source_key", record.source_key), ("subject", record.subject)):
        if not text or len(text) > SUBJECT_MOST:
            return Rejected("input.invalid", name)
    return None


def check_claim(record: SourceRecord, claim: Claim) -> Rejected | None:
    """Why this claim cannot be used, or None. The other claims of the record stand."""
    if any(start is not None and end is not None and end < start for start, end in _spans(claim)):
        return Rejected("input.end-before-start", claim.kind)
    if is_unit(record.subject) != (claim.kind in ("unit-node", "unit-structure", "unit-name")):
        return Rejected("input.invalid", f"{claim.kind}: subject")
    body = claim.body
    if isinstance(body, NumberReference) and body.other_subject in ("", record.subject):
        return Rejected("input.invalid", "number-reference: other_subject")
    if isinstance(body, Employment) and not (body.employer and body.employment_id):
        return Rejected("input.missing", "employment: employer, employment_id")
    return None


def _spans(claim: Claim) -> Iterable[Span]:
    yield claim.valid_from, claim.valid_to
    body = claim.body
    dated: Iterable[_Dated] = ()
    if isinstance(body, Employment):
        dated = (*body.segments, *body.leaves)
    elif isinstance(body, Custody):
        dated = body.relations
    elif isinstance(body, UnitNode):
        dated = body.periods
    elif isinstance(body, UnitStructure):
        dated = body.parents
    elif isinstance(body, UnitName):
        dated = body.names
    yield from ((one.valid_from, one.valid_to) for one in dated)
