"""The target port: what a municipality must be able to ask of a system that holds accounts.

One verb changes things: `ensure`. It is idempotent, and what it returns was read back from the target.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

MANAGED_GROUPS = ("org:", "role:")
"""A group whose name starts so belongs to Källan: memberships there are made equal to what is allowed. Others are left."""


class Presence(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    ABSENT = "absent"


class Disabling(StrEnum):
    """How a target refuses sign-in for a disabled account; proved by a sign-in that fails."""

    ACTIVE_FLAG = "active-flag"  # SCIM `active`
    LOCKED_TIME = "locked-time"  # OpenLDAP password policy, pwdAccountLockedTime 000001010000Z
    PASSWORD_REMOVED = "password-removed"  # noqa: S105  # no credential left to sign in with
    ACCOUNT_CONTROL = "account-control"  # Active Directory, userAccountControl bit 2


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the target can do; told without asking it. `attributes` are the canonical names it stores (see
    `AccountState.attributes`). `longest_call` (seconds): no call but `read_all` lasts longer, connecting included; whoever
    works under a lease has a longer one."""

    name: str
    disabling: Disabling
    groups: bool
    attributes: frozenset[str]
    conditional_writes: bool
    hosting: str = "onprem"
    longest_call: float = 0.0


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account as it shall be, or as it was read.

    `key` is the account's opaque, permanent key; the target stores it (employeeNumber, externalId) and it is the only
    thing that an existing account is ever recognised by. `attributes` use canonical names: `display_name`,
    `given_name`, `family_name`, `title`, `department`, `mail`, `eppn`, `manager` (an account key). An attribute that
    is left out is removed from the target. `groups` are names such as `org:unit:kommun:1234` and `role:usk`; the
    connector creates a group that does not exist and touches only groups and members that it is told about.
    """

    key: str
    presence: Presence
    uid: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read back. `native_id` is the target's own id (entryUUID, SCIM id), `version` its ETag or the like."""

    state: AccountState
    native_id: str = ""
    version: str = ""
    changed: tuple[str, ...] = ()  # names of what `ensure` had to change; empty: nothing was written


class Target(Protocol):
    """Raises `Rejected("target.refused")` (will not work as it stands), `Unavailable("target.unreachable")` (nothing
    was sent) or `Unavailable("target.unknown-outcome")` (something may have been done: read before trying again)."""

    def capabilities(self) -> Capabilities: ...

    def ensure(self, allowed: AccountState) -> Observed:
        """Make the account equal to `allowed` and read it back. ABSENT deletes; an absent account is success."""
        ...

    def read(self, key: str) -> Observed | None:
        """The account with this key, or None."""
        ...

    def read_all(self) -> Iterator[Observed]:
        """Every account that carries a key of ours; complete or an exception, never a part."""
        ...
