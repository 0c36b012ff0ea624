"""`derive_group`: a class, teaching group or preschool section, and who is in it, by key only."""

import datetime as dt
from collections.abc import Callable, Sequence

from mmd.domain.candidates import designated, of_system
from mmd.domain.claims import LoggedClaim, stamp_of
from mmd.domain.dated import dated_names, merged
from mmd.domain.heads import winners
from mmd.domain.register import SourceRegister
from streams.contracts.claims import Group, GroupMembers, Membership
from streams.contracts.documents import GroupDocument, MemberEntry


def derive_group(
    key: str, claims: Sequence[LoggedClaim], register: SourceRegister, person_id_of: Callable[[str], str]
) -> GroupDocument:
    """The document of the group `key` (see `streams.contracts.claims.group_key`). Claims and `person_id_of` as for
    `derive_person`; ids of members may be aliases. Depends on the set of claims and the register alone."""
    candidates = designated((w for w in winners(claims) if w.subject == key), register, {})
    base, members = of_system(candidates.get("group")), of_system(candidates.get("group-members"))
    body = base.claim.body if base and isinstance(base.claim.body, Group) else Group()
    listed = members.claim.body if members and isinstance(members.claim.body, GroupMembers) else GroupMembers()
    return GroupDocument(
        id=key,
        stamp=stamp_of(base) if base else None,
        periods=merged(body.periods),
        names=dated_names(body.names, stamp_of(base)) if base else (),
        group_type=body.group_type,
        unit=body.unit,
        members=_members(listed.members, person_id_of),
        members_stamp=stamp_of(members) if members else None,
    )


def _members(listed: Sequence[Membership], person_id_of: Callable[[str], str]) -> tuple[MemberEntry, ...]:
    found = {
        MemberEntry(person_id_of(one.subject), one.persona_type, one.persona, one.valid_from, one.valid_to)
        for one in listed
        if one.subject and (one.valid_to is None or one.valid_from <= one.valid_to)
    }
    return in_order(found)


def in_order(members: "set[MemberEntry]") -> tuple[MemberEntry, ...]:
    """A total order that tells nothing but what the entries hold."""
    return tuple(
        sorted(
            members,
            key=lambda one: (
                *(one.person, one.persona_type, one.persona),
                *(one.valid_from or dt.date.min, one.valid_to or dt.date.max),
            ),
        )
    )
