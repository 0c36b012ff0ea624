"""Personas: the roles in which one person meets the municipality (SM3, SM4).

One per employment, enrolment, placement, mandate, consultancy and robot's duty; one for all custody.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from mmd.domain.candidates import Candidate, Candidates, of_system
from mmd.domain.claims import stamp_of
from mmd.domain.timeline import Span, adjoins, coalesce, without_overlap
from streams.contracts.claims import (
    ADULT_SCHOOL_TYPES,
    CONSULTANCY_MONTHS,
    ROLE_KINDS,
    AccountFacts,
    Consultancy,
    Employment,
    Enrolment,
    Leave,
    Mandate,
    Placement,
    RobotDuty,
    Role,
    Segment,
    persona_key,
)
from streams.contracts.documents import AccountEntry, Persona, PersonaType, RelationEntry
from streams.contracts.time import months_after

CUSTODY_SET = "custody"


def role_personas(candidates: Candidates, person_id_of: Callable[[str], str]) -> list[Persona]:
    """One persona per employment, enrolment, placement, mandate, consultancy and robot's duty; where several sources or
    records know it, the best source's newest version."""
    by_key: dict[str, list[Candidate]] = defaultdict(list)
    for kind in ROLE_KINDS & candidates.keys():
        for candidate in candidates[kind]:
            body = candidate.logged.claim.body
            if isinstance(body, Role):
                by_key[persona_key(kind, body.employer, body.source_id)].append(candidate)
    found = []
    for key, competing in by_key.items():
        logged = of_system(competing)
        if logged is not None and isinstance(body := logged.claim.body, Role):
            found.append(
                Persona(
                    key=key,
                    type=type_of(body),
                    stamp=stamp_of(logged),
                    employer=body.employer,
                    source_id=body.source_id,
                    segments=normal_segments(_holding(body), person_id_of),
                    leaves=_normal_leaves(body.leaves) if isinstance(body, Employment) else (),
                    cancelled=body.cancelled,
                    school_type=body.school_type if isinstance(body, Enrolment | Placement) else "",
                    company=body.company if isinstance(body, Consultancy) else "",
                )
            )
    return found


def type_of(role: Role) -> PersonaType:
    """An enrolment's type follows its school type; one that is not known is a pupil's, who has least."""
    match role:
        case Employment():
            return PersonaType.EMPLOYEE
        case Enrolment():
            return PersonaType.ADULT_STUDENT if role.school_type in ADULT_SCHOOL_TYPES else PersonaType.PUPIL
        case Placement():
            return PersonaType.PRESCHOOL_CHILD
        case Mandate():
            return PersonaType.POLITICIAN
        case Consultancy():
            return PersonaType.CONSULTANT
        case RobotDuty():
            return PersonaType.ROBOT


def _holding(role: Role) -> Sequence[Segment]:
    """The segments as far as they may hold: a consultant's for twelve months at most, a robot's only with an end."""
    if isinstance(role, Consultancy):
        ends = [months_after(s.valid_from, CONSULTANCY_MONTHS) for s in role.segments]
        return [
            msgspec.structs.replace(s, valid_to=end if s.valid_to is None else min(s.valid_to, end))
            for s, end in zip(role.segments, ends, strict=True)
        ]
    if isinstance(role, RobotDuty):
        return [segment for segment in role.segments if segment.valid_to is not None]
    return role.segments


def normal_segments(
    segments: Sequence[Segment], person_id_of: Callable[[str], str] = lambda subject: subject
) -> tuple[Segment, ...]:
    """Sorted, not overlapping, gaps kept, equal neighbours as one, managers as person ids. On every date the segment
    that holds says what it said before; one that ends before it starts is left out."""
    spans = [Span(s.valid_from, None if s.valid_to == dt.date.max else s.valid_to, s) for s in segments]
    cut = coalesce(without_overlap(spans, _weight), _same_segment)
    return tuple(
        msgspec.structs.replace(
            span.value,
            valid_from=span.valid_from or dt.date.min,
            valid_to=span.valid_to,
            manager=person_id_of(span.value.manager) if span.value.manager else "",
        )
        for span in cut
    )


