"""The account as a directory entry and back: pure. inetOrgPerson (RFC 2798), eduPerson and kallanAccount."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import ldap3
from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn, parse_dn

from connectors.targets.ldap.session import Entry
from connectors.targets.port import AccountState, Disabling, Presence

KEY = "kallanAccountKey"
ACTIVE = "kallanActive"
LOCKED_TIME = "pwdAccountLockedTime"
LOCKED = "000001010000Z"  # draft-behera-ldap-password-policy: locked until an administrator unlocks
PASSWORD = "userPassword"  # noqa: S105  # the name of an attribute

_FIRST_RDN = re.compile(r"(?:\\.|[^,\\])*,")

CLASSES = ("inetOrgPerson", "eduPerson", "kallanAccount")
ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "display_name": "displayName",
        "given_name": "givenName",
        "family_name": "sn",
        "title": "title",
        "department": "ou",
        "mail": "mail",
        "eppn": "eduPersonPrincipalName",
        "manager": "manager",  # a DN there, an account key here
    }
)
READ = ("objectClass", "uid", "cn", KEY, ACTIVE, LOCKED_TIME, PASSWORD, *ATTRIBUTES.values())
READ_ALSO = ("entryUUID", "entryCSN", "modifyTimestamp")


def person_dn(uid: str, people_dn: str) -> str:
    return f"{person_rdn(uid)},{people_dn}"


def person_rdn(uid: str) -> str:
    return f"uid={escape_rdn(uid)}"


def parent_dn(dn: str) -> str:
    """The DN without its first part; a comma inside that part is escaped (RFC 4514)."""
    match = _FIRST_RDN.match(dn)
    return dn[match.end() :] if match else ""


def equals(attribute: str, value: str) -> str:
    """A filter for one value, escaped (RFC 4515)."""
    return f"({attribute}={escape_filter_chars(value)})"


def same_uid(entry: Entry, uid: str) -> bool:
    """As the directory compares uids: without regard to case and to repeated spaces (RFC 4519, caseIgnoreMatch)."""
    return any(" ".join(held.casefold().split()) == " ".join(uid.casefold().split()) for held in entry.all("uid"))


def normal_dn(dn: str) -> str:
    """A DN in a form that compares: lower case, no spaces around the separators."""
    try:
        return ",".join(f"{name}={value}" for name, value, _ in parse_dn(dn.lower(), escape=False, strip=True))
    except LDAPInvalidDnError:
        return dn.lower()


def wanted_values(state: AccountState, manager_dn: str) -> dict[str, tuple[str, ...]]:
    """What the entry shall hold, by LDAP name; an empty tuple: nothing. uid and sign-in are changed apart.

    cn and sn are mandatory: where only a display name may be shown (a restricted person), the uid stands in for sn.
    """
    given = dict(state.attributes)
    if manager_dn:
        given["manager"] = manager_dn
    else:
        given.pop("manager", None)
    values: dict[str, tuple[str, ...]] = {
        ldap: (given[name],) if name in given else () for name, ldap in ATTRIBUTES.items()
    }
    values["cn"] = (given.get("display_name", state.uid),)
    values["sn"] = (given.get("family_name", state.uid),)
    values[KEY] = (state.key,)
    return values


def value_changes(entry: Entry, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, list[tuple[str, list[str]]]]:
    """Modifications that make the entry hold exactly the wanted values, byte for byte."""
    changes = {}
    for name, values in wanted.items():
        held = entry.all(name)
        same = set(map(normal_dn, held)) == set(map(normal_dn, values)) if name == "manager" else held == values
        if not same:
            changes[name] = [(ldap3.MODIFY_REPLACE, list(values))]
    classes = {one.lower() for one in entry.all("objectClass")}
    missing = [one for one in CLASSES if one.lower() not in classes]
    if missing:
        changes["objectClass"] = [(ldap3.MODIFY_ADD, missing)]
    return changes


def sign_in_values(enabled: bool, disabling: Disabling) -> dict[str, tuple[str, ...]]:
    """What a new entry holds so that it may (not) sign in; a new entry has no credential in any case."""
    values: dict[str, tuple[str, ...]] = {ACTIVE: ("TRUE" if enabled else "FALSE",)}
    if disabling is Disabling.LOCKED_TIME and not enabled:
        values[LOCKED_TIME] = (LOCKED,)
    return values


def sign_in_changes(entry: Entry, enabled: bool, disabling: Disabling) -> dict[str, list[tuple[str, list[str]]]]:
    """Modifications that let the account sign in or stop it. A lock that the server itself set after failed attempts
    is not ours and is left when the account is enabled."""
    changes = {}
    flag = "TRUE" if enabled else "FALSE"
    if entry.all(ACTIVE) != (flag,):
        changes[ACTIVE] = [(ldap3.MODIFY_REPLACE, [flag])]
    if disabling is Disabling.LOCKED_TIME:
        locked = entry.first(LOCKED_TIME) == LOCKED
        if locked == enabled:
            changes[LOCKED_TIME] = [(ldap3.MODIFY_REPLACE, [] if enabled else [LOCKED])]
    elif not enabled and entry.all(PASSWORD):
        changes[PASSWORD] = [(ldap3.MODIFY_REPLACE, [])]
    return changes


def presence_of(entry: Entry, disabling: Disabling) -> Presence:
    """What sign-in does: DISABLED only where it is refused, whatever a flag says."""
    if disabling is Disabling.LOCKED_TIME:
        refused = entry.first(LOCKED_TIME) == LOCKED
    else:
        refused = entry.first(ACTIVE) == "FALSE" and not entry.all(PASSWORD)
    return Presence.DISABLED if refused else Presence.ENABLED


def state_of(entry: Entry, manager: str, groups: frozenset[str], disabling: Disabling) -> AccountState:
    """The entry in the port's words. Several values where there shall be one (made by hand) read as one joined text,
    so that it differs from what is desired."""
    attributes = {name: " | ".join(entry.all(ldap)) for name, ldap in ATTRIBUTES.items() if entry.all(ldap)}
    uid = entry.first("uid")
    if attributes.get("family_name") == uid:
        del attributes["family_name"]  # the stand-in for a name that may not be shown
    attributes.pop("manager", None)
    if manager:
        attributes["manager"] = manager
    return AccountState(entry.first(KEY), presence_of(entry, disabling), uid, attributes, groups)


def version_of(entry: Entry) -> str:
    """OpenLDAP's change number, or the time of the last change where the server has none."""
    return entry.first("entryCSN") or entry.first("modifyTimestamp")


def unchanged_condition(entry: Entry) -> str:
    """The filter of a conditional write: still the same account, not written since it was read."""
    version = "entryCSN" if entry.first("entryCSN") else "modifyTimestamp"
    if not entry.first(version):
        return equals(KEY, entry.first(KEY))
    return f"(&{equals(KEY, entry.first(KEY))}{equals(version, entry.first(version))})"


_CANONICAL = {ldap.lower(): name for name, ldap in ATTRIBUTES.items()} | {
    "cn": "display_name",
    ACTIVE.lower(): "presence",
    LOCKED_TIME.lower(): "presence",
    PASSWORD.lower(): "presence",
}


def canonical_names(changes: Mapping[str, object]) -> list[str]:
    """Modified LDAP attributes in the port's words, each once."""
    return sorted({_CANONICAL.get(name.lower(), name) for name in changes})
