"""The protection officer's queue (SM2): whose marking a source has taken back, what is proposed, and what is approved.

A proposal is a claim too, one that lifts nothing; the approval says the same again with the name of a second person.
Until then, and for every raise that it does not list, the marking stands.
"""

from collections.abc import Iterator, Sequence

import msgspec

from deploy.rulings.sending import Desk, Grounds, names_nobody, new_name
from mmd.domain.claims import LoggedClaim
from mmd.domain.protection import Raised, lifted, standing_raises
from streams.contracts.claims import ClaimName, Lift, Marking, Protection, SourceRecord
from streams.contracts.errors import Rejected


class Proposal(msgspec.Struct, frozen=True):
    """A lift that waits for its approval: how many raises it lists."""

    name: str
    asked_by: str
    evidence: str
    raises: int


class Case(msgspec.Struct, frozen=True):
    """One marked person: how many raises stand, how many of them their source has taken back, and what is proposed."""

    person: str
    marking: Marking
    raises: int
    taken_back: int
    sources: tuple[str, ...]
    proposals: tuple[Proposal, ...] = ()


def queue(desk: Desk, *, everyone: bool = False) -> Iterator[Case]:
    """Whom there is something to decide about; with `everyone` all who are marked. By person id."""
    for person in desk.reader.marked():
        claims = _spoken(desk, person)
        raises = standing_raises(claims, desk.register)
        proposals = tuple(
            Proposal(name, parts[0][1].asked_by, parts[0][1].evidence, sum(len(body.raises) for _, body in parts))
            for name, parts in _open(desk, claims).items()
        )
        back = [one for one in raises if one.taken_back is not None]
        if raises and (everyone or back or proposals):
            marking = max((one.marking for one in raises), key=lambda one: _ORDER.index(one))
            sources = tuple(sorted({one.name.source for one in raises}))
            yield Case(person, marking, len(raises), len(back), sources, proposals)


_ORDER = (Marking.UNVERIFIED, Marking.SEKRETESSMARKERING, Marking.SKYDDAD_FOLKBOKFORING)


def propose(desk: Desk, person: str, evidence: str, asked_by: str, *, every_raise: bool = False) -> list[SourceRecord]:
    """To lift the raises that their sources have taken back; with `every_raise` all that stand. To be sent.

    Raises `Rejected`: ruling.nothing where there is no such raise, resource.unknown, input.missing.
    """
    if not evidence.strip() or not asked_by.strip():
        raise Rejected("input.missing", "evidence, asked_by")
    names_nobody(evidence=evidence, asked_by=asked_by)
    if not desk.reader.members(person):
        raise Rejected("resource.unknown", "person")
    raises = standing_raises(_spoken(desk, person), desk.register)
    chosen = [one for one in raises if every_raise or one.taken_back is not None]
    if not chosen:
        raise Rejected("ruling.nothing", f"{len(raises)} raises stand, none was taken back")
    name = new_name("lift")
    return [
        desk.record(name, subject, Lift(names, evidence, asked_by)) for subject, names in _by_subject(chosen).items()
    ]


def approve(desk: Desk, name: str, approved_by: str) -> list[SourceRecord]:
    """The proposal of that name, said again with who approves it. To be sent.

    Raises `Rejected`: resource.unknown where no proposal of that name is open; decision.two-persons.
    """
    found = [part for person in desk.reader.marked() for part in _open(desk, _spoken(desk, person)).get(name, ())]
    if not found:
        raise Rejected("resource.unknown", "proposal")
    for _, body in found:
        Grounds(body.evidence, body.asked_by, approved_by).check()
    return [
        desk.record(name, subject, msgspec.structs.replace(body, approved_by=approved_by)) for subject, body in found
    ]


def _spoken(desk: Desk, person: str) -> list[LoggedClaim]:
    return [one for one in desk.reader.claims(person) if isinstance(one.claim.body, Protection | Lift)]


def _open(desk: Desk, claims: Sequence[LoggedClaim]) -> dict[str, list[tuple[str, Lift]]]:
    """The proposals that were not approved yet and would lift something, by name: subject and lift."""
    done = lifted(claims, desk.register)
    found: dict[str, list[tuple[str, Lift]]] = {}
    for one in sorted(claims, key=lambda each: (each.version, each.subject)):
        body = one.claim.body
        waits = isinstance(body, Lift) and not body.approved_by
        if isinstance(body, Lift) and waits and any((one.subject, name) not in done for name in body.raises):
            found.setdefault(one.source_key, []).append((one.subject, body))
    return found


def _by_subject(raises: Sequence[Raised]) -> dict[str, tuple[ClaimName, ...]]:
    found: dict[str, tuple[ClaimName, ...]] = {}
    for one in raises:
        found[one.subject] = (*found.get(one.subject, ()), one.name)
    return found
