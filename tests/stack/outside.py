"""What anybody outside can read of a running stack: the API over HTTP as each client, raw targets, files, metrics."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import ldap3

from deploy.embedded import issuer
from deploy.replay.hidden import holds_any
from deploy.running import Running
from deploy.wiring.data import read_forms, read_releases
from mmd.domain.release import Marked


@dataclass(frozen=True, slots=True)
class Outside:
    """`ids` are the person ids that a client may have heard of, `numbers` what it may search by."""

    found: Running

    def places(self, texts: Sequence[str], ids: Sequence[str], numbers: Sequence[str]) -> list[str]:
        """Where one of the texts can be read, each place once. Clients that are cleared for the marked are left out;
        what a request itself held does not count as told."""
        return sorted({place for place, content in self._everything(ids, numbers) if holds_any(content, texts)})

    def _everything(self, ids: Sequence[str], numbers: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for client in self._clients():
            yield from self._answers(client, ids, numbers)
        for route in ("/metrics", "/health", "/ready"):
            yield f"api {route}", httpx.get(f"{self.found.api_url}{route}", timeout=10.0, trust_env=False).content
        yield from self._directory()
        yield from self._scim()
        for folder in ("logs", "work"):
            for path in sorted((self.found.stack.home / folder).rglob("*")):
                if path.is_file():
                    yield f"file {folder}/{path.name}", path.name.encode() + b"\n" + path.read_bytes()

    def _clients(self) -> list[str]:
        releases = read_releases(self.found.api.releases)
        return [
            client
            for client, names in releases.clients.items()
            if all(releases.by_id[name].marked is not Marked.CLEARED for name in names)
        ]

    def _answers(self, client: str, ids: Sequence[str], numbers: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        headers = {"Authorization": f"Bearer {issuer.issue(self.found.stack.home, client)}"}
        with httpx.Client(base_url=self.found.api_url, headers=headers, timeout=10.0, trust_env=False) as http:
            for one in ids:
                yield f"api person to {client}", _whole(http.get(f"/v1/persons/{one}"))
            for number in numbers:
                asked: Mapping[str, Any] = {"json": {"identifier": number}}
                yield f"api search to {client}", _whole(http.post("/v1/persons/search", **asked))
                for form in read_forms(self.found.api.forms):
                    yield f"api form to {client}", _whole(http.post(f"/v1/prefill/{form}", **asked))
            yield f"api changes to {client}", _whole(http.get("/v1/changes", params={"limit": 1000}))

    def _directory(self) -> Iterator[tuple[str, bytes]]:
        there = self.found.stack.services.ldap
        server = ldap3.Server(there.url, get_info=ldap3.NONE, connect_timeout=3)
        strategy = ldap3.SAFE_SYNC
        with ldap3.Connection(server, there.bind_dn, there.password, client_strategy=strategy) as connection:
            entries = connection.search(there.base_dn, "(objectClass=*)", attributes=["*", "+"])[2]
        yield "directory raw", b"\n".join(_raw(entry) for entry in entries)

    def _scim(self) -> Iterator[tuple[str, bytes]]:
        there = self.found.stack.services.scim
        headers = {"Authorization": f"Bearer {there.token}"}
        for kind in ("Users", "Groups"):
            answer = httpx.get(
                f"{there.url}/{kind}", params={"count": 1000}, headers=headers, timeout=10.0, trust_env=False
            )
            yield f"collaboration raw {kind}", answer.content


def _whole(answer: httpx.Response) -> bytes:
    return str(answer.headers.multi_items()).encode() + b"\n" + answer.content


def _raw(entry: Mapping[str, Any]) -> bytes:
    values = [value for found in entry["raw_attributes"].values() for value in found]
    return b"\n".join([str(entry["dn"]).encode(), *values])


def plant_in_directory(found: Running, uid: str, text: str) -> None:
    """Somebody writes into the directory by hand."""
    there = found.stack.services.ldap
    server = ldap3.Server(there.url, get_info=ldap3.NONE, connect_timeout=3)
    with ldap3.Connection(server, there.bind_dn, there.password, client_strategy=ldap3.SAFE_SYNC) as connection:
        dn = f"uid={uid},ou=people,{there.base_dn}"
        answer = connection.modify(dn, {"title": [(ldap3.MODIFY_REPLACE, [text])]})
        assert answer[0], answer[1]


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
