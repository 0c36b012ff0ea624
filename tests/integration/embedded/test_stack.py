"""The whole stack: what stack.json tells, what comes back, what never stays."""

import json
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from deploy.embedded import kafka, ldap, postgres, scim
from deploy.embedded.given import Given
from deploy.embedded.stack import Stack, Worker
from streams.contracts.errors import KallanError
from tests.integration.embedded.broker import make_topic, read, send
from tests.integration.embedded.watch import alive, all_gone, eventually, family, ports_of

SERVERS = {"kafka", "postgres", "ldap", "scim"}


def told(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stack.home / "stack.json").read_text())
    return found


def answers(stack: Stack) -> set[str]:
    there = stack.services
    found = {
        "kafka": kafka.answers(there.kafka),
        "postgres": postgres.answers(there.database_url),
        "ldap": ldap.answers(there.ldap),
        "scim": scim.answers(there.scim),
    }
    return {name for name, good in found.items() if good}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("home"), keys=("master.key",), throwaway=True) as started:
        started.start_workers(
            [
                Worker("sleeper", ("sleep", "1000")),
                Worker(
                    "api",
                    (sys.executable, "-c", "print('hej', flush=True); import time; time.sleep(1000)"),
                    service={"url": "http://127.0.0.1:1"},
                ),
            ]
        )
        everything = family(started.supervisor.process_id)
        ports = ports_of(told(started))
        yield started
        everything |= family(started.supervisor.process_id)
    assert all_gone(everything, ports, seconds=0), "nothing is left when the block has ended"
    assert not (started.home / "stack.json").exists()


def test_all_four_servers_answer(stack: Stack) -> None:
    assert answers(stack) == SERVERS


def test_stack_json_tells_address_process_and_log_of_everything(stack: Stack) -> None:
    found = told(stack)
    assert set(found["services"]) == SERVERS | {"api"}
    assert set(found["workers"]) == {"sleeper"}
    for name, entry in [*found["services"].items(), *found["workers"].items()]:
        assert alive({entry["pid"]}), name
        assert Path(entry["log"]).exists(), name
    programs = {name: psutil.Process(e["pid"]).name() for name, e in found["services"].items()}
    assert programs["postgres"] == "postgres", "the server's own process, not the one that started it"
    assert programs["kafka"] == programs["ldap"] == "java"
    assert {"url", "bind_dn", "password", "base_dn"} <= set(found["services"]["ldap"])
    assert {"url", "token"} <= set(found["services"]["scim"])
    assert found["services"]["postgres"]["url"].startswith("postgresql://")
    assert found["services"]["api"]["url"] == "http://127.0.0.1:1"


def test_what_holds_secrets_is_readable_by_the_owner_alone(stack: Stack) -> None:
    assert stat.S_IMODE((stack.home / "stack.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(stack.secrets.stat().st_mode) == 0o700
    names = {path.name for path in stack.secrets.iterdir()}
    assert names == {"master.key", "postgres.password", "ldap.password", "scim.token"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in stack.secrets.iterdir())


def test_everything_listens_on_loopback_only(stack: Stack) -> None:
    for pid in family(stack.supervisor.process_id):
        for connection in psutil.Process(pid).net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr.ip.removeprefix("::ffff:") == "127.0.0.1", (pid, connection.laddr)


def test_each_process_has_its_own_log(stack: Stack) -> None:
    assert eventually(lambda: stack.log_of("api").read_text() == "hej\n")
    assert "Kafka Server started" in stack.log_of("kafka").read_text()
    assert "SLF4J" not in stack.log_of("kafka").read_text(), "the broker's own lines come out"


def test_a_second_stack_in_the_same_folder_is_refused(stack: Stack) -> None:
    with pytest.raises(KallanError, match=rf"stack\.in-use.*{os.getpid()}") as refused, Stack(stack.home):
        pass
    assert refused.value.code == "stack.in-use"
    assert answers(stack) == SERVERS, "the first one is not disturbed"


def test_a_worker_that_is_killed_comes_back_and_stack_json_says_so(stack: Stack) -> None:
    before = told(stack)["workers"]["sleeper"]["pid"]
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: told(stack)["workers"]["sleeper"]["pid"] != before)
    assert psutil.Process(told(stack)["workers"]["sleeper"]["pid"]).name() == "sleep"


def test_every_server_that_is_killed_comes_back_at_its_address(stack: Stack) -> None:
    before = told(stack)["services"]
    make_topic(stack.services.kafka, "kept")
    send(stack.services.kafka, "kept", b"before")
    for name in SERVERS:
        os.kill(before[name]["pid"], signal.SIGKILL)
    assert eventually(lambda: all(told(stack)["services"][n]["pid"] != before[n]["pid"] for n in SERVERS))
    assert eventually(lambda: answers(stack) == SERVERS, 40)
    after = told(stack)["services"]
    assert [after[name]["address"] for name in SERVERS] == [before[name]["address"] for name in SERVERS]
    send(stack.services.kafka, "kept", b"after")
    assert read(stack.services.kafka, "kept", 2) == [b"before", b"after"]


def test_a_server_can_be_absent_for_a_while(stack: Stack) -> None:
    stack.stop_process("ldap")
    stack.stop_process("postgres")
    assert answers(stack) == {"kafka", "scim"}
    time.sleep(0.5)
    assert stack.pid("postgres") is None
    stack.start_process("postgres")
    stack.start_process("ldap")
    assert answers(stack) == SERVERS
    assert told(stack)["services"]["ldap"]["pid"] == stack.pid("ldap")


def test_servers_that_the_settings_name_are_used(stack: Stack, tmp_path: Path) -> None:
    there = stack.services
    given = Given(there.database_url, there.kafka, there.ldap, there.scim)
    with Stack(tmp_path / "home", given) as other:
        assert other.services == there
        assert len(family(other.supervisor.process_id)) == 1, "no server of its own"
        assert "pid" not in told(other)["services"]["kafka"]
        assert (other.secrets / "ldap.password").read_text() == there.ldap.password
    assert answers(stack) == SERVERS


def test_a_part_may_be_given_and_the_rest_embedded(stack: Stack, tmp_path: Path) -> None:
    there = stack.services
    with Stack(tmp_path / "home", Given(kafka=there.kafka, ldap=there.ldap, scim=there.scim), throwaway=True) as other:
        assert other.services.database_url != there.database_url
        with psycopg.connect(other.services.database_url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_server_that_cannot_start_is_named_with_the_end_of_its_log(tmp_path: Path, stack: Stack) -> None:
    there = stack.services
    home = tmp_path / "home"
    (home / "scim").mkdir(parents=True)
    (home / "scim" / "resources.sqlite").write_bytes(b"this is no database" * 100)
    given = Given(there.database_url, there.kafka, there.ldap)
    with pytest.raises(KallanError, match=r"scim does not start.*not a database"), Stack(home, given):
        pass


def test_the_servers_stay_far_below_the_memory_bound(stack: Stack) -> None:
    pids = family(stack.supervisor.process_id)
    total = sum(psutil.Process(pid).memory_full_info().pss for pid in pids)
    assert total < 800_000_000
