"""`disclose`: the one place where it is decided what a reader sees of a person. Every exit uses it. Deny by default."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from mmd.domain.personas import guardian_persona, main_order, main_persona
from mmd.domain.release import Marked, Release
from streams.contracts.claims import Marking
from streams.contracts.documents import (
    AccountEntry,
    AddressEntry,
    AssuranceEntry,
    NameEntry,
    NumberEntry,
    Persona,
    PersonaType,
    PersonDocument,
    RelationEntry,
    UnitDocument,
)
from streams.contracts.time import holds


@dataclass(frozen=True, slots=True)
class Known:
    """A person whom a document refers to, as the master knows that person now. `id`: the survivor of the id that was
    asked for; `unmarked`: the marking is NONE."""

    id: str
    unmarked: bool


People = Mapping[str, Known]
"""By the id that a document refers to. Who is not here has never been heard of, and counts as marked."""

_NOBODY: People = MappingProxyType({})


def disclose(
    document: PersonDocument,
    release: Release,
    on: dt.date,
    *,
    valid: dt.date | None = None,
    people: People = _NOBODY,
) -> PersonDocument | None:
    """What the reader sees of the person today (`on`, Swedish date); None: it may not know that the person exists.

    `document` holds today's marking, which decides for old dates too (see `under_todays_marking`). `valid` is the date
    whose values are asked for, today if not given; the release must be in force today whatever is asked. Of names,
    addresses and relations only what holds on that date is shown: former names and numbers are nobody's by default.
    Personas are whole, with what was and what is planned.
    `people` holds everybody whom the document refers to, see `mmd.domain.references.persons_in`: custody relations to
    those whose own marking is not NONE are left out unless the reader is cleared, so a caller that does not know
    discloses none. So are the days of such custody in the guardian's persona, and the persona where no day is left.
    Managers are left out likewise where the reader may not know of marked persons at all. Who is named is named by today's
    id: an earlier one would tell of a change of number.

    What is not released is empty. Of a person whose marking is not NONE a reader that is not cleared gets id, status,
    agreed name, personas and `restricted`, as far as released, and no reason. A reader with persona types or units gets
    the same bytes whether or not the person has other personas: agreed name and work phone, which HR says beside any
    employment, need the employee type and all units, wards the guardian type and all units; the stamps of numbers,
    markings and accounts, which may tell of another role, need all types and units. Ids of earlier numbers need them too,
    or a release that names them (`aliases`): one whose accounts must follow the person. The main persona is the main one
    of those that are shown.
    """
    marked = document.marking is None or document.marking.discloses_like_marked
    personas = _visible(document, release, people)
    if not _may_know(release, on, marked, bool(personas)):
        return None
    cleared = not marked or release.marked is Marked.CLEARED
    day = on if valid is None else valid
    allows = release.allows
    whole = release.covers_everybody
    shown = tuple(_shown(persona, release, cleared, people) for persona in personas) if allows("personas") else ()
    employee = release.covers_all(PersonaType.EMPLOYEE)
    return PersonDocument(
        id=document.id,
        aliases=document.aliases if whole or allows("aliases") else (),
        marking=document.marking if allows("marking") else None,
        marking_stamps=document.marking_stamps if allows("marking") and whole else (),
        restricted=marked,
        numbers=_numbers(document.numbers, release) if cleared else (),
        birth=document.birth if cleared and allows("birth") else None,
        status=document.status if allows("status") else None,
        assurance=_assurance(document.assurance, cleared=cleared) if allows("assurance") else None,
        names=_holding_names(document.names, day) if cleared and allows("names") else (),
        agreed_name=document.agreed_name if employee and allows("agreed-name") else None,
        work_phone=document.work_phone if cleared and employee and allows("work-phone") else None,
        registered_addresses=_holding_addresses(document.registered_addresses, day)
        if cleared and allows("registered-addresses") and document.marking is not Marking.SKYDDAD_FOLKBOKFORING
        else (),
        special_address=_special_address(document.special_address, day)
        if cleared and allows("special-address")
        else None,
        guardians=_relations(document.guardians, day, release, people) if cleared and allows("guardians") else (),
        wards=_relations(document.wards, day, release, people)
        if cleared and allows("wards") and release.covers_all(PersonaType.GUARDIAN)
        else (),
        personas=shown,
        main_persona=main_persona(shown, day),
        quarantined=document.quarantined if allows("status") else "",
    )


def under_todays_marking(then: PersonDocument, current: PersonDocument) -> PersonDocument:
    """A document as it was known earlier, to be disclosed today: with today's marking, and under skyddad folkbokföring
    without the addresses that were known before it. Of a marked person the agreed name and what accounts are called are
    today's: what the person went by before the marking may be the name that is protected now. A number that is superseded
    today counts as a former one."""
    skyddad = current.marking is Marking.SKYDDAD_FOLKBOKFORING
    numbers = {(entry.type, entry.value) for entry in current.numbers if entry.current}
    return msgspec.structs.replace(
        then,
        marking=current.marking,
        marking_stamps=current.marking_stamps,
        restricted=current.restricted,
        numbers=tuple(
            msgspec.structs.replace(entry, current=entry.current and (entry.type, entry.value) in numbers)
            for entry in then.numbers
        ),
        registered_addresses=() if skyddad else then.registered_addresses,
        special_address=current.special_address if skyddad else then.special_address,
        agreed_name=current.agreed_name if current.restricted else then.agreed_name,
        personas=_with_todays_accounts(then, current) if current.restricted else then.personas,
    )


def _with_todays_accounts(then: PersonDocument, current: PersonDocument) -> tuple[Persona, ...]:
    today = {persona.key: persona.accounts for persona in current.personas}
    return tuple(msgspec.structs.replace(one, accounts=today.get(one.key, ())) for one in then.personas)


def disclose_unit(document: UnitDocument, release: Release, on: dt.date) -> UnitDocument | None:
    """What the reader sees of an organisation unit: all of it, or None where its release does not cover the unit."""
    if not release.in_force(on) or (release.units is not None and document.id not in release.units):
        return None
    return document


def _may_know(release: Release, on: dt.date, marked: bool, has_persona: bool) -> bool:
    """Whether the reader may know of the person at all: the release is in force, and about such persons."""
    if not release.in_force(on) or (marked and release.marked is Marked.NOTHING):
        return False
    return has_persona or release.covers_everybody


def _visible(document: PersonDocument, release: Release, people: People) -> list[Persona]:
    """The personas of released types; within units, only their segments there, and of custody only the days with a ward
    who is told of. In an order that what is left out has no part in."""
    found = []
    for persona in document.personas:
        if not release.covers(persona.type):
            continue
        if persona.type is PersonaType.GUARDIAN:
            told = [entry for entry in document.wards if _told(entry, release, people)]
            days = guardian_persona(document.id, told)
            if days is None:
                continue
            persona = msgspec.structs.replace(persona, segments=days.segments)  # noqa: PLW2901
        if release.units is None:
            found.append(persona)
            continue
        here = tuple(segment for segment in persona.segments if segment.unit in release.units)
        if here:
            found.append(msgspec.structs.replace(persona, segments=here))
    return sorted(found, key=main_order)


def _told(entry: RelationEntry, release: Release, people: People) -> bool:
    """Whether the other person of a custody relation may be named to the reader at all."""
    known = people.get(entry.person)
    return release.marked is Marked.CLEARED or (known is not None and known.unmarked)


def _shown(persona: Persona, release: Release, cleared: bool, people: People) -> Persona:
    if any(segment.manager for segment in persona.segments):
        persona = _with_managers(persona, release, people)
    if not persona.accounts:
        return persona
    accounts: tuple[AccountEntry, ...] = ()
    if release.allows("accounts"):
        accounts = persona.accounts
        if not release.covers_everybody:  # one word of iam names every role served
            accounts = tuple(msgspec.structs.replace(account, stamp=None) for account in accounts)
        if not cleared:  # an address of mail may be made of the name
            accounts = tuple(msgspec.structs.replace(account, mail="") for account in accounts)
    return msgspec.structs.replace(persona, accounts=accounts)


def _with_managers(persona: Persona, release: Release, people: People) -> Persona:
    def named(manager: str) -> str:
        known = people.get(manager)
        if release.marked is Marked.NOTHING and (known is None or not known.unmarked):
            return ""
        return known.id if known else manager

    segments = tuple(msgspec.structs.replace(one, manager=named(one.manager)) for one in persona.segments)
    return msgspec.structs.replace(persona, segments=segments)


def _numbers(numbers: tuple[NumberEntry, ...], release: Release) -> tuple[NumberEntry, ...]:
    found = [entry for entry in numbers if release.allows("numbers" if entry.current else "number-history")]
    if release.covers_everybody:
        return tuple(found)
    return tuple(msgspec.structs.replace(entry, stamp=None) for entry in found)


def _assurance(entry: AssuranceEntry | None, *, cleared: bool) -> AssuranceEntry | None:
    """The level of a protected person is told, as the status is: it tells neither who nor where, and a right that asks for
    it must not end by a marking. Since when a number is dormant is not told."""
    return entry if entry is None or cleared else msgspec.structs.replace(entry, dormant_from=None)


def _holding_names(entries: tuple[NameEntry, ...], day: dt.date) -> tuple[NameEntry, ...]:
    return tuple(entry for entry in entries if holds(entry.valid_from, entry.valid_to, day))


def _holding_addresses(entries: tuple[AddressEntry, ...], day: dt.date) -> tuple[AddressEntry, ...]:
    return tuple(entry for entry in entries if holds(entry.valid_from, entry.valid_to, day))


def _special_address(entry: AddressEntry | None, day: dt.date) -> AddressEntry | None:
    return entry if entry is not None and holds(entry.valid_from, entry.valid_to, day) else None


def _relations(
    entries: tuple[RelationEntry, ...], day: dt.date, release: Release, people: People
) -> tuple[RelationEntry, ...]:
    found = []
    for entry in entries:
        known = people.get(entry.person)
        if _told(entry, release, people) and holds(entry.valid_from, entry.valid_to, day):
            found.append(msgspec.structs.replace(entry, person=known.id if known else entry.person))
    return tuple(
        sorted(found, key=lambda one: (one.person, one.valid_from or dt.date.min, one.valid_to or dt.date.max))
    )
