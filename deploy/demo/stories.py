"""What happens to the cast, in order: who, what the sources send, and what must be true when it is done."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.targets.port import Presence
from deploy.municipality import cast as roles
from deploy.municipality.cast import Cast, Member, NativeFile
from deploy.municipality.changes import AGREED_NAME, NEW_FAMILY_NAME, Changes
from deploy.readings import Readings
from streams.clock import today
from streams.contracts.claims import Marking

DIRECTORY, CLOUD = "directory", "collaboration"


@dataclass(frozen=True, slots=True)
class Story:
    """`told` is a sentence or two about {name}: who says it, and what follows. `happens` writes the source files of the
    change; `wrong` tells what is not as it should be afterwards."""

    role: str
    title: str
    told: str
    happens: Callable[[Changes, dt.datetime], Sequence[NativeFile]]
    wrong: Callable[[Readings, Cast, Member], list[str]]


@dataclass(slots=True)
class Told:
    """A story that was played. `seconds` is from the stamp of the source's record to the last read-back in a target;
    None where no target had anything to do."""

    story: Story
    stamp: dt.datetime
    seconds: float | None
    wrong: list[str]


def _is(readings: Readings, member: Member, target: str, presence: Presence) -> list[str]:
    observed = readings.account(member.number, target)
    found = observed.state.presence if observed else Presence.ABSENT
    return [] if found is presence else [f"the account in {target} is {found.value}, not {presence.value}"]


def _shows(readings: Readings, member: Member, target: str, attribute: str, want: str) -> list[str]:
    observed = readings.account(member.number, target)
    found = observed.state.attributes.get(attribute, "") if observed else ""
    return [] if found == want else [f"{target} does not show the {attribute} that it should"]


def _joined(readings: Readings, cast: Cast, member: Member) -> list[str]:
    name = f"{member.person.call_name} {member.person.family}"
    return _is(readings, member, DIRECTORY, Presence.ENABLED) + _shows(
        readings, member, DIRECTORY, "display_name", name
    )


def _moved(readings: Readings, cast: Cast, member: Member) -> list[str]:
    observed = readings.account(member.number, DIRECTORY)
    groups = observed.state.groups if observed else frozenset()
    old = f"org:unit:kommun:{member.job.unit}" if member.job else ""
    found = _is(readings, member, DIRECTORY, Presence.ENABLED)
    found += ["a right of the old unit is left"] if old in groups else []
    return found + ([] if "role:chef" in groups else ["the role of manager is missing"])


def _left(readings: Readings, cast: Cast, member: Member) -> list[str]:
    observed = readings.account(member.number, DIRECTORY)
    found = ["groups are left"] if observed and observed.state.groups else []
    return found + _is(readings, member, DIRECTORY, Presence.DISABLED) + _is(readings, member, CLOUD, Presence.DISABLED)


def _renamed(readings: Readings, cast: Cast, member: Member) -> list[str]:
    name = f"{member.person.call_name} {NEW_FAMILY_NAME}"
    return [line for target in (DIRECTORY, CLOUD) for line in _shows(readings, member, target, "display_name", name)]


def _refused(readings: Readings, cast: Cast, member: Member) -> list[str]:
    person = readings.person(member.number)
    conflicts = readings.reader.conflicts(today(readings.clock), person.id) if person else []
    name = f"{member.person.call_name} {member.person.family}"
    found = [] if any(one.source == "hr" and one.attribute == "name" for one in conflicts) else ["no conflict is shown"]
    return found + _shows(readings, member, DIRECTORY, "display_name", name)


def _marked(readings: Readings, cast: Cast, member: Member) -> list[str]:
    return _protected_as(readings, member, Marking.SEKRETESSMARKERING)


def _agreed(readings: Readings, cast: Cast, member: Member) -> list[str]:
    return _shows(readings, member, DIRECTORY, "display_name", AGREED_NAME)


def _protected(readings: Readings, cast: Cast, member: Member) -> list[str]:
    person = readings.person(member.number)
    found = ["a registered address is left"] if person and person.registered_addresses else []
    return found + _protected_as(readings, member, Marking.SKYDDAD_FOLKBOKFORING)


def _protected_as(readings: Readings, member: Member, marking: Marking) -> list[str]:
    person = readings.person(member.number)
    found = [] if person and person.marking is marking else ["the marking is not in the master"]
    found += _is(readings, member, DIRECTORY, Presence.ENABLED) + _is(readings, member, CLOUD, Presence.DISABLED)
    own = (member.person.family, member.person.street)
    return found + [f"name or address can be read in {place}" for place in readings.leaks.find(*own)]


STORIES: tuple[Story, ...] = (
    Story(
        roles.JOINER,
        "A joiner",
        "{name} moves in, says the population register, and starts work today, says the HR system. She gets one account"
        " in each target, with the rights of her unit and her work.",
        lambda changes, now: changes.joiner(now),
        _joined,
    ),
    Story(
        roles.MOVER,
        "A mover",
        "{name} is the manager of another unit from today, says the HR system. The accounts stay, the rights are new,"
        " and nothing is left of the old ones.",
        lambda changes, now: changes.mover(now),
        _moved,
    ),
    Story(
        roles.LEAVER,
        "A leaver",
        "{name} worked for the last time yesterday, says the HR system. The accounts are disabled at once in every"
        " target, and every right is gone.",
        lambda changes, now: changes.leaver(now),
        _left,
    ),
    Story(
        roles.NAME_CHANGER,
        "A new name",
        "{name} has a new family name, says the population register. Every target shows it, and nobody entered it again.",
        lambda changes, now: changes.name_change(now),
        _renamed,
    ),
    Story(
        roles.CONFLICT,
        "A value from the wrong source",
        "The HR system sends another family name for {name}. Names belong to the population register, so this one is"
        " refused, its value is not kept, and the information owner is shown that the two differ.",
        lambda changes, now: changes.hr_conflict(now),
        _refused,
    ),
    Story(
        roles.MARKED,
        "A sekretessmarkering (protected personal data)",
        "An employee gets a sekretessmarkering, says the population register. The work goes on, and the name is gone"
        " from every place that is not cleared for it.",
        lambda changes, now: changes.sekretessmarkering(now),
        _marked,
    ),
    Story(
        roles.MARKED,
        "An agreed name",
        "The same employee and the employer agree on a name to show, says the HR system. It is the only name that is"
        " ever shown.",
        lambda changes, now: changes.agreed_name(now),
        _agreed,
    ),
    Story(
        roles.PROTECTED,
        "Skyddad folkbokföring (a protected address)",
        "An employee gets skyddad folkbokföring, says the population register. The old address is withheld from now on,"
        " for old dates too.",
        lambda changes, now: changes.skyddad_folkbokforing(now),
        _protected,
    ),
)
