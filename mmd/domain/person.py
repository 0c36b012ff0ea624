"""`derive_person`: from everything that sources said about one person to the one document. A pure function."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence

from mmd.domain.candidates import Candidate, Candidates, designated, of_post, of_system
from mmd.domain.claims import LoggedClaim, claim_key, stamp_of
from mmd.domain.heads import winners
from mmd.domain.identity import Chain, Reference, components, resolve
from mmd.domain.personas import guardian_persona, main_order, role_personas, with_accounts
from mmd.domain.protection import effective, lifted
from mmd.domain.register import SourceRegister
from mmd.domain.rulings import chain_of, standing_merges
from mmd.domain.rulings import joined as joined_by
from mmd.domain.status import QUARANTINED, derive_status
from mmd.domain.timeline import Span, close, coalesce, overlay
from streams.contracts.claims import (
    ID_SUBJECT_PREFIX,
    AgreedName,
    Assurance,
    Birth,
    Custody,
    DeathReversal,
    IdentityAssurance,
    Lift,
    Marking,
    Merge,
    Name,
    NumberReference,
    Protection,
    RegisteredAddress,
    Return,
    SpecialAddress,
    Split,
    WorkContact,
)
from streams.contracts.documents import (
    AddressEntry,
    AssuranceEntry,
    NameEntry,
    NumberEntry,
    PersonDocument,
    RelationEntry,
    StatusEntry,
    TextValue,
)
from streams.contracts.identifiers import Identifier, IdentifierType

GUARDIAN_OF_THIS_PERSON = "V"
WARD_OF_THIS_PERSON = "VF"
_PROTECTING = (Protection, Lift)
_RULINGS = (Merge, Split, Lift, Return, DeathReversal)


def derive_person(
    claims: Sequence[LoggedClaim],
    register: SourceRegister,
    person_id_of: Callable[[str], str],
    *,
    subjects: Collection[str] | None = None,
) -> PersonDocument:
    """The document of the person whose joined subjects the claims stand on.

    `claims`: the winning claims of those subjects and every version of the kinds that never forget; losing versions and
    repetitions do no harm. With `subjects` the claims may also stand on other subjects: they compete for heads, and what
    is won elsewhere (a record whose number was corrected) is gone from here. `person_id_of` is the keyed hash of a
    subject and nothing else, so that the same log gives the same ids in any order; ids of others may be aliases.

    Depends on the set of claims and the register alone. Raises `ValueError` where there is neither claim nor subject.
    """
    winning = winners(claims)
    joined = {logged.subject for logged in claims} if subjects is None else set(subjects)
    if subjects is not None:
        winning = [logged for logged in winning if logged.subject in joined]
    protections = [c for c in winning if isinstance(c.claim.body, _PROTECTING)]
    marking, marking_stamps = effective(protections, register)
    chain = _chain(joined, winning, register)
    person = person_id_of(chain.oldest) if chain else min(joined).removeprefix(ID_SUBJECT_PREFIX)
    order = chain.order if chain else ()
    candidates = designated(winning, register, {subject: at for at, subject in enumerate(order)})
    skyddad = marking is Marking.SKYDDAD_FOLKBOKFORING
    status = derive_status(candidates)
    guardians, wards = _relations(candidates, person_id_of)
    guardian = guardian_persona(person, wards)
    personas = role_personas(candidates, person_id_of)
    if guardian is not None:
        personas.append(guardian)
    personas = with_accounts(personas, candidates)
    personas.sort(key=main_order)
    quarantined = "code.unknown" if status is not None and status.state == "quarantined" else ""
    return PersonDocument(
        id=person,
        aliases=_aliases(person, order, joined, person_id_of),
        marking=marking,
        marking_stamps=marking_stamps,
        restricted=marking.discloses_like_marked,
        numbers=_numbers(chain, winning, register),
        birth=_birth(candidates),
        status=status,
        assurance=_assurance(candidates, chain, status),
        names=_names(candidates),
        agreed_name=_agreed_name(candidates),
        work_phone=_work_phone(candidates),
        registered_addresses=() if skyddad else _registered_addresses(candidates),
        special_address=_special_address(candidates, _unlifted(protections, register) if skyddad else None),
        guardians=guardians,
        wards=wards,
        personas=tuple(personas),
        quarantined="number.cycle" if chain and chain.cycle else quarantined,
    )


def _chain(joined: set[str], winning: list[LoggedClaim], register: SourceRegister) -> Chain | None:
    """The number chain; None for a person that is known by id only (an account fact that came first)."""
    references = [
        Reference(logged.subject, body.other_subject, body.superseded)
        for logged in winning
        if isinstance(body := logged.claim.body, NumberReference) and register.place(logged) is not None
    ]
    numbers = {subject for subject in joined if not subject.startswith(ID_SUBJECT_PREFIX)}
    merges = standing_merges(winning, register)
    if not merges:
        return resolve(numbers, references) if numbers else None
    edges = [(one.from_subject, one.to_subject) for one in references]
    persons = joined_by(components([*edges, *((subject, subject) for subject in numbers)]), merges)
    # One person, unless a claim of a subject that was erased joined them: what is left of that one comes first.
    persons.sort(key=lambda groups: (len(groups), min(map(min, groups))))
    return chain_of([group for groups in persons for group in groups], references)


def _unlifted(protections: list[LoggedClaim], register: SourceRegister) -> list[LoggedClaim]:
    gone = lifted(protections, register)
    return [one for one in protections if claim_key(one) not in gone]


def _aliases(
    person: str, order: tuple[str, ...], joined: set[str], person_id_of: Callable[[str], str]
) -> tuple[str, ...]:
    if len(joined) == 1 and len(order) <= 1:
        return ()
    ids = {person_id_of(subject) for subject in order}
    ids.update(s.removeprefix(ID_SUBJECT_PREFIX) for s in joined if s.startswith(ID_SUBJECT_PREFIX))
    return tuple(sorted(ids - {person}))


def _numbers(chain: Chain | None, winning: list[LoggedClaim], register: SourceRegister) -> tuple[NumberEntry, ...]:
    """Oldest first; the current one is last. Stamped with who first named it, the population register before others; a
    ruling names no number."""
    if chain is None:
        return ()
    known: dict[str, tuple[tuple[object, ...], Identifier, LoggedClaim]] = {}

    def consider(subject: str, identifier: Identifier, logged: LoggedClaim) -> None:
        outsider = not register.knows("number-reference", logged.source)
        key = (outsider, logged.logged_at, logged.event, logged.source, logged.source_key, logged.digest)
        best = known.get(subject)
        if best is None or key < best[0]:
            known[subject] = key, identifier, logged

    for logged in winning:
        if logged.identifier is not None and not isinstance(logged.claim.body, _RULINGS):
            consider(logged.subject, logged.identifier, logged)
        if isinstance(body := logged.claim.body, NumberReference) and register.place(logged) is not None:
            consider(body.other_subject, body.other, logged)
    return tuple(
        NumberEntry(known[s][1].type, known[s][1].value, s == chain.current, stamp_of(known[s][2]))
        for s in chain.order
        if s in known
    )


def _birth(candidates: Candidates) -> TextValue | None:
    logged = of_post(candidates.get("birth"))
    if logged is None or not isinstance(logged.claim.body, Birth):
        return None
    return TextValue(logged.claim.body.date, stamp_of(logged))


def _assurance(candidates: Candidates, chain: Chain | None, status: StatusEntry | None) -> AssuranceEntry | None:
    """Of the current number alone: who got a personnummer is not held to what was known of the earlier samordningsnummer.
    Where nobody has told a level, the register's own post under a personnummer confirms: nobody is entered there whose
    identity is not proven. Else None, which says nothing; it is no proof of identity."""

    def of_current(kind: str) -> LoggedClaim | None:
        return of_post([c for c in candidates.get(kind, ()) if chain and c.logged.subject == chain.current])

    told, entered = of_current("identity-assurance"), of_current("registration")
    if told is not None and isinstance(body := told.claim.body, IdentityAssurance):
        return AssuranceEntry(body.level, stamp_of(told), body.dormant, body.dormant_from)
    if entered is None or entered.identifier is None or status is None or status.state == QUARANTINED:
        return None
    if entered.identifier.type is not IdentifierType.PERSONNUMMER:
        return None
    return AssuranceEntry(Assurance.CONFIRMED, stamp_of(entered))


def _agreed_name(candidates: Candidates) -> TextValue | None:
    logged = of_system(candidates.get("agreed-name"))
    if logged is None or not isinstance(logged.claim.body, AgreedName) or not logged.claim.body.display:
        return None
    return TextValue(logged.claim.body.display, stamp_of(logged))


def _work_phone(candidates: Candidates) -> TextValue | None:
    logged = of_system(candidates.get("work-contact"))
    if logged is None or not isinstance(logged.claim.body, WorkContact) or not logged.claim.body.phone:
        return None
    return TextValue(logged.claim.body.phone, stamp_of(logged))


def timeline(candidates: list[Candidate] | None) -> list[Span[LoggedClaim]]:
    """What the best source says each day: a later valid-from closes the earlier; within one source the post of the
    newest number counts from when it starts to speak; a source of lower rank fills what is left. Equal neighbours of one
    source are one."""
    if not candidates:
        return []
    levels: dict[tuple[int, int, int], dict[dt.date | None, LoggedClaim]] = {}
    for candidate in candidates:
        starts = levels.setdefault(candidate.level, {})
        logged = candidate.logged
        at = logged.claim.valid_from
        best = starts.get(at)
        if best is None or _newness(logged) > _newness(best):
            starts[at] = logged
    spans = [
        close([Span(at, logged.claim.valid_to, logged) for at, logged in levels[level].items()])
        for level in sorted(levels)
    ]
    return coalesce(overlay(spans), _says_the_same)


def _newness(logged: LoggedClaim) -> tuple[str, str, str, str, str]:
    return logged.version, logged.digest, logged.source, logged.source_key, logged.subject


def _says_the_same(a: LoggedClaim, b: LoggedClaim) -> bool:
    return a.source == b.source and a.claim.body == b.claim.body


def _names(candidates: Candidates) -> tuple[NameEntry, ...]:
    return tuple(
        NameEntry(body.given, body.middle, body.family, body.call_name, stamp_of(logged), span_from, span_to)
        for span_from, span_to, logged in timeline(candidates.get("name"))
        if isinstance(body := logged.claim.body, Name)
    )


def _registered_addresses(candidates: Candidates) -> tuple[AddressEntry, ...]:
    return tuple(
        AddressEntry(
            body.address,
            stamp_of(logged),
            body.municipality_code,
            span_from,
            span_to,
            body.since if span_from == logged.claim.valid_from else None,
        )
        for span_from, span_to, logged in timeline(candidates.get("registered-address"))
        if isinstance(body := logged.claim.body, RegisteredAddress)
    )


def _special_address(candidates: Candidates, protections: list[LoggedClaim] | None) -> AddressEntry | None:
    """*Särskild postadress*. Under skyddad folkbokföring (`protections` is given) only one that its source gave in or
    after a record that raised it: then it is Skatteverket's forwarding address, an older one may be where they live."""
    found = candidates.get("special-address")
    if found and protections is not None:
        raised: dict[str, str] = {}
        for logged in protections:
            body = logged.claim.body
            if isinstance(body, Protection) and body.skyddad_folkbokforing and logged.version:
                raised[logged.source] = min(raised.get(logged.source, logged.version), logged.version)
        found = [c for c in found if c.logged.source in raised and c.logged.version >= raised[c.logged.source]]
    best = of_post(found)
    if best is None or not isinstance(best.claim.body, SpecialAddress):
        return None
    return AddressEntry(best.claim.body.address, stamp_of(best), "", best.claim.valid_from, best.claim.valid_to)


