"""`desired`: the accounts and groups that a person shall have now, and why. Pure: facts in, intents out.

A timer never acts. Dates are read against `now`; `next_change` tells when to look again, `reads` what was looked at.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from iam.domain.account import AccountState, Existence, Intent, Presence, Reason, WhyNot
from iam.domain.bases import Basis, bases
from iam.domain.grants import Grants, grants, stamps_of
from iam.domain.policy import Policy
from iam.domain.profile import attributes, restricted
from iam.domain.timeline import boundaries, first_after
from iam.domain.world import (
    AccountKey,
    Given,
    Previous,
    World,
    managers_read,
    parents_of,
    person_thing,
    unit_boundaries,
    units_read,
)
from streams.contracts.documents import PersonDocument
from streams.contracts.time import local_date

Names = Mapping[AccountKey, Sequence[Given]]
"""Every account that the person has, by key; after a merge there may be two of one key, and both are kept."""

KEPT = "kept"
"""The rule id of groups that are kept because a fact is missing, see `Basis.undecided`."""


@dataclass(frozen=True, slots=True)
class DesiredAccount:
    """One account in one target."""

    account: Given
    target: str
    intent: Intent


@dataclass(frozen=True, slots=True)
class Desired:
    """`reads`: unit keys and `person:<id>` of whatever was looked at, whether it existed or not."""

    accounts: tuple[DesiredAccount, ...]
    next_change: dt.datetime | None
    reads: frozenset[str]


def wanted(person: PersonDocument, world: World, policy: Policy, now: dt.datetime) -> frozenset[AccountKey]:
    """The accounts that must have a key and names before `desired` can speak of them."""
    found, _ = bases(person, world, policy, local_date(now))
    return frozenset(
        basis.key
        for basis in found
        if basis.existence is not Existence.LIMBO and not basis.undecided and _targets(person, basis, policy)
    )


def served(person: PersonDocument, key: AccountKey, policy: Policy) -> tuple[str, ...]:
    """Keys of the personas that an account serves, whatever the day: those whose type has a rule of this class."""
    types = {rule.persona for rule in policy.accounts if rule.account_class == key.account_class}
    return tuple(sorted(p.key for p in person.personas if p.type in types and p.employer == key.employer))


def desired(person: PersonDocument, world: World, policy: Policy, names: Names, now: dt.datetime) -> Desired:
    """Deterministic; every group has a reason; nothing but the masked profile of a restricted person."""
    today = local_date(now)
    found, why_not = bases(person, world, policy, today)
    accounts: list[DesiredAccount] = []
    for key in sorted(names, key=lambda k: (k.employer, k.account_class)):
        mine = [basis for basis in found if basis.key == key]
        mine_not = tuple(w for w in why_not if w.rule in {r.id for r in policy.accounts if _is_of(r, key)})
        for given in names[key]:
            for target in _all_targets(mine, given, world):
                view = _View(person, world, policy, today, given, target)
                intent = view.intent(mine, mine_not)
                if intent is not None:
                    accounts.append(DesiredAccount(given, target, intent))
    units = _closure(person, world)
    days = [*boundaries(person, (policy.lead_of(rule) for rule in policy.accounts)), *policy.boundaries()]
    days += [day for unit in units if unit in world.units for day in unit_boundaries(world.units[unit])]
    reads = units | {person_thing(manager) for manager in managers_read(person)}
    return Desired(tuple(accounts), first_after(days, today), frozenset(reads))


def gone(names: Names, world: World, *, erased: bool) -> tuple[DesiredAccount, ...]:
    """Nothing is known of the person any more: every account there was is disabled and shows nothing but its uid.

    `erased`: that is urgent, as protection is. Else the person is withheld from us (the last employment is gone from a
    complete export, say): an end like any other, which the brake may hold."""
    return tuple(
        DesiredAccount(given, target, _bare(given, erased=erased))
        for key in sorted(names, key=lambda k: (k.employer, k.account_class))
        for given in names[key]
        for target in _all_targets((), given, world)
    )


def _bare(given: Given, *, erased: bool) -> Intent:
    state = AccountState(given.id, Presence.DISABLED, given.uid)
    why_not = (WhyNot("", "", "erased" if erased else "withheld"),)
    return Intent(state, given.salt, create_missing=False, protected=erased, why_not=why_not)


def _is_of(rule: object, key: AccountKey) -> bool:
    return getattr(rule, "account_class", "") == key.account_class


def _targets(person: PersonDocument, basis: Basis, policy: Policy) -> tuple[str, ...]:
    """Those of the rule that may hold this person at all."""
    masked = restricted(person)
    return tuple(t for t in basis.rule.targets if not masked or policy.targets[t].takes_restricted)


def _all_targets(mine: Sequence[Basis], given: Given, world: World) -> list[str]:
    """Where the rules want the account, and where it was."""
    known = {target for account, target in world.previous if account == given.id}
    return sorted(known.union(*(basis.rule.targets for basis in mine)))


def _closure(person: PersonDocument, world: World) -> frozenset[str]:
    """The units that the person names and everything above them, at any time."""
    found: set[str] = set()
    waiting = set(units_read(person))
    while waiting:
        unit = waiting.pop()
        if unit not in found:
            found.add(unit)
            document = world.units.get(unit)
            waiting |= parents_of(document) if document else set()
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _View:
    """One account in one target, and what its intent follows from."""

    person: PersonDocument
    world: World
    policy: Policy
    today: dt.date
    given: Given
    target: str

    @property
    def previous(self) -> Previous | None:
        return self.world.previous.get((self.given.id, self.target))

    def intent(self, mine: Sequence[Basis], why_not: tuple[WhyNot, ...]) -> Intent | None:
        """None: there is nothing to say, the account is not in this target and shall not be."""
        masked = restricted(self.person)
        here = [basis for basis in mine if self.target in basis.rule.targets]
        rule = self.policy.targets.get(self.target)
        if rule is None or (masked and not rule.takes_restricted):
            why_not += tuple(WhyNot(basis.rule.id, basis.persona.key, "protected-hosting") for basis in here if rule)
            here = []
        existence = max((self._existence(basis) for basis in here), default=Existence.LIMBO)
        if existence is Existence.LIMBO and self.previous is None:
            return None
        main = next((b for b in here if existence is not Existence.LIMBO and self._existence(b) is existence), None)
        given = self._grants(here, existence)
        state = AccountState(
            self.given.id,
            Presence.ENABLED if existence is Existence.ENABLED else Presence.DISABLED,
            self.given.uid,
            attributes(self.person, main, self.given, self.world, self.policy, self.previous),
            given.groups,
        )
        account_reasons = tuple(self._reason(basis) for basis in here if self._existence(basis) is not Existence.LIMBO)
        return Intent(
            state,
            self.given.salt,
            create_missing=existence is not Existence.LIMBO,
            protected=masked,
            reasons=(*account_reasons, *given.reasons),
            why_not=(*why_not, *given.why_not),
        )

    def _existence(self, basis: Basis) -> Existence:
        """Of an undecided basis: what was, and never more than it would give."""
        if not basis.undecided:
            return basis.existence
        return min(basis.existence, self.previous.existence if self.previous else Existence.LIMBO)

    def _reason(self, basis: Basis) -> Reason:
        stamps = stamps_of(basis.persona, basis.place.segment, self.world)
        return Reason(basis.rule.id, self.policy.version, basis.persona.key, stamps)

    def _grants(self, here: Sequence[Basis], existence: Existence) -> Grants:
        if existence is not Existence.ENABLED:
            return Grants(frozenset(), (), ())
        working = [basis for basis in here if basis.works]
        by_rule = grants(self.person, working, self.target, self.world, self.policy, self.today)
        kept = tuple(self._kept(here, by_rule))
        return Grants(
            by_rule.groups.union(*(reason.groups for reason in kept)), (*by_rule.reasons, *kept), by_rule.why_not
        )

    def _kept(self, here: Sequence[Basis], by_rule: Grants) -> Iterator[Reason]:
        """While a fact of a basis is missing, the groups that the account had stay."""
        old = (self.previous.groups if self.previous else frozenset()) - by_rule.groups
        waiting = next((b for b in here if b.undecided and b.existence is Existence.ENABLED), None)
        if old and waiting:
            rule = f"{KEPT}:{waiting.undecided}"
            yield Reason(rule, self.policy.version, waiting.persona.key, (waiting.persona.stamp,), old)
