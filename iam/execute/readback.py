"""The read-back compared with what was allowed: only what the target can hold, and only groups that are ours."""

import msgspec

from connectors.targets import port
from iam.domain.account import AccountState, Presence

REFERENCE = "manager"
"""The attribute that holds another account's key."""


def to_port(state: AccountState) -> port.AccountState:
    """As the target port wants it."""
    return port.AccountState(
        state.key, port.Presence(state.presence.value), state.uid, dict(state.attributes), state.groups
    )


def from_port(state: port.AccountState) -> AccountState:
    return AccountState(
        state.key, Presence(state.presence.value), state.uid, dict(state.attributes), frozenset(state.groups)
    )


def managed(groups: frozenset[str]) -> list[str]:
    """Our own group names, sorted: what may stand in the journal."""
    return sorted(name for name in groups if name.startswith(port.MANAGED_GROUPS))


def as_held(state: AccountState, capabilities: port.Capabilities, named: frozenset[str]) -> AccountState:
    """The part of a state that the target can hold; of groups those that are ours or `named` in what is wanted."""
    if state.presence is Presence.ABSENT:
        return AccountState(state.key, Presence.ABSENT)
    kept = state.groups if capabilities.groups else ()
    groups = frozenset(group for group in kept if group.startswith(port.MANAGED_GROUPS) or group in named)
    attributes = {name: text for name, text in state.attributes.items() if text and name in capabilities.attributes}
    return msgspec.structs.replace(state, attributes=attributes, groups=groups)


def equals(wanted: AccountState, read: AccountState, capabilities: port.Capabilities) -> bool:
    """Whether the account, as read, is what was wanted, as far as this target can hold it."""
    return as_held(wanted, capabilities, wanted.groups) == as_held(read, capabilities, wanted.groups)


def lacks_only_reference(wanted: AccountState, read: AccountState, capabilities: port.Capabilities) -> bool:
    """Whether all that is missing is the reference to a manager, which a target leaves out while it has no such
    account."""
    if REFERENCE not in wanted.attributes or REFERENCE in read.attributes:
        return False
    rest = {name: text for name, text in wanted.attributes.items() if name != REFERENCE}
    return equals(msgspec.structs.replace(wanted, attributes=rest), read, capabilities)