def _relations(
    candidates: Candidates, person_id_of: Callable[[str], str]
) -> tuple[tuple[RelationEntry, ...], tuple[RelationEntry, ...]]:
    """Guardians and wards, by person id, from V and VF only: parenthood is not custody."""
    logged = of_post(candidates.get("custody"))
    if logged is None or not isinstance(logged.claim.body, Custody):
        return (), ()
    stamp = stamp_of(logged)
    found: dict[str, set[tuple[str, dt.date | None, dt.date | None, str | None, str | None]]] = {
        GUARDIAN_OF_THIS_PERSON: set(),
        WARD_OF_THIS_PERSON: set(),
    }
    for relation in logged.claim.body.relations:
        if relation.type in found and not (
            relation.valid_from and relation.valid_to and relation.valid_to < relation.valid_from
        ):
            dates = relation.valid_from, relation.valid_to, relation.starts, relation.ends
            found[relation.type].add((person_id_of(relation.subject), *dates))

    def entries(kind: str) -> tuple[RelationEntry, ...]:
        ordered = sorted(
            found[kind], key=lambda r: (r[0], r[1] or dt.date.min, r[2] or dt.date.max, r[3] or "", r[4] or "")
        )
        return tuple(RelationEntry(r[0], stamp, r[1], r[2], r[3], r[4]) for r in ordered)

    return entries(GUARDIAN_OF_THIS_PERSON), entries(WARD_OF_THIS_PERSON)
