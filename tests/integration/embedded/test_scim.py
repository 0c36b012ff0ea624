"""The embedded SCIM server: closed without its token, and its resources survive."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.embedded import server
from deploy.embedded.processes import Supervisor
from deploy.embedded.scim import Scim, ScimServer, embedded_scim
from deploy.embedded.scim_process import application
from tests.integration.embedded.watch import eventually

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def client(there: Scim) -> httpx.Client:
    headers = {"Authorization": f"Bearer {there.token}", "Content-Type": "application/scim+json"}
    return httpx.Client(base_url=there.url, headers=headers, trust_env=False, timeout=5)


def user(name: str) -> dict[str, object]:
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": name,
        "externalId": f"key-{name}",
        "displayName": "Åsa Öberg",
        "emails": [{"value": f"{name}@kommun.test", "primary": True}],
        ENTERPRISE: {"department": "Förskola"},
    }


@pytest.fixture(scope="module")
def scim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scim]:
    with embedded_scim(tmp_path_factory.mktemp("scim")) as there:
        yield there


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
def test_without_the_token_nothing_is_told(scim: Scim, header: dict[str, str]) -> None:
    assert httpx.get(f"{scim.url}/Users", headers=header, trust_env=False).status_code == 401


def test_an_empty_token_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        application(tmp_path / "file", "")


def test_a_user_name_is_given_once(scim: Scim) -> None:
    with client(scim) as http:
        assert http.post("/Users", json=user("once")).status_code == 201
        assert http.post("/Users", json=user("ONCE")).status_code == 409


def test_its_token_is_on_no_command_line(scim: Scim) -> None:
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if scim.token in line]


def test_its_resources_survive_kill_9_and_the_next_start(tmp_path: Path) -> None:
    scim = ScimServer(tmp_path / "scim", tmp_path / "log")
    with Supervisor(tmp_path / "supervisor.log") as supervisor:
        server.start(scim, supervisor)
        with client(scim.scim) as http:
            made = http.post("/Users", json=user("a")).json()
            gone = http.post("/Users", json=user("b")).json()
            members = [{"value": made["id"]}]
            group = {"schemas": [GROUP], "displayName": "org:unit:1", "members": members}
            group_id = http.post("/Groups", json=group).json()["id"]
            assert http.delete(f"/Users/{gone['id']}").status_code == 204
            http.patch(
                f"/Users/{made['id']}",
                json={
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{"op": "replace", "path": "active", "value": False}],
                },
            )
            newest = http.get(f"/Users/{made['id']}").json()
            assert newest["active"] is False
        first = supervisor.pid("scim")
        assert first
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: supervisor.pid("scim") not in {None, first})
        assert eventually(scim.is_ready)
        with client(scim.scim) as http:
            assert http.get(f"/Users/{made['id']}").json() == newest
            assert http.get(f"/Users/{gone['id']}").status_code == 404
            assert http.get(f"/Groups/{group_id}").json()["members"][0]["value"] == made["id"]
            found = http.get("/Users", params={"filter": 'externalId eq "key-a"'}).json()
            assert found["totalResults"] == 1
            stale = http.put(f"/Users/{made['id']}", json=user("a"), headers={"If-Match": made["meta"]["version"]})
            assert stale.status_code == 412
            changed = http.put(f"/Users/{made['id']}", json=user("a")).json()
        assert changed["meta"]["version"] not in {made["meta"]["version"], newest["meta"]["version"]}
    with embedded_scim(tmp_path / "scim") as there, client(there) as http:
        assert http.get(f"/Users/{made['id']}").json()["meta"]["version"] == changed["meta"]["version"]
