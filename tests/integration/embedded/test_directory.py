"""The embedded directory: schema enforced, closed to strangers, and its entries survive."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ldap3
import psutil
import pytest

from deploy.embedded import server
from deploy.embedded.ldap import Directory, LdapServer, embedded_directory
from deploy.embedded.processes import Supervisor
from tests.integration.embedded.watch import eventually


@contextmanager
def connect(there: Directory, dn: str | None = None, password: str | None = None) -> Iterator[ldap3.Connection]:
    """A connection, bound if the directory agrees: as its administrator or as somebody else (an empty DN: nobody)."""
    where = ldap3.Server(there.url, get_info=ldap3.NONE, connect_timeout=3)
    user, secret = (there.bind_dn, there.password) if dn is None else (dn or None, password)
    connection = ldap3.Connection(where, user, secret, client_strategy=ldap3.SAFE_SYNC, receive_timeout=5)
    try:
        connection.bind()
        yield connection
    finally:
        connection.unbind()


def opens(there: Directory, dn: str, password: str) -> bool:
    with connect(there, dn, password) as connection:
        return bool(connection.bound)


def add(connection: ldap3.Connection, there: Directory, uid: str, **more: Any) -> str:
    values = {"cn": "Åsa Öberg ", "sn": " x", "kallanAccountKey": uid, "userPassword": "sesam", **more}
    answer = connection.add(f"uid={uid},ou=people,{there.base_dn}", ["inetOrgPerson", "kallanAccount"], values)
    return str(answer[1]["description"])


def find(connection: ldap3.Connection, there: Directory, uid: str) -> dict[str, list[bytes]]:
    found = connection.search(there.base_dn, f"(uid={uid})", attributes=["*", "entryUUID"])[2]
    return dict(found[0]["raw_attributes"]) if found else {}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with embedded_directory(tmp_path_factory.mktemp("ldap")) as there:
        yield there


def test_it_begins_with_people_and_groups(directory: Directory) -> None:
    with connect(directory) as connection:
        found = connection.search(directory.base_dn, "(objectClass=organizationalUnit)", attributes=["ou"])[2]
    assert {entry["attributes"]["ou"][0] for entry in found} == {"people", "groups"}


def test_schema_and_parents_are_enforced(directory: Directory) -> None:
    with connect(directory) as connection:
        assert add(connection, directory, "schema", nosuchattribute="x") != "success"
        lonely = connection.add(f"uid=x,ou=nowhere,{directory.base_dn}", ["inetOrgPerson"], {"cn": "x", "sn": "x"})
        assert lonely[1]["description"] == "noSuchObject"
        bare = connection.add(f"uid=x,ou=people,{directory.base_dn}", ["inetOrgPerson"], {"cn": "x"})
        assert bare[1]["description"] == "objectClassViolation"


def test_strangers_and_wrong_passwords_get_nothing(directory: Directory) -> None:
    assert not opens(directory, directory.bind_dn, "wrong")
    with connect(directory, "") as anonymous:
        assert anonymous.search(directory.base_dn, "(objectClass=*)")[1]["description"] == "insufficientAccessRights"


def test_passwords_are_stored_hashed_and_open_the_door(directory: Directory) -> None:
    with connect(directory) as connection:
        assert add(connection, directory, "door") == "success"
        assert find(connection, directory, "door")["userPassword"][0].startswith(b"{SSHA256}")
    dn = f"uid=door,ou=people,{directory.base_dn}"
    assert opens(directory, dn, "sesam")
    assert not opens(directory, dn, "other")


def test_its_password_is_on_no_command_line(directory: Directory) -> None:
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert any("LoopbackDirectory" in line for line in lines)
    assert not [line for line in lines if directory.password in line]


def test_its_entries_survive_kill_9_and_the_next_start(tmp_path: Path) -> None:
    ldap = LdapServer(tmp_path / "ldap", tmp_path / "log")
    kept = tmp_path / "ldap" / "entries.ldif"
    with Supervisor(tmp_path / "supervisor.log") as supervisor:
        server.start(ldap, supervisor)
        there = ldap.directory
        with connect(there) as connection:
            assert [add(connection, there, uid) for uid in ("stays", "goes", "renamed")] == ["success"] * 3
            before = find(connection, there, "stays")
            assert eventually(lambda: b"uid=renamed" in kept.read_bytes(), 3)
            connection.delete(f"uid=goes,ou=people,{there.base_dn}")
            connection.modify_dn(f"uid=renamed,ou=people,{there.base_dn}", "uid=another")
            assert eventually(lambda: b"uid=another" in kept.read_bytes() and b"uid=goes" not in kept.read_bytes(), 3)
        first = supervisor.pid("ldap")
        assert first
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: supervisor.pid("ldap") not in {None, first})
        assert eventually(ldap.is_ready)
        with connect(there) as connection:
            assert find(connection, there, "stays") == before, "the same entry, its entryUUID too"
            assert not find(connection, there, "goes")
            assert find(connection, there, "another")
            assert add(connection, there, "last") == "success"
    with embedded_directory(tmp_path / "ldap") as there:
        with connect(there) as connection:
            assert find(connection, there, "stays") == before
            assert find(connection, there, "last"), "a graceful stop loses nothing"
        assert opens(there, f"uid=stays,ou=people,{there.base_dn}", "sesam")


def test_what_was_answered_survives_kill_9_at_once(tmp_path: Path) -> None:
    ldap = LdapServer(tmp_path / "ldap", tmp_path / "log")
    with Supervisor(tmp_path / "supervisor.log") as supervisor:
        server.start(ldap, supervisor)
        there = ldap.directory
        for life in range(3):
            with connect(there) as connection:
                changed, gone, renamed = (f"{name}{life}" for name in ("changed", "gone", "renamed"))
                assert [add(connection, there, uid) for uid in (changed, gone, renamed)] == ["success"] * 3
                dn = f"uid={changed},ou=people,{there.base_dn}"
                connection.modify(
                    dn,
                    {"title": [(ldap3.MODIFY_REPLACE, ["chef"])], "userPassword": [(ldap3.MODIFY_REPLACE, ["korn"])]},
                )
                connection.modify(dn, {"cn": [(ldap3.MODIFY_ADD, ["Åsa"])], "sn": [(ldap3.MODIFY_REPLACE, ["y"])]})
                connection.modify(dn, {"cn": [(ldap3.MODIFY_DELETE, ["Åsa"])]})
                before = find(connection, there, changed)
                connection.modify_dn(f"uid={renamed},ou=people,{there.base_dn}", f"uid=another{life}")
                connection.delete(f"uid={gone},ou=people,{there.base_dn}")
                first = supervisor.pid("ldap")
                assert first
                os.kill(first, signal.SIGKILL)
            assert eventually(lambda first=first: supervisor.pid("ldap") not in {None, first})  # type: ignore[misc]
            assert eventually(ldap.is_ready)
            with connect(there) as connection:
                assert find(connection, there, changed) == before, "the same entry, its entryUUID too"
                assert before["title"] == [b"chef"]
                assert not find(connection, there, gone)
                assert not find(connection, there, renamed)
                assert find(connection, there, f"another{life}")
            assert opens(there, dn, "korn")
    assert b"korn" not in b"".join(path.read_bytes() for path in (tmp_path / "ldap").glob("*.ldif*"))
