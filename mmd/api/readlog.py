"""The read log: which reader was given which attribute groups of whom, when and on what occasion (GDPR, article 15)."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg
import psycopg_pool

from mmd.api.metrics import DISCLOSURES
from mmd.api.services import Reading, Services
from mmd.domain.disclosure import People
from mmd.domain.prefill import FormField
from mmd.domain.references import persons_in
from streams.contracts.documents import GroupDocument, LegalOrganisationDocument, PersonDocument, Thing

Pool = psycopg_pool.ConnectionPool[psycopg.Connection]

_INSERT = """
insert into mmd.disclosure (release, person, occasion, attribute_groups, restricted, at)
select %s, n.person, %s, string_to_array(n.groups, ' '), n.restricted, %s
from unnest(%s::text[], %s::text[], %s::boolean[]) with ordinality as n (person, groups, restricted, place) order by n.place
"""

_GROUPS: Mapping[str, str] = {
    "birth": "birth",
    "status": "status",
    "quarantined": "status",
    "assurance": "assurance",
    "names": "names",
    "agreed_name": "agreed-name",
    "work_phone": "work-phone",
    "registered_addresses": "registered-addresses",
    "special_address": "special-address",
    "guardians": "guardians",
    "wards": "wards",
    "personas": "personas",
    "marking": "marking",
    "marking_stamps": "marking",
}
"""The attribute of a release that each field of an answer stands for. Numbers and accounts are told apart below."""

FILLED_FROM: Mapping[str, tuple[str, ...]] = {
    "given-name": ("names",),
    "middle-name": ("names",),
    "family-name": ("names",),
    "call-name": ("names",),
    "full-name": ("names",),
    "number": ("numbers",),
    "birth-date": ("birth",),
    "care-of": ("special-address", "registered-addresses"),
    "street": ("special-address", "registered-addresses"),
    "postal-code": ("special-address", "registered-addresses"),
    "locality": ("special-address", "registered-addresses"),
    "municipality-code": ("registered-addresses",),
    "work-phone": ("work-phone",),
}
"""The attributes that a form field may be filled from, the one that is taken first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One person in one answer. Never a value."""

    person: str
    groups: frozenset[str]
    restricted: bool


def groups_of(answer: PersonDocument) -> frozenset[str]:
    """The attributes of the release that an answer holds anything of."""
    found = {group for field, group in _GROUPS.items() if getattr(answer, field)}
    found |= {"numbers" if number.current else "number-history" for number in answer.numbers}
    if any(persona.accounts for persona in answer.personas):
        found.add("accounts")
    return frozenset(found)


def groups_of_fields(shown: PersonDocument, fields: Iterable[FormField]) -> frozenset[str]:
    """The attributes that form fields of this person were filled from."""
    held = groups_of(shown)
    wanted = (FILLED_FROM[field.attribute] for field in fields if field.attribute)
    return frozenset(group for one in wanted if (group := next((name for name in one if name in held), None)))


def entry(answer: PersonDocument) -> Entry:
    return Entry(answer.id, groups_of(answer), answer.restricted)


def entries_of(document: Thing, answer: Thing, people: People) -> list[Entry]:
    """The persons whom an answer about no person tells of: the members of a group that are shown, and the owner of a firm
    (`document` names it, the answer perhaps not). Who is shown to a reader that is not cleared is not marked; of the
    cleared it is not told here who is."""
    if isinstance(answer, GroupDocument):
        return [Entry(person, frozenset({"group-members"}), restricted=False) for person in persons_in(answer)]
    if isinstance(answer, LegalOrganisationDocument):
        groups = {"legal-organisations"} | ({"numbers"} if answer.owner else set())
        owners = (people[one].id if one in people else one for one in persons_in(document))
        return [Entry(person, frozenset(groups), restricted=False) for person in owners]
    return []


def log(given: Services, reading: Reading, occasion: str, entries: Iterable[Entry]) -> None:
    """Before the answer leaves: what cannot be logged is not answered."""
    count = record(given.pool, reading.id, occasion, reading.now, entries)
    given.meter.count(DISCLOSURES, count, release=reading.id)


def record(pool: Pool, release: str, occasion: str, at: dt.datetime, entries: Iterable[Entry]) -> int:
    """Write the entries down in one statement, committed when it returns; how many. `release` names who asked, `at` (UTC)
    is business time."""
    rows = sorted((one.person, " ".join(sorted(one.groups)), one.restricted) for one in entries)
    if rows:
        with pool.connection() as connection:
            connection.execute(_INSERT, [release, occasion, at, *map(list, zip(*rows, strict=True))])
    return len(rows)
