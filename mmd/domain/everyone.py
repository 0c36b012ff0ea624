"""Every person of a set of claims at once: what a store that has heard exactly these must hold."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from mmd.domain.claims import LoggedClaim
from mmd.domain.heads import winners
from mmd.domain.identity import components
from mmd.domain.person import derive_person
from mmd.domain.register import SourceRegister
from mmd.domain.rulings import joined, standing_merges
from streams.contracts.claims import ID_SUBJECT_PREFIX, Merge, NumberReference, is_thing
from streams.contracts.documents import PersonDocument


def joined_subjects(
    claims: Iterable[LoggedClaim], register: SourceRegister, person_id_of: Callable[[str], str]
) -> list[set[str]]:
    """The subjects in groups, one group a person: joined by number references of designated sources, by the person id
    that iam's claims name, and by merges that were not undone. Units, places and the like are no persons and are left
    out."""
    known = list(claims)
    edges: list[tuple[str, str]] = []
    for logged in known:
        subject = logged.subject
        if is_thing(subject):
            continue
        edges.append((subject, subject))
        if not subject.startswith(ID_SUBJECT_PREFIX):
            edges.append((subject, ID_SUBJECT_PREFIX + person_id_of(subject)))
        body = logged.claim.body
        if isinstance(body, NumberReference | Merge) and register.place(logged) is not None:
            edges.append((body.other_subject, ID_SUBJECT_PREFIX + person_id_of(body.other_subject)))
        if isinstance(body, NumberReference) and register.place(logged) is not None:
            edges.append((subject, body.other_subject))
    persons = joined(components(edges), standing_merges(known, register))
    return [set().union(*groups) for groups in persons]


def derive_everyone(
    claims: Iterable[LoggedClaim], register: SourceRegister, person_id_of: Callable[[str], str]
) -> dict[str, PersonDocument]:
    """The document of every person, by id. The reference that incremental ingest is compared with."""
    known = list(claims)
    winning: dict[str, list[LoggedClaim]] = defaultdict(list)
    for logged in winners(known):
        winning[logged.subject].append(logged)
    found = {}
    for group in joined_subjects(known, register, person_id_of):
        here = [logged for subject in sorted(group) for logged in winning.get(subject, ())]
        document = derive_person(here, register, person_id_of, subjects=group)
        found[document.id] = document
    return found
