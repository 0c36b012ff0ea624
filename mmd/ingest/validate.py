"""What a claim must hold to be used at all, beyond having the right form. Errors name the kind and field, no values."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from mmd.domain.claims import KINDS, kind_of
from streams.contracts.claims import (
    ABOUT,
    ENROLMENT_TYPES,
    ID_SUBJECT_PREFIX,
    LEGAL_PREFIX,
    PERSON,
    PLACEMENT_TYPES,
    AccountFacts,
    Body,
    Claim,
    Consultancy,
    Custody,
    DeathReversal,
    Employment,
    Enrolment,
    Group,
    GroupMembers,
    LegalOrganisation,
    Lift,
    Mandate,
    Merge,
    NumberReference,
    Place,
    Placement,
    Protection,
    Return,
    RobotDuty,
    Role,
    SourceRecord,
    Split,
    UnitName,
    UnitNode,
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
    body, kind = claim.body, kind_of(claim)
    if kind not in KINDS:
        return Rejected("input.invalid", "absent: of")
    if thing_of(record.subject) != ABOUT.get(kind, PERSON):
        return Rejected("input.invalid", f"{kind}: subject")
    if isinstance(body, Protection):
        return None
    if _ends_before_it_starts(claim):
        return Rejected("input.end-before-start", kind)
    rule = _RULES.get(type(body))
    refused = None if rule is None else rule(record, body, kind)
    if refused is not None:
        return refused
    for field, text, of_person in _names(body):
        if len(text) > NAME_MOST or (of_person and text and _SUBJECT.fullmatch(text) is None):
            return Rejected("input.invalid", f"{kind}: {field}")
    return None


def _ends_before_it_starts(claim: Claim) -> bool:
    start, end = claim.valid_from, claim.valid_to
    if start is not None and end is not None and end < start:
        return True
    for field in _DATED.get(type(claim.body), ()):
        for one in getattr(claim.body, field):
            if one.valid_from is not None and one.valid_to is not None and one.valid_to < one.valid_from:
                return True
    return False


_DATED: Mapping[type, tuple[str, ...]] = {
    Employment: ("segments", "leaves"),
    **dict.fromkeys((Enrolment, Placement, Mandate, Consultancy, RobotDuty), ("segments",)),
    Custody: ("relations",),
    UnitNode: ("periods",),
    UnitStructure: ("parents",),
    UnitName: ("names",),
    Place: ("periods", "names", "units"),
    Group: ("periods", "names"),
    GroupMembers: ("members",),
    LegalOrganisation: ("periods", "names", "seats"),
}
"""By body, the fields whose entries have dates of their own."""


def _role(_: SourceRecord, body: Role, kind: str) -> Rejected | None:
    return None if body.employer and body.source_id else Rejected("input.missing", f"{kind}: employer, id")


def _school_role(record: SourceRecord, body: Enrolment | Placement, kind: str) -> Rejected | None:
    types = ENROLMENT_TYPES if isinstance(body, Enrolment) else PLACEMENT_TYPES
    known = body.school_type in types
    return _role(record, body, kind) or (None if known else Rejected("code.unknown", f"{kind}: school_type"))


def _another(record: SourceRecord, body: NumberReference | Merge, kind: str) -> Rejected | None:
    """Another person's subject, and no id."""
    if body.other_subject in ("", record.subject) or body.other_subject.startswith(ID_SUBJECT_PREFIX):
        return Rejected("input.invalid", f"{kind}: other_subject")
    return None


def _merge(record: SourceRecord, body: Merge, kind: str) -> Rejected | None:
    return _another(record, body, kind) or _ruling(record, body, kind)


def _return(record: SourceRecord, body: Return, kind: str) -> Rejected | None:
    return _ruling(record, body, kind) if body.decision.strip() else Rejected("input.missing", "ruling: decision")


def _ruling(record: SourceRecord, body: Merge | Split | Lift | Return | DeathReversal, _: str) -> Rejected | None:
    """A ruling is about a number's subject, and needs evidence and two persons; a proposed lift the one who asks."""
    if record.subject.startswith(ID_SUBJECT_PREFIX):
        return Rejected("input.invalid", "ruling: subject")
    if not body.evidence.strip() or not body.asked_by.strip():
        return Rejected("input.missing", "ruling: evidence, asked_by")
    proposed = isinstance(body, Lift) and not body.approved_by
    return None if proposed or two_persons(body.asked_by, body.approved_by) else Rejected("decision.two-persons")


def _owned(_: SourceRecord, body: LegalOrganisation, kind: str) -> Rejected | None:
    """A number that is a person's is said together with whose it is: then the person's protection holds for it."""
    of_person = body.number.type is not IdentifierType.ORGANISATIONSNUMMER
    return None if of_person is bool(body.owner) else Rejected("input.invalid", f"{kind}: owner")


_RULES: Mapping[type, Callable[[SourceRecord, Any, str], Rejected | None]] = {
    **dict.fromkeys((Employment, Mandate, Consultancy, RobotDuty), _role),
    **dict.fromkeys((Enrolment, Placement), _school_role),
    NumberReference: _another,
    Merge: _merge,
    Return: _return,
    **dict.fromkeys((Split, Lift, DeathReversal), _ruling),
    LegalOrganisation: _owned,
}
"""By body, what it must hold beside dates and names."""


def _names(body: Body) -> Iterable[tuple[str, str, bool]]:
    """Field, text, and whether it names a person: what the claim refers to by key."""
    names = _NAMES.get(type(body))
    return () if names is None else names(body)


def _of_role(body: Role) -> Iterator[tuple[str, str, bool]]:
    yield "employer", body.employer, False
    yield "id", body.source_id, False
    for segment in body.segments:
        yield "unit", segment.unit, False
        yield "manager", segment.manager, True


def _of_members(body: GroupMembers) -> Iterator[tuple[str, str, bool]]:
    for member in body.members:
        yield "subject", member.subject, True
        yield "persona", member.persona, False
        yield "persona_type", member.persona_type, False


def _of_account(body: AccountFacts) -> Iterator[tuple[str, str, bool]]:
    yield "account", body.account, False
    yield "employer", body.employer, False
    yield "account_class", body.account_class, False
    yield from (("personas", persona, False) for persona in body.personas)


_NAMES: Mapping[type, Callable[[Any], Iterable[tuple[str, str, bool]]]] = {
    **dict.fromkeys((Employment, Enrolment, Placement, Mandate, Consultancy, RobotDuty), _of_role),
    **dict.fromkeys((NumberReference, Merge), lambda body: [("other_subject", body.other_subject, True)]),
    Split: lambda body: [("merges", name, False) for name in body.merges],
    Return: lambda body: [("decision", body.decision, False)],
    Custody: lambda body: [("subject", relation.subject, True) for relation in body.relations],
    UnitStructure: lambda body: [("parent", parent.parent, False) for parent in body.parents],
    Place: lambda body: [("unit", one.unit, False) for one in body.units],
    Group: lambda body: [("unit", body.unit, False)],
    GroupMembers: _of_members,
    LegalOrganisation: lambda body: [("owner", body.owner, True)],
    AccountFacts: _of_account,
}
"""By body, what it names."""