def _weight(segment: Segment) -> str:
    """Unit first, as `Persona.segment` does; then the whole content, so that no order of rows decides."""
    return f"{segment.unit}\n{_content(segment)!r}"


def _content(segment: Segment) -> tuple[object, ...]:
    return (
        segment.unit,
        segment.title,
        segment.aid,
        segment.aid_responsibility,
        segment.extent_percent,
        segment.form,
        segment.manager,
        segment.school_year,
    )


def _same_segment(a: Segment, b: Segment) -> bool:
    return _content(a) == _content(b)


def _normal_leaves(leaves: Iterable[Leave]) -> tuple[Leave, ...]:
    real = {leave for leave in leaves if leave.valid_to is None or leave.valid_from <= leave.valid_to}
    return tuple(sorted(real, key=lambda x: (x.valid_from, x.valid_to or dt.date.max, x.code)))


def guardian_persona(person: str, wards: Sequence[RelationEntry]) -> Persona | None:
    """The one persona of a guardian (*vårdnadshavare*): its segments are the days on which there is a ward.

    A relation whose start the source does not state counts from the first day there is (0001-01-01).
    """
    if not wards:
        return None
    segments: list[Segment] = []
    for ward in sorted(wards, key=lambda w: (w.valid_from or dt.date.min, w.valid_to or dt.date.max)):
        start = ward.valid_from or dt.date.min
        last = segments[-1] if segments else None
        if last is None or not (last.valid_to is None or start <= last.valid_to or adjoins(last.valid_to, start)):
            segments.append(Segment(start, ward.valid_to))
        elif last.valid_to is not None and (ward.valid_to is None or ward.valid_to > last.valid_to):
            segments[-1] = Segment(last.valid_from, ward.valid_to)
    return Persona(
        key=persona_key(CUSTODY_SET, "", person),
        type=PersonaType.GUARDIAN,
        stamp=wards[0].stamp,
        source_id=person,
        segments=tuple(segments),
    )


def with_accounts(personas: Iterable[Persona], candidates: Candidates) -> list[Persona]:
    """Each persona with the facts of the accounts that serve it, by account; an account that names a persona the person
    does not have is kept in the log and shown nowhere."""
    accounts = candidates.get("account")
    if not accounts:
        return list(personas)
    by_account: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in accounts:
        body = candidate.logged.claim.body
        if isinstance(body, AccountFacts):
            by_account[body.account].append(candidate)
    entries: dict[str, list[AccountEntry]] = defaultdict(list)
    for account in sorted(by_account):
        logged = of_system(by_account[account])
        if logged is not None and isinstance(logged.claim.body, AccountFacts):
            body = logged.claim.body
            entry = AccountEntry(account, stamp_of(logged), body.uid, body.eppn, body.mail)
            for key in sorted(set(body.personas)):
                entries[key].append(entry)
    return [
        msgspec.structs.replace(persona, accounts=tuple(entries[persona.key])) if persona.key in entries else persona
        for persona in personas
    ]


def main_order(persona: Persona) -> tuple[float, dt.date, str, str]:
    """Sort key of personas: greatest extent (*sysselsättningsgrad*), then earliest start, then source id (SM4)."""
    extent = max((s.extent_percent or 0.0 for s in persona.segments), default=0.0)
    start = persona.segments[0].valid_from if persona.segments else dt.date.max
    return -extent, start, persona.source_id, persona.key


def main_persona(personas: Iterable[Persona], on: dt.date) -> str:
    """The key of the main persona on a date, or "": active before on leave before planned, then extent on that date,
    start and id. Of the personas that a reader may see it is the main one within that release (SM4)."""
    states = {"active": 0, "on-leave": 1, "planned": 2}
    living = [(states[state], persona) for persona in personas if (state := persona.state(on)) in states]

    def key(item: tuple[int, Persona]) -> tuple[int, float, dt.date, str, str]:
        state, persona = item
        segment = persona.segment(on)
        extent = segment.extent_percent or 0.0 if segment else 0.0
        return state, -extent, *main_order(persona)[1:]

    return min(living, key=key)[1].key if living else ""
