"""What every target asks of the state that it is given, and which groups are ours: the same rules behind one port."""

from collections.abc import Iterable

from connectors.targets.port import MANAGED_GROUPS, AccountState, Capabilities, Presence
from streams.contracts.errors import Rejected

ATTRIBUTES = frozenset({"display_name", "given_name", "family_name", "title", "department", "mail", "eppn", "manager"})
"""The canonical attribute names of the port."""

LONGEST = {"uid": 256, "key": 256, "group": 256}
"""Characters at most."""
_LONGEST_ATTRIBUTE = 1024


def is_managed(group: str) -> bool:
    return group.startswith(MANAGED_GROUPS)


def managed(groups: Iterable[str]) -> frozenset[str]:
    return frozenset(group for group in groups if is_managed(group))


def check(state: AccountState, capabilities: Capabilities) -> None:
    """Raises `Rejected("target.refused")` that names the field; a target never stores a part of what it was asked."""
    _check_text("key", state.key, LONGEST["key"])
    if state.presence is Presence.ABSENT:
        return
    _check_text("uid", state.uid, LONGEST["uid"])
    for name, value in state.attributes.items():
        if name not in capabilities.attributes:
            raise Rejected("target.refused", f"{capabilities.name} does not store {_known(name)}")
        _check_text(name, value, _LONGEST_ATTRIBUTE)
    if state.groups and not capabilities.groups:
        raise Rejected("target.refused", f"{capabilities.name} has no groups")
    for group in state.groups:
        _check_text("group", group, LONGEST["group"])
        if not is_managed(group):
            raise Rejected("target.refused", "a group whose name does not start with org: or role:")


def _check_text(field: str, value: str, longest: int) -> None:
    if not value or value != value.strip():
        raise Rejected("target.refused", f"{field} is empty or starts or ends with a space")
    if len(value) > longest:
        raise Rejected("target.refused", f"{field} is longer than {longest} characters")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise Rejected("target.refused", f"{field} holds a control character")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise Rejected("target.refused", f"{field} is not valid Unicode")


def _known(name: str) -> str:
    return name if name in ATTRIBUTES else "an unknown attribute"
