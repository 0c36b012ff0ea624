"""Groups by rule: which grant rules match the personas that an account rests on today."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iam.domain.account import Reason, WhyNot
from iam.domain.bases import AUTHORITY, Basis
from iam.domain.conditions import failing
from iam.domain.policy import GrantRule, Policy
from iam.domain.timeline import Phase
from iam.domain.world import World
from streams.contracts.claims import Segment
from streams.contracts.documents import Persona, PersonDocument, Stamp


@dataclass(frozen=True, slots=True)
class Grants:
    groups: frozenset[str]
    reasons: tuple[Reason, ...]
    why_not: tuple[WhyNot, ...]


def grants(
    person: PersonDocument, working: Iterable[Basis], target: str, world: World, policy: Policy, today: dt.date
) -> Grants:
    """What the working bases of one account give in one target. Every group has a reason; another persona's never
    counts, so that the end of one persona changes no grant with another basis."""
    reasons: list[Reason] = []
    why_not: list[WhyNot] = []
    for basis, rule in _pairs(working, policy, target):
        segment = basis.place.segment
        code = _refusal(rule, person, basis, segment, world, policy, today)
        if code or segment is None:
            why_not.append(WhyNot(rule.id, basis.persona.key, code or "closed"))
            continue
        filled = frozenset(group for group in (_fill(text, segment, world) for text in rule.groups) if group)
        groups = allowed(filled, basis)
        if groups != filled:
            why_not.append(WhyNot(rule.id, basis.persona.key, AUTHORITY))
        if groups:
            stamps = stamps_of(basis.persona, segment, world)
            reasons.append(Reason(rule.id, policy.version, basis.persona.key, stamps, groups))
        elif not filled:
            why_not.append(WhyNot(rule.id, basis.persona.key, "no-field"))
    groups = frozenset(group for reason in reasons for group in reason.groups)
    return Grants(groups, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(why_not)))


def allowed(groups: frozenset[str], basis: Basis) -> frozenset[str]:
    """Those that the authority of the basis does not refuse."""
    return frozenset(group for group in groups if not any(one.refuses_group(group) for one in basis.restrictions))


def stamps_of(persona: Persona, segment: Segment | None, world: World) -> tuple[Stamp, ...]:
    """The facts behind a reason: the persona's, and the unit's."""
    unit = world.units.get(segment.unit) if segment else None
    return (persona.stamp, unit.node_stamp) if unit and unit.node_stamp else (persona.stamp,)


def _pairs(working: Iterable[Basis], policy: Policy, target: str) -> Iterator[tuple[Basis, GrantRule]]:
    for basis in working:
        for rule in policy.grants:
            if (
                rule.persona is basis.persona.type
                and rule.account_class in ("", basis.key.account_class)
                and (not rule.targets or target in rule.targets)
            ):
                yield basis, rule


def _refusal(
    rule: GrantRule,
    person: PersonDocument,
    basis: Basis,
    segment: Segment | None,
    world: World,
    policy: Policy,
    today: dt.date,
) -> str | None:
    if not policy.in_force(rule, today):
        return "rule-not-in-force"
    if segment is None:
        return "closed"
    code = failing(rule.when, person, basis.persona, segment, world, basis.place.on)
    if code is None and rule.leave == "remove" and basis.place.phase is Phase.ON_LEAVE:
        return "on-leave"
    return code


def _fill(template: str, segment: Segment, world: World) -> str:
    """The group's name; empty where a field has no value."""
    name = template
    for field, value in (("{unit}", segment.unit), ("{responsibility}", world.responsibility(segment.unit))):
        if field in name:
            if not value:
                return ""
            name = name.replace(field, value)
    return name
