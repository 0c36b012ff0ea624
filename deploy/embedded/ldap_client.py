"""Connections to the directory that leave no socket behind, whatever happens (ldap3 leaves one when it is refused)."""

import contextlib
import math

import ldap3
from ldap3.core.exceptions import LDAPException


def connection(url: str, dn: str, password: str, seconds: float) -> ldap3.Connection:
    """A connection that is not open yet; `close` it in any case."""
    where = ldap3.Server(url, get_info=ldap3.NONE, connect_timeout=seconds)
    return ldap3.Connection(where, dn, password, client_strategy=ldap3.SAFE_SYNC, receive_timeout=math.ceil(seconds))


def close(made: ldap3.Connection) -> None:
    """Unbind and close. Idempotent."""
    with contextlib.suppress(LDAPException, OSError):  # the server may be gone: that is closed as well
        made.unbind()
    if made.socket is not None:
        made.socket.close()
