"""Source, master and target side by side (R-07): what the source said, what the master made of it, what the target holds."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from connectors.targets.port import Observed
from deploy.readings import Readings
from mmd.domain.claims import LoggedClaim
from mmd.domain.heads import winners
from mmd.domain.personas import main_persona
from mmd.domain.release import Marked, Release
from streams.clock import today
from streams.contracts.claims import Marking, Name, Protection, RegisteredAddress, Role, Segment, persona_key
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Unavailable
from streams.contracts.time import STOCKHOLM, holds

Said = TypeVar("Said", Name, Protection, RegisteredAddress)


@dataclass(frozen=True, slots=True)
class Row:
    """`origin` is the source with the time of its record. An empty cell: that side does not hold this."""

    what: str
    source: str
    master: str
    targets: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""


ATTRIBUTE_OF = {"name": "names", "marking": "marking", "address": "registered-addresses"}
"""The attribute of a release that a row of the report tells; all others tell of the employment."""
OF_WORK = "personas"
HIDDEN = "(protected)"
AWAY = "(does not answer)"
_LOCAL_STAMPS = frozenset({"navet"})
"""Sources that stamp in Swedish local time; the others of ours stamp in UTC (docs/formats)."""


def side_by_side(readings: Readings, number: str, *, cleared: bool = False) -> list[Row]:
    """`rows_of` the person with this number; empty for an unknown person."""
    person = readings.person(number)
    return [] if person is None else rows_of(readings, person, cleared=cleared)


def rows_for(readings: Readings, person: PersonDocument, release: Release) -> list[Row]:
    """`rows_of` as far as a reader under the release is told of them. `person`: with the personas that are shown to it.

    What targets hold is made of all roles that an account serves: a reader of some roles or units is not told of it."""
    rows = rows_of(readings, person, cleared=release.marked is Marked.CLEARED)
    told = [row for row in rows if release.allows(ATTRIBUTE_OF.get(row.what, OF_WORK))]
    if release.covers_everybody:
        return told
    return [replace(row, targets={}) for row in told if row.what != "groups"]


def rows_of(readings: Readings, person: PersonDocument, *, cleared: bool = False) -> list[Row]:
    """The rows of one person: name, marking, address, title, unit, state, groups.

    The source column is read from the claims as they were logged, the master column from the document, the target
    columns from the targets themselves: three readings of three places. Of a person whose marking is not NONE, name, address
    and which marking it is are shown as `HIDDEN` unless the reader is cleared. A target that does not answer says so in the
    first row.
    """
    hide = not cleared and person.marking is not Marking.NONE
    claims = winners(readings.reader.claims(person.id))
    targets, away = _in_targets(person.id, readings)
    first, *others = _person_rows(person, claims, targets, today(readings.clock), hide=hide)
    first = replace(first, targets={**first.targets, **dict.fromkeys(away, AWAY)})
    return [first, *others, *_work_rows(person, claims, targets, readings)]


def _in_targets(person: str, readings: Readings) -> "tuple[dict[str, Observed | None], list[str]]":
    """What each target that answers has of a person, and those that do not."""
    found: dict[str, Observed | None] = {}
    away: list[str] = []
    for name in readings.targets:
        try:
            found[name] = readings.account_of(person, name)
        except Unavailable:
            away.append(name)
    return found, away


def source_time(source: str, version: str) -> str:
    """The stamp at the head of a version (`YYYYMMDDhhmmss`, then what the source adds) as Swedish local time to the
    minute; a version that does not begin with a stamp is shown as it is."""
    head = version.partition("|")[0][:14]
    try:
        told = dt.datetime.strptime(head, "%Y%m%d%H%M%S")  # noqa: DTZ007  (its zone is the source's, next line)
    except ValueError:
        return version.partition("|")[0]
    instant = told.replace(tzinfo=STOCKHOLM if source in _LOCAL_STAMPS else dt.UTC)
    return f"{instant.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"


_Targets = Mapping[str, Observed | None]


def _shown(targets: _Targets, attribute: str) -> dict[str, str]:
    return {name: got.state.attributes.get(attribute, "") for name, got in targets.items() if got is not None}


def _person_rows(
    person: PersonDocument, claims: Sequence[LoggedClaim], targets: _Targets, on: dt.date, *, hide: bool
) -> Iterator[Row]:
    names = [n for n in person.names if holds(n.valid_from, n.valid_to, on)]
    master = f"{names[-1].call_name or names[-1].given} {names[-1].family}" if names else ""
    name = _last(claims, Name)
    said = f"{name[0].call_name or name[0].given} {name[0].family}" if name else ""
    shown = _shown(targets, "display_name")
    if hide:  # a target that still shows the name is a leak, which is not made worse here
        own = {part.casefold() for n in person.names for part in (n.given, n.family, n.call_name) if part}
        agreed = person.agreed_name.value if person.agreed_name else ""
        shown = {name: text if text == agreed or not _tells(text, own) else HIDDEN for name, text in shown.items()}
    yield Row("name", *_masked(said, master, hide=hide), shown, name[1] if name else "")
    marking = _last(claims, Protection)
    held = person.marking.value if person.marking else ""
    spoken = marking[0].marking.value if marking else ""
    yield Row("marking", *_masked(spoken, held, hide=hide), {}, marking[1] if marking else "")
    addresses = [a for a in person.registered_addresses if holds(a.valid_from, a.valid_to, on)]
    address = _last(claims, RegisteredAddress)
    street = addresses[-1].address.street if addresses else ""
    told = address[0].address.street if address else ""
    yield Row("address", *_masked(told, street, hide=hide), {}, address[1] if address else "")


def _work_rows(
    person: PersonDocument, claims: Sequence[LoggedClaim], targets: _Targets, readings: Readings
) -> list[Row]:
    on = today(readings.clock)
    main = main_persona(person.personas, on)
    persona = next((p for p in person.personas if p.key == main and p.employer), None)
    persona = persona or next((p for p in person.personas if p.employer), None)
    if persona is None:
        return []
    segment = persona.segment(on) or max(persona.segments, key=lambda s: s.valid_from, default=None)
    said, origin = _said(claims, persona.key, segment)
    unit = readings.reader.unit(segment.unit) if segment else None
    named = next((n.name for n in unit.names if holds(n.valid_from, n.valid_to, on)), "") if unit else ""
    present = {name: got.state.presence.value for name, got in targets.items() if got is not None}
    groups = {name: ", ".join(sorted(got.state.groups)) for name, got in targets.items() if got is not None}
    return [
        Row("title", said.title if said else "", segment.title if segment else "", _shown(targets, "title"), origin),
        Row("unit", said.unit if said else "", named, _shown(targets, "department"), origin),
        Row("state", _span(said), persona.state(on), present, origin),
        Row("groups", "", "", groups),
    ]


def _tells(text: str, names: Collection[str]) -> bool:
    return any(name in text.casefold() for name in names)


def _masked(source: str, master: str, *, hide: bool) -> tuple[str, str]:
    return (HIDDEN if source and hide else source), (HIDDEN if master and hide else master)


def _last(claims: Sequence[LoggedClaim], kind: type[Said]) -> tuple[Said, str] | None:
    """What was said last of a kind, and by whom: source and stamp."""
    found = [(logged, logged.claim.body) for logged in claims]
    of_kind = [(logged, body) for logged, body in found if isinstance(body, kind)]
    if not of_kind:
        return None
    logged, body = max(of_kind, key=lambda one: (one[0].version, one[0].digest))
    return body, _origin(logged)


def _origin(logged: LoggedClaim) -> str:
    return f"{logged.source} {source_time(logged.source, logged.version)}".strip()


def _said(claims: Sequence[LoggedClaim], persona: str, segment: Segment | None) -> tuple[Segment | None, str]:
    """The segment as the source said it that holds on the same days."""
    for logged in claims:
        body = logged.claim.body
        if not isinstance(body, Role) or segment is None:
            continue
        if persona_key(logged.claim.kind, body.employer, body.source_id) == persona:
            for one in body.segments:
                if one.valid_from <= segment.valid_from and holds(one.valid_from, one.valid_to, segment.valid_from):
                    return one, _origin(logged)
    return None, ""


def _span(segment: Segment | None) -> str:
    if segment is None:
        return ""
    return f"{segment.valid_from} to {segment.valid_to or 'further notice'}"
