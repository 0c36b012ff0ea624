"""Merge and split (S-19). A merge needs evidence and two persons, never a likeness; a split undoes it entirely."""

from deploy.rulings.sending import Desk, Grounds, new_name
from mmd.domain.identity import components
from mmd.domain.rulings import standing_merges
from streams.contracts.claims import ID_SUBJECT_PREFIX, Marking, Merge, NumberReference, Protection, SourceRecord, Split
from streams.contracts.errors import Rejected


def merge(desk: Desk, gone: str, stays: str, grounds: Grounds) -> list[SourceRecord]:
    """That the person `gone` is the person `stays` (person ids, aliases too), who keeps the id. To be sent.

    Raises `Rejected`: ruling.marked where either is or ever was marked, lifted or not (whoever has a protected or a
    fictitious identity is never led back to it by hand: only the register's own reference does that); ruling.one-person;
    resource.unknown; and as `Grounds.check`.
    """
    grounds.check()
    ends = [_number_of(desk, one) for one in (gone, stays)]
    if ends[0][0] == ends[1][0]:
        raise Rejected("ruling.one-person")
    if any(_was_marked(desk, person) for person, _ in ends):
        raise Rejected("ruling.marked")
    body = Merge(ends[1][1], grounds.evidence, grounds.asked_by, grounds.approved_by)
    return [desk.record(new_name("merge"), ends[0][1], body)]


def split(desk: Desk, parted: str, grounds: Grounds) -> list[SourceRecord]:
    """That the person who had the id `parted` is another person after all: the merges that took it away are undone. Where
    only one merge stands, the id of the merged person will do. To be sent.

    Raises `Rejected`: ruling.nothing where no merge, or more than one other, would be meant; resource.unknown; and as
    `Grounds.check`.
    """
    grounds.check()
    members = _members(desk, parted)
    claims = desk.reader.claims(parted)
    merges = standing_merges(claims, desk.register)
    references = [
        (one.subject, one.claim.body.other_subject) for one in claims if isinstance(one.claim.body, NumberReference)
    ]
    groups = components([*references, *((subject, subject) for subject in members)])
    mine = [group for group in groups if any(members.get(subject) == parted for subject in group)]
    meant = [one for one in merges if any(one.subject in group for group in mine)]
    if not meant and len({one.subject for one in merges}) == 1:
        meant = merges
    if not meant:
        raise Rejected("ruling.nothing", f"{len(merges)} merges")
    by_subject: dict[str, list[str]] = {}
    for one in sorted(meant):
        by_subject.setdefault(one.subject, []).append(one.name)
    why = (grounds.evidence, grounds.asked_by, grounds.approved_by)
    name = new_name("split")
    return [desk.record(name, subject, Split(tuple(names), *why)) for subject, names in by_subject.items()]


def _members(desk: Desk, person: str) -> dict[str, str]:
    members = desk.reader.members(person)
    if not members:
        raise Rejected("resource.unknown", "person")
    return members


def _number_of(desk: Desk, person: str) -> tuple[str, str]:
    """The id that the person lives on under, and the subject of the number that the id comes from."""
    members = _members(desk, person)
    found = desk.reader.persons([person]).get(person)
    for subject, own in members.items():
        if found is not None and own == found.id and not subject.startswith(ID_SUBJECT_PREFIX):
            return found.id, subject
    raise Rejected("resource.unknown", "person")


def _was_marked(desk: Desk, person: str) -> bool:
    bodies = [one.claim.body for one in desk.reader.claims(person)]
    return any(isinstance(body, Protection) and body.marking is not Marking.NONE for body in bodies)
