"""An operator's rulings on identity (source `ruling`): a merge joins two persons, a split undoes merges by name (S-19).

Like every claim they count as a set: a split may come before its merge. Nothing is stored as merged, so a split gives back
exactly what was joined.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from mmd.domain.claims import LoggedClaim
from mmd.domain.identity import Chain, Reference, resolve
from mmd.domain.register import SourceRegister
from streams.contracts.claims import ID_SUBJECT_PREFIX, Merge, Split


class Joining(NamedTuple):
    """A merge as ordered: by version, then name. The person of `subject` lives on as that of `other_subject`."""

    version: str
    name: str
    subject: str
    other_subject: str


def standing_merges(claims: Iterable[LoggedClaim], register: SourceRegister) -> list[Joining]:
    """The merges that no split undid. `claims` hold both: they stand on the same subject."""
    merges: list[Joining] = []
    undone: set[tuple[str, str]] = set()
    for logged in claims:
        body = logged.claim.body
        if isinstance(body, Merge):
            if register.place(logged) is not None:
                merges.append(Joining(logged.version, logged.source_key, logged.subject, body.other_subject))
        elif isinstance(body, Split) and register.place(logged) is not None:
            undone.update((logged.subject, name) for name in body.merges)
    return [one for one in merges if (one.subject, one.name) not in undone]


def joined(groups: Iterable[Collection[str]], merges: Iterable[Joining]) -> list[list[set[str]]]:
    """The persons that merges make of groups of subjects (each joined by references), as if the merges had been made in
    their order: each a list of its groups, the one whose id and number the person has last. A merge of subjects that are
    not in the groups, or in one person already, joins nothing."""
    place: dict[str, list[set[str]]] = {}
    for group in groups:
        person = [set(group)]
        place.update(dict.fromkeys(group, person))
    for merge in sorted(set(merges)):
        gone, stays = place.get(merge.subject), place.get(merge.other_subject)
        if gone is None or stays is None or gone is stays:
            continue
        stays[:0] = gone
        for group in gone:
            place.update(dict.fromkeys(group, stays))
    return list({id(person): person for person in place.values()}.values())


def chain_of(person: Iterable[Collection[str]], references: Collection[Reference]) -> Chain | None:
    """The numbers of a person as `joined` gives it: those of merged persons come before the survivor's own, whose oldest
    gives the id and whose newest is current. None where no subject is a number's."""
    chains: list[Chain] = []
    for group in person:
        numbers = {subject for subject in group if not subject.startswith(ID_SUBJECT_PREFIX)}
        if numbers:
            chains.append(resolve(numbers, [one for one in references if one.from_subject in numbers]))
    if len(chains) <= 1:
        return chains[0] if chains else None
    order = tuple(subject for chain in chains for subject in chain.order)
    return Chain(chains[-1].oldest, chains[-1].current, order, any(chain.cycle for chain in chains))
