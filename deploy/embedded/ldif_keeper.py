"""Keeps a directory's entries in an LDIF file: follows the server's changes and writes within a second of each."""

import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.dn import parse_dn

from deploy.embedded import ldap_client
from deploy.embedded.ldif import Entry, to_ldif

log = logging.getLogger("kallan.embedded")

_EVERY = 0.3
_SHARE = 2.0
"""Rest this many times longer than the last look took: the keeper leaves the server to its clients."""
_PAGE = 1000
_PAGED_RESULTS = "1.2.840.113556.1.4.319"
_MADE_BY_THE_SERVER = {"entrydn", "subschemasubentry", "hassubordinates", "numsubordinates"}
_ALL = "(objectClass=*)"


class LdifKeeper:
    """A thread that keeps `path` equal to the entries below `base_dn`. The file changes by renaming only.

    What was written is found by its modify timestamp, what is gone by the server's change log. While the server is away
    the keeper waits; when it is back everything is read again.
    """

    def __init__(self, url: str, bind_dn: str, password: str, base_dn: str, path: Path) -> None:
        self._reach = (url, bind_dn, password)
        self._base_dn = base_dn
        self._path = path
        self._connection: ldap3.Connection | None = None
        self._records: dict[str, tuple[int, bytes]] = {}
        self._seen: int | None = None
        self._written_until = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ldif-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what has changed since the last look, then end."""
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            began = time.monotonic()
            self._try()
            pause = max(_EVERY, _SHARE * (time.monotonic() - began))
        if not self._try():  # the server was started again since the last look: the connection was the old one's
            self._try()
        self._disconnect()

    def _try(self) -> bool:
        try:
            self._look()
        except (LDAPException, OSError) as error:
            log.debug("the directory does not answer: %s", type(error).__name__)
            self._disconnect()
            return False
        return True

    def _disconnect(self) -> None:
        """What follows on a new connection begins with reading everything: the server may have been started again."""
        connection, self._connection, self._seen = self._connection, None, None
        if connection is not None:
            ldap_client.close(connection)

    def _look(self) -> None:
        newest = self._newest()
        if newest == self._seen:
            return
        gone = self._gone_since(self._seen, newest)
        if gone is None:
            self._records = {}
            self._take(self._search(self._base_dn, _ALL, ldap3.SUBTREE, ["*", "+"]))
        else:
            for dn in gone:
                self._records.pop(dn.lower(), None)
            written = f"(modifyTimestamp>={self._written_until})"
            self._take(self._search(self._base_dn, written, ldap3.SUBTREE, ["*", "+"]))
        if self._records:  # a directory without its base is no state of ours
            self._write()
        self._seen = newest

    def _newest(self) -> int:
        """The number of the server's latest change."""
        found = self._search("", _ALL, ldap3.BASE, ["lastChangeNumber"])
        values = [v for entry in found for v in entry["raw_attributes"].get("lastChangeNumber", [])]
        return int(values[0]) if values else 0

    def _gone_since(self, seen: int | None, newest: int) -> list[str] | None:
        """The DNs deleted after change `seen`; None when only reading everything can tell what is there."""
        if seen is None or newest < seen or not self._written_until:
            return None
        filter_ = f"(&(changeNumber>={seen + 1})(|(changeType=delete)(changeType=modrdn)))"
        found = self._search("cn=changelog", filter_, ldap3.LEVEL, ["targetDN", "changeType"])
        changes = [entry["raw_attributes"] for entry in found]
        oldest = self._search("", _ALL, ldap3.BASE, ["firstChangeNumber"])[0]["raw_attributes"]["firstChangeNumber"]
        if int(oldest[0]) > seen + 1 or any(change["changeType"][0].lower() == b"modrdn" for change in changes):
            return None
        return [change["targetDN"][0].decode() for change in changes]

    def _take(self, found: Iterable[Mapping[str, Any]]) -> None:
        for raw in found:
            entry = Entry(raw["dn"], _kept(raw["raw_attributes"]))
            self._records[entry.dn.lower()] = (len(parse_dn(entry.dn)), to_ldif(entry))
            stamps = [value.decode() for value in entry.attributes.get("modifyTimestamp", ())]
            self._written_until = max(self._written_until, *stamps, "")

    def _search(self, base: str, filter_: str, scope: str, attributes: list[str]) -> list[Mapping[str, Any]]:
        if self._connection is None:
            self._connection = ldap_client.connection(*self._reach, seconds=5)
            if not self._connection.bind()[0]:
                raise LDAPException("bind refused")
        found: list[Mapping[str, Any]] = []
        cookie: bytes | None = None
        while True:
            paging = {} if scope == ldap3.BASE else {"paged_size": _PAGE, "paged_cookie": cookie}
            _, result, entries, _ = self._connection.search(base, filter_, scope, attributes=attributes, **paging)
            if result["description"] not in {"noSuchObject", "success"}:
                raise LDAPException(result["description"])
            found += [entry for entry in entries or [] if entry["type"] == "searchResEntry"]
            cookie = result.get("controls", {}).get(_PAGED_RESULTS, {}).get("value", {}).get("cookie")
            if not cookie:
                return found

    def _write(self) -> None:
        making = self._path.with_suffix(".new")
        handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.writelines(record for _, record in sorted(self._records.values()))  # parents before children
        making.replace(self._path)


def _kept(attributes: Mapping[str, Sequence[bytes]]) -> Mapping[str, Sequence[bytes]]:
    return {name: values for name, values in attributes.items() if name.lower() not in _MADE_BY_THE_SERVER}
