"""The bases of a person's accounts: which rule gives which account to which persona, and how far it goes today."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from iam.domain.account import Existence, WhyNot
from iam.domain.authority import AuthorityPolicy
from iam.domain.conditions import failing
from iam.domain.policy import AccountRule, Policy
from iam.domain.timeline import Phase, Place, place
from iam.domain.world import AccountKey, UnitState, World
from streams.contracts.documents import Persona, PersonDocument


@dataclass(frozen=True, slots=True)
class Basis:
    """A rule that applies to a persona, whatever the day. `existence`: what it gives today. `undecided`: a word of
    `WHY_NOT` where a fact is missing: what was is kept, and nothing is added. `code`: why it gives less than an
    enabled account, or empty. `rule` is the core's as narrowed by `restrictions`, the policies of the unit's authority."""

    key: AccountKey
    rule: AccountRule
    persona: Persona
    place: Place
    existence: Existence
    undecided: str = ""
    code: str = ""
    restrictions: tuple[AuthorityPolicy, ...] = ()

    @property
    def works(self) -> bool:
        """Whether it is in itself a reason for an enabled account with groups today."""
        return self.existence is Existence.ENABLED and not self.undecided


AUTHORITY = "authority"
"""The word of `WHY_NOT` for what the policy of the unit's legal authority refuses."""


def deceased(person: PersonDocument) -> bool:
    return person.status is not None and person.status.state == "deceased"


def bases(
    person: PersonDocument, world: World, policy: Policy, today: dt.date
) -> tuple[tuple[Basis, ...], tuple[WhyNot, ...]]:
    """In the order of the person's personas (the main one first) and of the rules; and the rules that do not apply."""
    found: list[Basis] = []
    refused: list[WhyNot] = []
    for persona, core in _candidates(person, policy):
        where = place(persona, today, policy.lead_of(core))
        strict = _restrictions(where, world, policy, today)
        rule = policy.narrowed(core, strict)
        if policy.lead_of(rule) != policy.lead_of(core):
            where = place(persona, today, policy.lead_of(rule))
        code = _refusal(rule, person, persona, where, world, policy, today) or _forbidden(person, rule, strict)
        if rule.targets != core.targets and not code:
            refused.append(WhyNot(rule.id, persona.key, AUTHORITY))
        if code:
            refused.append(WhyNot(rule.id, persona.key, code))
            continue
        key = AccountKey(person.id, persona.employer, rule.account_class)
        existence, reason = _reach(rule, person, where)
        undecided = _undecided(person, where, world) if existence is not Existence.LIMBO else ""
        found.append(Basis(key, rule, persona, where, existence, undecided, reason, strict))
        if undecided or reason:
            refused.append(WhyNot(rule.id, persona.key, undecided or reason))
    return tuple(found), tuple(refused)


def _restrictions(where: Place, world: World, policy: Policy, today: dt.date) -> tuple[AuthorityPolicy, ...]:
    if where.segment is None:
        return ()
    return policy.of_authority(world.authority(where.segment.unit, where.on), today)


def restricted_by(persona: Persona, world: World, policy: Policy, today: dt.date) -> tuple[AuthorityPolicy, ...] | None:
    """The policies of the authority where the persona stands today, or else of that where it stood last (or will stand
    first). None: the unit, or one above it, is not known, and nobody nearer names an authority."""
    begun = [segment for segment in persona.segments if segment.valid_from <= today]
    first = min(persona.segments, key=lambda one: one.valid_from, default=None)
    segment = persona.segment(today) or max(begun, key=lambda one: one.valid_from, default=first)
    if segment is None:
        return ()
    on = max(segment.valid_from, min(today, segment.valid_to or today))
    authority = world.authority(segment.unit, on)
    if not authority and world.state(segment.unit, on) is UnitState.UNKNOWN:
        return None
    return policy.of_authority(authority, today)


def _forbidden(person: PersonDocument, rule: AccountRule, strict: tuple[AuthorityPolicy, ...]) -> str | None:
    """Whether the authority leaves nothing of the rule."""
    status = person.status.state if person.status else ""
    if any(one.statuses and status not in one.statuses for one in strict) or (strict and not rule.targets):
        return AUTHORITY
    return None


def _candidates(person: PersonDocument, policy: Policy) -> Iterator[tuple[Persona, AccountRule]]:
    for persona in person.personas:
        for rule in policy.accounts:
            if rule.persona is persona.type:
                yield persona, rule


def _refusal(
    rule: AccountRule,
    person: PersonDocument,
    persona: Persona,
    where: Place,
    world: World,
    policy: Policy,
    today: dt.date,
) -> str | None:
    """Why the rule does not apply at all. A closed or cancelled persona has no segment to read conditions at: the rule
    then speaks of limbo only, and conditions do not matter."""
    if not policy.in_force(rule, today):
        return "rule-not-in-force"
    if where.segment is None:
        return None
    if rule.when.units and world.state(where.segment.unit, where.on) is UnitState.UNKNOWN:
        return None  # undecided, below
    return failing(rule.when, person, persona, where.segment, world, where.on)


def _reach(rule: AccountRule, person: PersonDocument, where: Place) -> tuple[Existence, str]:
    if deceased(person):
        return Existence.LIMBO, "deceased"
    match where.phase:
        case Phase.ACTIVE:
            return Existence.ENABLED, ""
        case Phase.ON_LEAVE:
            return (Existence.STAGED, "on-leave") if rule.leave == "suspend" else (Existence.ENABLED, "")
        case Phase.STAGED:
            return Existence.STAGED, "staged"
        case _:
            return Existence.LIMBO, where.phase.value


def _undecided(person: PersonDocument, where: Place, world: World) -> str:
    if person.quarantined:
        return "quarantined"
    if where.segment is None:
        return ""
    state = world.state(where.segment.unit, where.on)
    return "" if state is UnitState.KNOWN else state.value
