"""How a directory is reached and how it is laid out."""

import math
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.targets.port import Disabling
from streams.contracts.errors import Rejected

_STRATEGIES = (Disabling.LOCKED_TIME, Disabling.PASSWORD_REMOVED)


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """Times in seconds. No call of the port lasts longer than `longest_call`: a lease must be longer than that.

    `disabling` is LOCKED_TIME where the server has the password policy overlay (the credential is kept), and
    PASSWORD_REMOVED elsewhere (whoever sets credentials must set a new one after enabling). `ca_file` is the
    certificate authority that the server's certificate is checked against; empty: those of the system.
    """

    url: str  # ldap://host:port or ldaps://host:port
    bind_dn: str
    password: str = field(repr=False)
    base_dn: str
    name: str = "ldap"
    hosting: str = "onprem"
    disabling: Disabling = Disabling.LOCKED_TIME
    people: str = "ou=people"
    groups: str = "ou=groups"
    start_tls: bool = False
    ca_file: str = ""
    connect_timeout: float = 5.0
    receive_timeout: float = 10.0
    deadline: float = 20.0
    connections: int = 8
    page_size: int = 200

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in {"ldap", "ldaps"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise Rejected("settings.invalid", "LDAP address: ldap://host:port or ldaps://host:port")
        if self.start_tls and parts.scheme == "ldaps":
            raise Rejected("settings.invalid", "StartTLS belongs to an ldap:// address")
        if self.disabling not in _STRATEGIES:
            raise Rejected("settings.invalid", "LDAP disabling: locked-time or password-removed")
        if not self.bind_dn or not self.password or not self.base_dn:
            raise Rejected("settings.invalid", "LDAP needs a bind DN, a password and a base DN")
        if min(self.connect_timeout, self.receive_timeout, self.deadline, self.connections, self.page_size) <= 0:
            raise Rejected("settings.invalid", "LDAP times and sizes are above zero")

    @property
    def people_dn(self) -> str:
        return f"{self.people},{self.base_dn}"

    @property
    def groups_dn(self) -> str:
        return f"{self.groups},{self.base_dn}"

    @property
    def longest_call(self) -> float:
        """Seconds: the deadline, then whatever began just before it: connecting, TLS and bind, or one answer."""
        return self.deadline + max(3 * math.ceil(self.connect_timeout), self.receive_timeout)
