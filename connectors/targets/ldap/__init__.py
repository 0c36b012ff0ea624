"""LDAP directories (OpenLDAP and the like) as a target: inetOrgPerson entries and groupOfNames groups."""

from connectors.targets.ldap.settings import LdapSettings
from connectors.targets.ldap.target import LdapTarget

__all__ = ["LdapSettings", "LdapTarget"]
