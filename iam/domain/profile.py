"""What an account shows of a person: the full profile, or the masked one of a person who is handled with care."""

from collections.abc import Mapping

from iam.domain.bases import Basis
from iam.domain.policy import NEVER_MASKED, Policy
from iam.domain.world import Given, Previous, World
from streams.contracts.documents import NameEntry, PersonDocument
from streams.contracts.time import holds

_OF_THE_WORK = ("title", "department", "manager")


def restricted(person: PersonDocument) -> bool:
    """Handled with care: everything but an explicit "not marked", where the reader is told the marking at all."""
    return person.restricted or (person.marking is not None and person.marking.discloses_like_marked)


def attributes(
    person: PersonDocument,
    basis: Basis | None,
    given: Given,
    world: World,
    policy: Policy,
    previous: Previous | None,
    *,
    of_employees: bool,
) -> Mapping[str, str]:
    """Canonical attributes with a value. `basis` None: nothing gives this account any more, the work is left out.
    `of_employees`: the account is of a class for employees, who alone have agreed on a name with their employer.

    A restricted person's registered name is never read here: the name shown is the agreed one, or else the uid.
    """
    masked = restricted(person)
    found = {
        "eppn": given.eppn,
        "display_name": _display_name(person, basis, given, agreed=of_employees, masked=masked),
    }
    if not masked:
        found |= _registered_name(person, basis)
    if basis is not None:
        found |= _work(basis, world, previous)
    allowed = frozenset(policy.masked) - NEVER_MASKED if masked else frozenset(policy.attributes)
    return {name: value for name, value in sorted(found.items()) if value and name in allowed}


def _display_name(person: PersonDocument, basis: Basis | None, given: Given, *, agreed: bool, masked: bool) -> str:
    if agreed and person.agreed_name and person.agreed_name.value:
        return person.agreed_name.value
    if masked:
        return given.uid
    name = _registered_name(person, basis)
    return " ".join(part for part in (name.get("given_name"), name.get("family_name")) if part) or given.uid


def _registered_name(person: PersonDocument, basis: Basis | None) -> dict[str, str]:
    """The call name (*tilltalsnamn*), or else all given names, and the family name with the middle name before it."""
    entry = _name_of(person, basis)
    if entry is None:
        return {}
    family = " ".join(part for part in (entry.middle, entry.family) if part)
    return {"given_name": entry.call_name or entry.given, "family_name": family}


def _name_of(person: PersonDocument, basis: Basis | None) -> NameEntry | None:
    """The name that holds on the day of the basis, or else the last one there is."""
    if basis is not None:
        on = basis.place.on
        holding = [name for name in person.names if holds(name.valid_from, name.valid_to, on)]
        if holding:
            return holding[-1]
    return person.names[-1] if person.names else None


def _work(basis: Basis, world: World, previous: Previous | None) -> dict[str, str]:
    """Of the segment that counts. While its unit is not known, what was shown is kept."""
    segment = basis.place.segment
    if basis.undecided:
        return {name: previous.attributes[name] for name in _OF_THE_WORK if previous and name in previous.attributes}
    if segment is None:
        return {}
    return {
        "title": segment.title,
        "department": world.name(segment.unit, basis.place.on),
        "manager": world.managers.get((segment.manager, basis.persona.employer), ""),
    }
