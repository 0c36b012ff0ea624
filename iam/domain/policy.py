"""The provisioning policy: which persona gives which accounts and groups, as versioned, dated data.

Written as YAML by the municipality; see deploy/config/policy.yml for one. `Policy.from_data` refuses whatever it does
not know, with the path of the mistake, so that a misspelt condition never opens a door.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from iam.domain.authority import AuthorityPolicy
from streams.contracts.documents import PersonaType
from streams.contracts.errors import Rejected
from streams.contracts.time import day_after, holds

ATTRIBUTES = ("display_name", "given_name", "family_name", "title", "department", "mail", "eppn", "manager")
"""Canonical account attributes that a policy may ask for."""

NEVER_MASKED = frozenset({"given_name", "family_name"})
"""The registered name of a restricted person is not a matter of policy: it is left out, always."""

WITHHOLDABLE = frozenset(ATTRIBUTES) - {"display_name"}
"""What an authority may have left out; an account must be called something."""

_FIELD = re.compile(r"\{([^}]*)\}")
_GROUP = re.compile(r"(org|role):[^\s,+\"\\<>;=#*()]+")
_GROUP_FIELDS = frozenset({"unit", "responsibility"})

PUPILS = frozenset({PersonaType.PUPIL, PersonaType.PRESCHOOL_CHILD, PersonaType.ADULT_STUDENT})
PUPILS_GROUP = ":pupils"
"""How every group of pupils ends, and no other: nobody is in a group of staff as a pupil, nor the other way round."""

RuleId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything in a policy: an unknown field is a mistake."""


class When(_Data, frozen=True):
    """Conditions; all that are given must hold, one of each list is enough.

    `units`: unit keys, the unit itself or any below it. `aid`: AID codes, `2070*` for all that start so. `titles`:
    *befattning* or office, compared without regard to case. `statuses`: register status of the person. `school_types`:
    *skolform*. `assurance`: how sure it must be at least who the person is (see `iam.domain.conditions.unassured`); a level
    that is not known never suffices. `dormant`: `refused` asks that the samordningsnummer is not declared dormant.
    """

    units: tuple[str, ...] = ()
    employers: tuple[str, ...] = ()
    aid: tuple[str, ...] = ()
    aid_responsibility: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    school_types: tuple[str, ...] = ()
    assurance: Literal["probable", "confirmed"] | None = None
    dormant: Literal["refused"] | None = None


class TargetRule(_Data, frozen=True):
    """A target system. `classification` is the decided information classification: without one it is not used (I13).
    `protected`: whether restricted persons may have accounts there; not given: in `onprem` hosting only."""

    hosting: Literal["onprem", "cloud"]
    classification: Annotated[str, msgspec.Meta(min_length=1)]
    protected: Literal["allowed", "refused"] | None = None

    @property
    def takes_restricted(self) -> bool:
        return self.hosting == "onprem" if self.protected is None else self.protected == "allowed"


class _Rule(_Data, frozen=True):
    id: RuleId
    persona: PersonaType
    when: When = When()
    targets: tuple[str, ...] = ()
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def in_force(self, on: dt.date) -> bool:
        """Inclusive at both ends."""
        return holds(self.valid_from, self.valid_to, on)


class AccountRule(_Rule, frozen=True, rename={"account_class": "class"}, kw_only=True):
    """A persona that matches has an account of this class. `lead_days`: staged (exists, disabled) so long before the
    start. `leave`: `keep` leaves it enabled during leave of absence, `suspend` disables it meanwhile."""

    account_class: RuleId
    lead_days: Days | None = None
    leave: Literal["keep", "suspend"] = "keep"


class GrantRule(_Rule, frozen=True, rename={"account_class": "class"}, kw_only=True):
    """A persona that matches gives its account these groups. Templates: `{unit}` (unit key) and `{responsibility}` (the
    unit's *ansvarskod*); a group whose field is empty is not given. No `targets`, no `class`: all."""

    groups: tuple[str, ...]
    account_class: str = ""
    leave: Literal["keep", "remove"] = "keep"


