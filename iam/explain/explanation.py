"""The answer to "why": one person's accounts, what each rests on, what was done about it, and what gives nothing.

No value of a person but the names that the account itself has (uid, ePPN). All instants are UTC.
"""

import datetime as dt

import msgspec

from iam.domain.account import Reason
from streams.contracts.documents import Stamp


class NotGiven(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that gives nothing (or less than it could): `code` is a word of `iam.domain.conditions.WHY_NOT`. `target`:
    of one target only. No rule and no persona: it concerns the person as a whole."""

    rule: str
    persona: str
    code: str
    target: str = ""


class Why(msgspec.Struct, frozen=True, omit_defaults=True):
    """A basis: rule and policy version, the persona that it matched, and the facts behind it by source and stamp."""

    rule: str
    policy: str
    persona: str
    facts: tuple[Stamp, ...] = ()


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """A group or role. `held`: the target has it, as last read back. `wanted`: it is to be had now. Held and not wanted:
    it is on its way out."""

    name: str
    wanted: bool
    held: bool
    why: tuple[Why, ...] = ()


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt: what was asked and what became of it. `at` is business time.

    `seconds` is the time from the first logging of the cause to the read-back, `call_ms` that of the target call.
    `outcome` is a word of `iam.execute.metrics.Outcome`, or `open` where no result is written down yet.
    """

    at: dt.datetime
    attempt: int
    version: int
    lane: str
    outcome: str
    asked: str = ""  # presence that was asked for; empty: nothing was asked
    found: str = ""  # presence that was read back; empty: nothing was read
    attributes: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    error_code: str = ""
    cause: str = ""
    caused_at: dt.datetime | None = None
    call_ms: int | None = None
    seconds: float | None = None


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is desired is not carried out yet. Instants in real time. `for_names`: the events about the account's names
    are not delivered. `target_away`: the target does not answer. `under_way`: a call is being made."""

    lane: str
    since: dt.datetime
    next_try: dt.datetime
    under_way: bool = False
    for_names: bool = False
    target_away: bool = False


class InTarget(msgspec.Struct, frozen=True, omit_defaults=True):
    """One account in one target. `desired` and `observed` are presences; `observed` is `never` before any attempt and
    `unknown` while the outcome of one is not known. `readable` False: the reasons are sealed with a key that is gone."""

    target: str
    desired: str
    observed: str
    equal: bool
    version: int = 0
    cause: str = ""
    caused_at: dt.datetime | None = None
    source_stamp: str = ""
    error_code: str = ""
    readable: bool = True
    why: tuple[Why, ...] = ()
    groups: tuple[Group, ...] = ()
    not_given: tuple[NotGiven, ...] = ()
    waiting: Waiting | None = None
    operations: tuple[Operation, ...] = ()


class InPerson(msgspec.Struct, frozen=True, omit_defaults=True):
    """One account: (person, employer, class)."""

    account: str
    employer: str
    account_class: str
    created_at: dt.datetime
    names: dict[str, str] = {}  # by kind: uid, eppn, mail
    personas: tuple[str, ...] = ()
    targets: tuple[InTarget, ...] = ()


class Explanation(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` set: as it was then, from the journal; the rules that gave nothing then are not kept. `known` False: there is
    no such person here."""

    person: str
    asked_at: dt.datetime
    known: bool
    at: dt.datetime | None = None
    accounts: tuple[InPerson, ...] = ()
    not_given: tuple[NotGiven, ...] = ()


def why(reasons: tuple[Reason, ...], group: str | None) -> tuple[Why, ...]:
    """The bases of a group, or (None) of the account itself."""
    found = (r for r in reasons if (group in r.groups if group is not None else not r.groups))
    return tuple(Why(r.rule, r.policy, r.persona, tuple(dict.fromkeys(r.stamps))) for r in found)


def groups(reasons: tuple[Reason, ...], wanted: frozenset[str], held: frozenset[str]) -> tuple[Group, ...]:
    """Every group that is wanted or held, by name."""
    return tuple(Group(name, name in wanted, name in held, why(reasons, name)) for name in sorted(wanted | held))
