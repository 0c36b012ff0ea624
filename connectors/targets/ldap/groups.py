"""Memberships in groupOfNames (RFC 4519): one value added or deleted at a time, found by `member=`, never by memberOf."""

from collections.abc import Mapping

import ldap3
from ldap3.core import results
from ldap3.utils.dn import escape_rdn

from connectors.targets.ldap.entries import equals, normal_dn
from connectors.targets.ldap.session import Session
from connectors.targets.ldap.settings import LdapSettings
from connectors.targets.port import MANAGED_GROUPS
from connectors.targets.rules import is_managed

_PLACEHOLDER = "cn=placeholder"
"""groupOfNames must have a member: an entry that does not exist stands there, so that the last person can leave."""

_MEMBER = "member"


class Groups:
    """The groups below ou=groups. `of` gives them by DN."""

    def __init__(self, settings: LdapSettings) -> None:
        self._base = settings.groups_dn
        self._placeholder = f"{_PLACEHOLDER},{settings.groups_dn}"

    def of(self, session: Session, member_dn: str) -> Mapping[str, str]:
        """Every group with this member: DN to name; also groups that are not ours."""
        found = session.search(self._base, f"(&(objectClass=groupOfNames){equals(_MEMBER, member_dn)})", ["cn"])
        return {entry.dn: entry.first("cn") for entry in found}

    def by_member(self, session: Session) -> Mapping[str, frozenset[str]]:
        """All our groups at once: member DN (normal form) to names."""
        ours = "".join(f"(cn={prefix}*)" for prefix in MANAGED_GROUPS)
        found: dict[str, set[str]] = {}
        for entry in session.search_pages(self._base, f"(&(objectClass=groupOfNames)(|{ours}))", ["cn", _MEMBER]):
            for member in entry.all(_MEMBER):
                if is_managed(entry.first("cn")):
                    found.setdefault(normal_dn(member), set()).add(entry.first("cn"))
        return {member: frozenset(names) for member, names in found.items()}

    def join(self, session: Session, name: str, member_dn: str) -> None:
        """Add one member; the group is made if there is none. Being a member already is success."""
        dn = f"cn={escape_rdn(name)},{self._base}"
        already, missing = results.RESULT_ATTRIBUTE_OR_VALUE_EXISTS, results.RESULT_NO_SUCH_OBJECT
        change = {_MEMBER: [(ldap3.MODIFY_ADD, [member_dn])]}
        if session.modify(dn, change, {already, missing}) != missing:
            return
        values = {"cn": [name], _MEMBER: [self._placeholder, member_dn]}
        exists = results.RESULT_ENTRY_ALREADY_EXISTS
        if session.add(dn, ["groupOfNames"], values, {exists}) == exists:  # another one made it in between
            session.modify(dn, change, {already})

    def leave(self, session: Session, group_dn: str, member_dn: str) -> None:
        """Delete one member; not being one is success."""
        gone = {results.RESULT_NO_SUCH_ATTRIBUTE, results.RESULT_NO_SUCH_OBJECT}
        last = results.RESULT_OBJECT_CLASS_VIOLATION
        step = (ldap3.MODIFY_DELETE, [member_dn])
        if session.modify(group_dn, {_MEMBER: [step]}, {*gone, last}) == last:  # a group made by hand, its last member
            session.modify(group_dn, {_MEMBER: [step, (ldap3.MODIFY_ADD, [self._placeholder])]}, gone)

    def follow(self, session: Session, group_dn: str, old_dn: str, new_dn: str) -> None:
        """After a rename: the new DN instead of the old one, in one change. Servers with referential integrity have
        done it already."""
        swap = {_MEMBER: [(ldap3.MODIFY_DELETE, [old_dn]), (ldap3.MODIFY_ADD, [new_dn])]}
        moved = {results.RESULT_NO_SUCH_ATTRIBUTE, results.RESULT_ATTRIBUTE_OR_VALUE_EXISTS}
        if session.modify(group_dn, swap, {*moved, results.RESULT_NO_SUCH_OBJECT}) not in moved:
            return
        session.modify(group_dn, {_MEMBER: [(ldap3.MODIFY_ADD, [new_dn])]}, {results.RESULT_ATTRIBUTE_OR_VALUE_EXISTS})
        session.modify(group_dn, {_MEMBER: [(ldap3.MODIFY_DELETE, [old_dn])]}, {results.RESULT_NO_SUCH_ATTRIBUTE})
