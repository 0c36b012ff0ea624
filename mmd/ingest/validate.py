"""What a claim must hold to be used at all, beyond having the right form. Errors name the kind and field, no values."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator

import msgspec

from mmd.domain.claims import KINDS
from streams.contracts.claims import (
    ABOUT,
    ENROLMENT_TYPES,
    ID_SUBJECT_PREFIX,
    LEGAL_PREFIX,
    PERSON,
    PLACEMENT_TYPES,
    Absent,
    AccountFacts,
    Claim,
    Custody,
    DatedName,
    Employment,
    Enrolment,
    Group,
    GroupMembers,
    Leave,
    LegalOrganisation,
    Lift,
    Membership,
    Merge,
    NumberReference,
    Place,
    Placement,
    PlaceUnit,
    Protection,
    Relation,
    Role,
    Seat,
    Segment,
    SourceRecord,
    Split,
    UnitName,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
    thing_of,
)
from streams.contracts.decisions import two_persons
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import IdentifierType

NAME_MOST = 200
"""Characters in whatever names something: an index of the database holds no more than a few thousand bytes."""
CLAIM_BYTES = 65_536
"""A claim as it is stored. A document of many claims must still go into one record of a topic."""

_SUBJECT = re.compile(r"[0-9a-f]{32}|id:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_LEGAL = re.compile(re.escape(LEGAL_PREFIX) + r"[0-9a-f]{32}")

Span = tuple[dt.date | None, dt.date | None]
_Dated = Segment | Leave | Relation | UnitPeriod | UnitParent | DatedName | PlaceUnit | Membership | Seat


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
    """Subjects stand in clear in tables and logs: a keyed hash, an id or a unit, and never the number of a person. That of
    a legal organisation is a keyed hash too, for a sole trader's number is a personnummer."""
    thing = thing_of(text)
    if thing == "legal-organisation":
        return _LEGAL.fullmatch(text) is not None
    return thing != PERSON or _SUBJECT.fullmatch(text) is not None


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


def only_raises(record: SourceRecord) -> SourceRecord:
    """Of a record that may not bring others its raises: a marking too many is put right by a ruling."""
    raises = (one for one in record.claims if isinstance(one.body, Protection) and one.body != Protection())
    return msgspec.structs.replace(record, claims=tuple(raises), together=())


def _usable(text: str) -> str:
    return text if len(text) <= NAME_MOST else ""


def check_claim(record: SourceRecord, claim: Claim) -> Rejected | None:
    """Why this claim cannot be used, or None. The other claims of the record stand. Nothing but being about a unit keeps
    a protection claim out."""
    body, kind = claim.body, claim.kind
    if isinstance(body, Absent) and body.of not in KINDS:
        return Rejected("input.invalid", "absent: of")
    if thing_of(record.subject) != ABOUT.get(kind, PERSON):
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
    if isinstance(body, NumberReference | Merge) and (
        body.other_subject in ("", record.subject) or body.other_subject.startswith(ID_SUBJECT_PREFIX)
    ):
        return Rejected("input.invalid", f"{kind}: other_subject")
    if isinstance(body, Merge | Split | Lift) and (refused := _not_a_ruling(record, body)) is not None:
        return refused
    if isinstance(body, LegalOrganisation) and _whose(body) is not bool(body.owner):
        return Rejected("input.invalid", "legal-organisation: owner")
    for field, text, of_person in _names(claim):
        if len(text) > NAME_MOST or (of_person and text and _SUBJECT.fullmatch(text) is None):
            return Rejected("input.invalid", f"{kind}: {field}")
    return None


def _not_a_ruling(record: SourceRecord, body: Merge | Split | Lift) -> Rejected | None:
    """A ruling is about a number's subject, and needs evidence and two persons; a proposed lift the one who asks."""
    if record.subject.startswith(ID_SUBJECT_PREFIX):
        return Rejected("input.invalid", "ruling: subject")
    if not body.evidence.strip() or not body.asked_by.strip():
        return Rejected("input.missing", "ruling: evidence, asked_by")
    proposed = isinstance(body, Lift) and not body.approved_by
    return None if proposed or two_persons(body.asked_by, body.approved_by) else Rejected("decision.two-persons")


def _whose(body: LegalOrganisation) -> bool:
    """Whether the number is a person's: then it must be said whose, so that the person's protection holds for it."""
    return body.number.type is not IdentifierType.ORGANISATIONSNUMMER


def _names(claim: Claim) -> Iterator[tuple[str, str, bool]]:
    """Field, text, and whether it names a person: what the claim refers to by key."""
    body = claim.body
    if isinstance(body, NumberReference | Merge):
        yield "other_subject", body.other_subject, True
    elif isinstance(body, Split):
        yield from (("merges", name, False) for name in body.merges)
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
    elif isinstance(body, Place):
        yield from (("unit", one.unit, False) for one in body.units)
    elif isinstance(body, Group):
        yield "unit", body.unit, False
    elif isinstance(body, GroupMembers):
        for member in body.members:
            yield "subject", member.subject, True
            yield "persona", member.persona, False
            yield "persona_type", member.persona_type, False
    elif isinstance(body, LegalOrganisation):
        yield "owner", body.owner, True
    elif isinstance(body, AccountFacts):
        yield "account", body.account, False
        yield "employer", body.employer, False
        yield "account_class", body.account_class, False
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
    elif isinstance(body, Place):
        dated = (*body.periods, *body.names, *body.units)
    elif isinstance(body, Group):
        dated = (*body.periods, *body.names)
    elif isinstance(body, GroupMembers):
        dated = body.members
    elif isinstance(body, LegalOrganisation):
        dated = (*body.periods, *body.names, *body.seats)
    yield from ((one.valid_from, one.valid_to) for one in dated)
