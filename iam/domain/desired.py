"""`desired`: the accounts and groups that a person shall have now, and why. Pure: facts in, intents out.

A timer never acts. Dates are read against `now`; `next_change` tells when to look again, `reads` what was looked at.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from iam.domain.account import AccountState, Existence, Intent, Presence, Reason, WhyNot
from iam.domain.authority import AuthorityPolicy
from iam.domain.bases import Basis, bases, restricted_by
from iam.domain.grants import Grants, allowed, grants, stamps_of
from iam.domain.policy import Policy
from iam.domain.profile import attributes, restricted
from iam.domain.serving import awaits, served, shares
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
from streams.contracts.documents import Persona, PersonaType, PersonDocument
from streams.contracts.time import local_date

Names = Mapping[AccountKey, Sequence[Given]]
"""Every account that the person has, by key, the oldest first; after a merge there may be two of one key."""

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


def desired(person: PersonDocument, world: World, policy: Policy, names: Names, now: dt.datetime) -> Desired:
    """Deterministic; every group has a reason; nothing but the masked profile of a restricted person."""
    today = local_date(now)
    found = bases(person, world, policy, today)
    accounts: list[DesiredAccount] = []
    waits: list[dt.datetime] = []
    for key in sorted(names, key=lambda k: (k.employer, k.account_class)):
        personas = served(person, key, policy)
        share = shares(names[key], personas, today)
        for given in names[key]:
            until = awaits(given, personas, now)
            if until is not None:
                waits.append(until)
                continue
            elsewhere = frozenset(p.key for p in personas) - frozenset(share[given.id])
            mine, mine_not = _of_account(key, given, elsewhere, found, policy)
            for target in _all_targets(mine, given, world):
                view = _View(person, world, policy, today, given, target, key.account_class, personas)
                intent = view.intent(mine, mine_not)
                if intent is not None:
                    accounts.append(DesiredAccount(given, target, intent))
    units = _closure(person, world)
    days = [*boundaries(person, policy.leads), *policy.boundaries()]
    days += [day for unit in units if unit in world.units for day in unit_boundaries(world.units[unit])]
    reads = units | {person_thing(manager) for manager in managers_read(person)}
    return Desired(tuple(accounts), _earliest(first_after(days, today), *waits), frozenset(reads))


def _of_account(
    key: AccountKey,
    given: Given,
    elsewhere: frozenset[str],
    found: tuple[tuple[Basis, ...], tuple[WhyNot, ...]],
    policy: Policy,
) -> tuple[list[Basis], tuple[WhyNot, ...]]:
    """What this account rests on, and what gives it nothing. `elsewhere`: personas that another account of the same key
    serves; while a fact about one is missing, an account that ever served it keeps what it had."""
    all_bases, refused = found
    of_key = [basis for basis in all_bases if basis.key == key]
    mine = [
        basis
        for basis in of_key
        if basis.persona.key not in elsewhere or (basis.undecided and basis.persona.key in given.served)
    ]
    rules = {rule.id for rule in policy.accounts if rule.account_class == key.account_class}
    others = tuple(
        WhyNot(basis.rule.id, basis.persona.key, "other-account")
        for basis in of_key
        if basis.existence is not Existence.LIMBO and basis not in mine
    )
    return mine, (*(one for one in refused if one.rule in rules and one.persona not in elsewhere), *others)


def gone(names: Names, world: World, now: dt.datetime, *, erased: bool) -> Desired:
    """Nothing is known of the person any more: every account there was is disabled and shows nothing but its uid.

    `erased`: every account is removed instead, which is urgent, as protection is. Else the person is withheld from us (the
    last employment is gone from a complete export, say): an end like any other, which the brake may hold; an account that a
    redirect has just brought waits for what is said of the two of them."""
    accounts: list[DesiredAccount] = []
    waits: list[dt.datetime] = []
    for key in sorted(names, key=lambda k: (k.employer, k.account_class)):
        for given in names[key]:
            until = None if erased else awaits(given, (), now)
            if until is not None:
                waits.append(until)
                continue
            bare = _bare(given, erased=erased)
            accounts += [DesiredAccount(given, target, bare) for target in _all_targets((), given, world)]
    return Desired(tuple(accounts), _earliest(*waits), frozenset())


def _earliest(*moments: dt.datetime | None) -> dt.datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _bare(given: Given, *, erased: bool) -> Intent:
    state = AccountState(given.id, Presence.ABSENT) if erased else AccountState(given.id, Presence.DISABLED, given.uid)
    why_not = (WhyNot("", "", "erased" if erased else "withheld"),)
    return Intent(state, given.salt, create_missing=False, protected=erased, why_not=why_not)


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
    account_class: str
    personas: Sequence[Persona]

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
            self._attributes(main, here),
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

    def _attributes(self, main: Basis | None, here: Sequence[Basis]) -> Mapping[str, str]:
        """Without what any authority withholds whose persona this account serves here."""
        rules = [rule for rule in self.policy.accounts if rule.account_class == self.account_class]
        shown = attributes(
            self.person,
            main,
            self.given,
            self.world,
            self.policy,
            self.previous,
            of_employees=any(rule.persona is PersonaType.EMPLOYEE for rule in rules),
        )
        withheld = self._withheld(main, here)
        if withheld is None:
            kept = {"display_name", *(self.previous.attributes if self.previous else ())}
            return {name: value for name, value in shown.items() if name in kept}
        return {name: value for name, value in shown.items() if name not in withheld}

    def _withheld(self, main: Basis | None, here: Sequence[Basis]) -> frozenset[str] | None:
        """Attributes that authorities withhold. Where nothing gives the account any more they are those of every persona
        that it served: what was withheld at work does not come out when the work ends. None: it is not known whose the
        units are; what was shown before may go on, and nothing is added."""
        if not self.policy.authorities:
            return frozenset()
        found: list[tuple[AuthorityPolicy, ...] | None] = []
        if main is None:
            found += [self._of_authority(persona) for persona in self._served()]
        for basis in here if main else ():
            if basis.existence is not Existence.LIMBO:
                found.append(self._of_authority(basis.persona) if basis.undecided else basis.restrictions)
        if not found or any(one is None for one in found):
            return None
        return frozenset(name for several in found for one in several or () for name in one.withheld)

    def _served(self) -> Iterator[Persona | None]:
        """The personas that this account serves or ever served; None for one that is not in the document any more."""
        known = {persona.key: persona for persona in self.personas}
        yield from (known.get(key) for key in self.given.served or known)

    def _of_authority(self, persona: Persona | None) -> tuple[AuthorityPolicy, ...] | None:
        return None if persona is None else restricted_by(persona, self.world, self.policy, self.today)

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
        """While a fact of a basis is missing, the groups that the account had from that very persona stay."""
        left = (self.previous.groups if self.previous else frozenset()) - by_rule.groups
        for basis in here:
            if self.previous and basis.undecided and basis.existence is Existence.ENABLED:
                mine = allowed(left & self.previous.given_by(basis.persona.key), basis)
                left -= mine
                if mine:
                    rule = f"{KEPT}:{basis.undecided}"
                    yield Reason(rule, self.policy.version, basis.persona.key, (basis.persona.stamp,), mine)