class Policy(_Data, frozen=True):
    """All of it. `lead_days` and `limbo_days` are defaults; `masked` is what is left of a restricted person's account.
    `authorities`: the stricter policies of the legal authorities, never part of the core's own file."""

    version: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    targets: dict[str, TargetRule]
    accounts: tuple[AccountRule, ...]
    grants: tuple[GrantRule, ...] = ()
    valid_from: dt.date | None = None
    lead_days: Days = 14
    limbo_days: Days = 30
    attributes: tuple[str, ...] = (
        "display_name",
        "given_name",
        "family_name",
        "title",
        "department",
        "eppn",
        "manager",
    )
    masked: tuple[str, ...] = ("display_name", "eppn")
    authorities: tuple[AuthorityPolicy, ...] = ()

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Policy":
        """The core policy. Raises `Rejected("input.invalid")` with the path of the first mistake."""
        if "authorities" in data:
            raise _wrong("authorities", "an authority's policy is the authority's own file")
        try:
            policy = msgspec.convert(dict(data), cls)
        except msgspec.ValidationError as error:
            raise Rejected("input.invalid", f"policy: {error}") from None
        _check(policy)
        return policy

    def with_authorities(self, authorities: Sequence[AuthorityPolicy]) -> "Policy":
        """The same with the authorities' own. Raises `Rejected("input.invalid")` for one that names what the core does not
        know, or would be looser than the core: a slip must not pass for a rule."""
        for one in authorities:
            _check_authority(self, one)
        return msgspec.structs.replace(self, authorities=tuple(authorities))

    def of_authority(self, authority: str, on: dt.date) -> tuple[AuthorityPolicy, ...]:
        """What the authority asks on a day; nothing where it has no policy, or the unit no authority."""
        return tuple(one for one in self.authorities if authority and one.is_of(authority, on))

    def narrowed(self, rule: AccountRule, by: Sequence[AuthorityPolicy]) -> AccountRule:
        """The rule with everything taken away that one of them refuses."""
        if not by:
            return rule
        leads = [one.lead_days for one in by if one.lead_days is not None]
        return msgspec.structs.replace(
            rule,
            targets=tuple(t for t in rule.targets if not any(one.refuses(t, self.targets[t].hosting) for one in by)),
            lead_days=min(self.lead_of(rule), *leads) if leads else rule.lead_days,
            leave="suspend" if any(one.leave == "suspend" for one in by) else rule.leave,
        )

    @property
    def leads(self) -> frozenset[int]:
        """Every lead time that may apply to somebody."""
        own = {one.lead_days for one in self.authorities if one.lead_days is not None}
        return frozenset(own | {self.lead_of(rule) for rule in self.accounts})

    @property
    def fingerprint(self) -> str:
        """Equal exactly for equal policies: what every person's last evaluation is marked with."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:16]

    def in_force(self, rule: AccountRule | GrantRule, on: dt.date) -> bool:
        return rule.in_force(on) and holds(self.valid_from, None, on)

    def lead_of(self, rule: AccountRule) -> int:
        return self.lead_days if rule.lead_days is None else rule.lead_days

    def boundaries(self) -> frozenset[dt.date]:
        """The days on which a rule begins, and the first ones on which one no longer holds."""
        rules: tuple[AccountRule | GrantRule | AuthorityPolicy, ...] = (*self.accounts, *self.grants, *self.authorities)
        starts = {rule.valid_from for rule in rules if rule.valid_from}
        if self.valid_from:
            starts.add(self.valid_from)
        ends = {day_after(rule.valid_to) for rule in rules if rule.valid_to}
        return frozenset(starts | ends)


def _wrong(path: str, what: str) -> Rejected:
    return Rejected("input.invalid", f"policy: {what} - at `$.{path}`")


def _check(policy: Policy) -> None:
    """What the types do not say: names that must exist, rules that must differ, masks that must hold."""
    seen: set[str] = set()
    for kind, rules in (("accounts", policy.accounts), ("grants", policy.grants)):
        for index, rule in enumerate(rules):
            path = f"{kind}[{index}]"
            if rule.id in seen:
                raise _wrong(f"{path}.id", "the rule id is used twice")
            seen.add(rule.id)
            for target in rule.targets:
                if target not in policy.targets:
                    raise _wrong(f"{path}.targets", "no such target")
            if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
                raise _wrong(f"{path}.valid_to", "the end is before the start")
    of_pupils = {rule.account_class for rule in policy.accounts if rule.persona in PUPILS}
    for index, account in enumerate(policy.accounts):
        if not account.targets:
            raise _wrong(f"accounts[{index}].targets", "a target is needed")
        if account.persona is PersonaType.GUARDIAN:
            raise _wrong(f"accounts[{index}].persona", "guardians have no account: they sign in with an eID")
        if account.persona not in PUPILS and account.account_class in of_pupils:
            raise _wrong(f"accounts[{index}].class", "pupils have accounts of a class of their own")
    for index, grant in enumerate(policy.grants):
        _check_groups(grant, f"grants[{index}].groups")
    for name, chosen in (("attributes", policy.attributes), ("masked", policy.masked)):
        for attribute in chosen:
            if attribute not in ATTRIBUTES:
                raise _wrong(name, f"unknown attribute {attribute!r}")
    if NEVER_MASKED & set(policy.masked):
        raise _wrong("masked", "the registered name of a restricted person is never shown")


def _check_authority(policy: Policy, one: AuthorityPolicy) -> None:
    path = f"authorities.{one.authority}"
    if not (one.authority.strip() and one.decision.strip()):
        raise _wrong(path, "an authority and its decision are named")
    if set(one.refused_targets) - set(policy.targets):
        raise _wrong(f"{path}.refused_targets", "no such target")
    if set(one.withheld) - WITHHOLDABLE:
        raise _wrong(f"{path}.withheld", "no attribute that can be withheld")
    if one.lead_days is not None and one.lead_days > policy.lead_days:
        raise _wrong(f"{path}.lead_days", "an authority may only be stricter than the core")
    for group in one.refused_groups:
        if not _GROUP.fullmatch(f"{group.removesuffix('*')}x" if group.endswith("*") else group):
            raise _wrong(f"{path}.refused_groups", "a group is org:... or role:...")


def _check_groups(grant: GrantRule, path: str) -> None:
    if not grant.groups:
        raise _wrong(path, "a group is needed")
    for group in grant.groups:
        if not _GROUP.fullmatch(_FIELD.sub("x", group)):
            raise _wrong(path, "a group is org:... or role:... without separators of directories")
        if not set(_FIELD.findall(group)) <= _GROUP_FIELDS:
            raise _wrong(path, "only {unit} and {responsibility} are filled in")
        if grant.persona in PUPILS and not group.startswith("org:"):
            raise _wrong(path, "pupils have no roles by rule (I15)")
        if (grant.persona in PUPILS) is not group.endswith(PUPILS_GROUP):
            raise _wrong(path, f"groups of pupils, and no others, end in {PUPILS_GROUP}")
