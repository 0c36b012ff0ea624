"""An account in a target as values: what it shall be, why, and the digest that says when two are equal."""

import hashlib
from collections.abc import Mapping
from enum import IntEnum, StrEnum

import msgspec

from streams.contracts.documents import Stamp


class Presence(StrEnum):
    """The same words as the target port's."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    ABSENT = "absent"


class Lane(StrEnum):
    """The lanes of work, first one first."""

    PROTECT = "protect"
    DISABLE = "disable"
    REMOVE = "remove"
    UPDATE = "update"
    CREATE = "create"

    @property
    def rank(self) -> int:
        return _RANK[self]


_RANK = {lane: rank for rank, lane in enumerate(Lane)}


class AccountState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The same fields and meaning as `connectors.targets.port.AccountState`, which this package may not import.

    `attributes` use canonical names (`display_name`, `given_name`, `family_name`, `title`, `department`, `mail`, `eppn`,
    `manager`: an account key); one that is left out is removed from the target.
    """

    key: str
    presence: Presence
    uid: str = ""
    attributes: Mapping[str, str] = {}
    groups: frozenset[str] = frozenset()


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why: a rule of the policy, the persona that it matched, the stamps of the facts that it looked at, and what it
    gives (`groups`; empty: the account itself). Holds no value of a person."""

    rule: str
    policy: str
    persona: str
    stamps: tuple[Stamp, ...] = ()
    groups: frozenset[str] = frozenset()


class WhyNot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a rule gives nothing now: `code` is a word of the closed list in `iam.domain.conditions`. Without rule and
    persona: why nothing is given to the person at all."""

    rule: str
    persona: str
    code: str


class Intent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `desired.body` holds, sealed. `salt` keys the digest, so that a digest in the journal cannot be tried against
    guessed names once the body's key is destroyed. `protected`: the masked profile applies.

    `create_missing` False: the account is to be as stated where it exists, and is not to be made where it does not
    (limbo: a leaver whom the target never heard of)."""

    state: AccountState
    salt: str
    create_missing: bool = True
    protected: bool = False
    reasons: tuple[Reason, ...] = ()
    why_not: tuple[WhyNot, ...] = ()


class Existence(IntEnum):
    """Ordered: what several rules want of one account in one target, the strongest wins."""

    LIMBO = 0
    STAGED = 1
    ENABLED = 2


def digest(state: AccountState, salt: str) -> str:
    """Of everything in a state: 32 hex characters; equal exactly if the states are. An absent account has no more to
    it than its key."""
    if state.presence is Presence.ABSENT:
        state = AccountState(state.key, Presence.ABSENT)
    content = (
        state.key,
        state.presence.value,
        state.uid,
        sorted(state.attributes.items()),
        sorted(state.groups),
    )
    return hashlib.sha256(salt.encode() + b"\n" + msgspec.json.encode(content)).hexdigest()[:32]


def changed_attributes(before: AccountState | None, after: AccountState) -> tuple[str, ...]:
    """Names of what differs: `presence`, `uid` and attribute names, sorted. Groups are told apart."""
    old = before.attributes if before else {}
    names = {name for name in {*old, *after.attributes} if old.get(name) != after.attributes.get(name)}
    if before is None or before.presence is not after.presence:
        names.add("presence")
    if (before.uid if before else "") != after.uid:
        names.add("uid")
    return tuple(sorted(names))
