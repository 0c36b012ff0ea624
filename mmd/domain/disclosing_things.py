"""What a reader sees of a unit, place, group or legal organisation: the part of `disclose` that is about no person.

Deny by default: places, groups and legal organisations need an attribute of the release each. A group tells of a person no
more than the reader may know: that somebody is in a class is told neither of the protected nor of those who have no
persona of a type that the release covers.
"""

import datetime as dt
from collections.abc import Iterable

import msgspec

from mmd.domain.disclosure import People, disclose_unit
from mmd.domain.group import in_order
from mmd.domain.release import Marked, Release
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    MemberEntry,
    PlaceDocument,
    Thing,
    UnitDocument,
)


def disclose_thing(document: Thing, release: Release, on: dt.date, people: People) -> Thing | None:
    """What the reader sees today (`on`, Swedish date); None: it may not know that the thing exists.

    `people` holds everybody whom the document refers to, see `mmd.domain.references.persons_in`.
    """
    if not release.in_force(on):
        return None
    match document:
        case UnitDocument():
            return disclose_unit(document, release, on)
        case PlaceDocument():
            return _place(document, release)
        case GroupDocument():
            return _group(document, release, people)
        case LegalOrganisationDocument():
            return _legal_organisation(document, release, people)


def _place(document: PlaceDocument, release: Release) -> PlaceDocument | None:
    """A restricted place is for the cleared only. Within units, a place of those units, and only they are told."""
    if not release.allows("places") or (document.restricted and release.marked is not Marked.CLEARED):
        return None
    if release.units is None:
        return document
    units = tuple(one for one in document.units if one.unit in release.units)
    return msgspec.structs.replace(document, units=units) if units else None


def _group(document: GroupDocument, release: Release, people: People) -> GroupDocument | None:
    if not release.allows("groups") or (release.units is not None and document.unit not in release.units):
        return None
    tells = release.allows("group-members")
    members = in_order(set(_members(document.members, release, people))) if tells else ()
    shown = msgspec.structs.replace(document, members=members)
    if tells and release.persona_types is None and release.marked is Marked.CLEARED:
        return shown
    # A source says a group and its list in one breath: when that was tells of members who are not shown.
    names = tuple(msgspec.structs.replace(name, stamp=None) for name in document.names)
    return msgspec.structs.replace(shown, names=names, stamp=None, members_stamp=None)


def _members(members: Iterable[MemberEntry], release: Release, people: People) -> Iterable[MemberEntry]:
    """By the ids that the persons have today: an earlier one would tell of a change of number."""
    cleared = release.marked is Marked.CLEARED
    for one in members:
        known = people.get(one.person)
        if release.persona_types is not None and one.persona_type not in release.persona_types:
            continue
        if cleared or (known is not None and known.unmarked):
            yield msgspec.structs.replace(one, person=known.id if known else one.person)


def _legal_organisation(
    document: LegalOrganisationDocument, release: Release, people: People
) -> LegalOrganisationDocument | None:
    """A sole trader's data are the person's: of a protected owner only the cleared know. The number, which is a
    personnummer, and whose it is are told to readers of numbers about everybody, in all roles and units."""
    if not release.allows("legal-organisations"):
        return None
    if not document.owner:
        return document
    owner = people.get(document.owner)
    if release.marked is not Marked.CLEARED and (owner is None or not owner.unmarked):
        return None
    if not release.allows("numbers") or not release.covers_everybody:
        return msgspec.structs.replace(document, number=None, owner="")
    return msgspec.structs.replace(document, owner=owner.id if owner else document.owner)
