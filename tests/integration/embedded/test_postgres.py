"""The embedded PostgreSQL: real, closed, crash-safe, for root and for ordinary users."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from deploy.embedded import server
from deploy.embedded.postgres import PostgresServer, embedded_postgres
from deploy.embedded.processes import Supervisor
from tests.integration.embedded.watch import ROOT, all_gone, eventually, family

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand PostgreSQL to another account")

SCRIPT = """
import os, sys
from pathlib import Path
import psycopg
from deploy.embedded.postgres import embedded_postgres
assert os.geteuid() != 0
with embedded_postgres(Path(sys.argv[1])) as url, psycopg.connect(url) as connection:
    print(connection.execute("select 'works'").fetchone()[0])
"""


def value(url: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute("select v from kept").fetchone()
        return row[0] if row else None


def keep(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 42 as v")


def test_data_stays_for_the_next_start(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "pg") as url:
        keep(url)
    with embedded_postgres(tmp_path / "pg") as url:
        assert value(url) == 42


def test_it_listens_on_loopback_and_asks_for_the_password(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "pg") as url, psycopg.connect(url) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchone()
            for name in ("listen_addresses", "unix_socket_directories", "password_encryption", "server_encoding")
        }
        assert shown == {
            "listen_addresses": ("127.0.0.1",),
            "unix_socket_directories": ("",),
            "password_encryption": ("scram-sha-256",),
            "server_encoding": ("UTF8",),
        }
        assert connection.execute("select lower('ÅÄÖ')").fetchone() == ("åäö",)
        methods = {row[0] for row in connection.execute("select distinct auth_method from pg_hba_file_rules")}
        assert methods == {"scram-sha-256"}
        password = psycopg.conninfo.conninfo_to_dict(url)["password"]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(str(password), "wrong"))


def test_after_kill_9_it_is_back_on_the_same_port_with_what_was_committed(tmp_path: Path) -> None:
    postgres = PostgresServer(tmp_path / "pg", tmp_path / "log")
    with Supervisor(tmp_path / "supervisor.log") as supervisor:
        server.start(postgres, supervisor)
        keep(postgres.url)
        first = supervisor.pid("postgres")
        assert first
        everything = family(first)
        assert len(everything) > 3
        os.kill(first, signal.SIGKILL)
        assert all_gone(everything)
        assert eventually(postgres.is_ready)
        assert supervisor.pid("postgres") != first
        assert value(postgres.url) == 42


def test_what_was_committed_survives_kill_9_also_in_a_throwaway_folder(tmp_path: Path) -> None:
    postgres = PostgresServer(tmp_path / "pg", tmp_path / "log", durable=False)
    with Supervisor(tmp_path / "supervisor.log") as supervisor:
        server.start(postgres, supervisor)
        keep(postgres.url)
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute("update kept set v = 43")
            first = supervisor.pid("postgres")
            assert first
            os.kill(first, signal.SIGKILL)
        assert eventually(lambda: supervisor.pid("postgres") not in {None, first})
        assert eventually(postgres.is_ready)
        assert value(postgres.url) == 43


def test_values_never_reach_its_log(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    with embedded_postgres(folder) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table u (v text primary key)")
        connection.execute("insert into u values ('canary-1')")
        for statement in ("insert into u values ('canary-1')", "select 'canary-1' from nowhere"):
            with pytest.raises(psycopg.Error):
                connection.execute(statement)
        with pytest.raises(psycopg.Error):
            connection.execute("insert into u values (%s)", ("canary-1",))
    log = (folder / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "canary" not in log


@root_only
def test_for_root_it_works_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded_postgres(closed / "pg") as url:
        keep(url)
    with embedded_postgres(closed / "pg") as url:
        assert value(url) == 42


@root_only
def test_for_root_it_works_where_no_user_namespace_may_be_made(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = set(Path("/var/tmp").glob("kallan-*"))
    with embedded_postgres(closed / "pg", unshare=None, durable=True) as url:
        keep(url)
    with embedded_postgres(closed / "pg", unshare=None) as url:
        assert value(url) == 42
    assert set(Path("/var/tmp").glob("kallan-*")) == before, "throwaway data is removed, wherever it had to be"


def test_an_ordinary_user_can_run_it(tmp_path: Path, ordinary_user: Callable[[Path], tuple[str, ...]]) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    done = subprocess.run(
        (*ordinary_user(folder), "-c", SCRIPT, str(folder / "pg")),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "works\n", done.stderr


def test_nothing_of_it_survives_its_parent(tmp_path: Path) -> None:
    script = SCRIPT.replace("assert os.geteuid() != 0", "").replace("print(", "print(os.getpid()) or input(")
    with subprocess.Popen(
        (sys.executable, "-c", script, str(tmp_path / "pg")),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout
        parent.stdout.readline()
        everything = family(parent.pid)
        assert len(everything) > 5
        parent.kill()
    assert all_gone(everything, seconds=5)
