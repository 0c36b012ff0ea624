"""However a stack ends, nothing is left, and the next one in the folder goes on where it was."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from deploy.embedded import jars
from deploy.embedded.ldap import Directory
from tests.integration.embedded.broker import make_topic, topics
from tests.integration.embedded.test_directory import add, connect, find
from tests.integration.embedded.watch import ROOT, all_gone, eventually, family, ports_of

SCRIPT = str(Path(__file__).with_name("run_stack.py"))
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"), "http://127.0.0.1:9")


@contextmanager
def running(
    home: Path, *, python: tuple[str, ...] = (sys.executable,), cache: Path | None = None, **env: str
) -> Iterator[subprocess.Popen[str]]:
    """A stack in a process of its own, without a way to any network; killed at the end if it is still there."""
    arguments = [str(home), *([str(cache)] if cache else [])]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [*python, SCRIPT, *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT), **OFFLINE, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    found = process.stdout.readline().strip()
    if not found and process.stderr:
        pytest.fail(process.stderr.read())
    return found


def told(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "stack.json").read_text())
    return found


def directory_of(services: Mapping[str, Mapping[str, str]]) -> Directory:
    entry = services["ldap"]
    return Directory(entry["url"], entry["bind_dn"], entry["password"], entry["base_dn"])


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of Java libraries, filled: every stack here is a second start, without network."""
    jars.jar_sets()
    return jars.cache_folder()


def test_killed_it_leaves_nothing_and_the_next_one_takes_over_offline(tmp_path: Path, cache: Path) -> None:
    home = tmp_path / "home"
    with running(home, cache=cache) as first:
        assert line(first) == "starting"
        began = time.monotonic()
        assert line(first) == "ready"
        assert time.monotonic() - began < 20
        everything, ports = family(first.pid), ports_of(told(home))
        services = told(home)["services"]
        with psycopg.connect(services["postgres"]["url"]) as connection:
            connection.execute("create table kept as select 42 as v")
        make_topic(services["kafka"]["address"], "kept")
        there = directory_of(services)
        with connect(there) as directory:
            assert add(directory, there, "kept") == "success"
        assert eventually(lambda: b"uid=kept" in (home / "ldap" / "entries.ldif").read_bytes(), 3)
        first.kill()
        first.wait()
        with running(home, cache=cache) as second:  # at once, while the first one's servers are still stopping
            assert line(second) == "starting"
            assert line(second) == "ready"
            assert all_gone(everything, set(ports) - set(ports_of(told(home))), seconds=0)
            services = told(home)["services"]
            with psycopg.connect(services["postgres"]["url"]) as connection:
                assert connection.execute("select v from kept").fetchone() == (42,)
            assert "kept" in topics(services["kafka"]["address"])
            there = directory_of(services)
            with connect(there) as directory:
                assert find(directory, there, "kept")
            everything, ports = family(second.pid), ports_of(told(home))
            began = time.monotonic()
            second.send_signal(signal.SIGTERM)
            assert line(second) == "stopped"
            assert second.wait(2) == 0
            assert time.monotonic() - began < 10
            assert all_gone(everything, ports, seconds=0)
            assert not (home / "stack.json").exists()


@pytest.mark.parametrize("seconds", [0.0, 0.8, 2.0])
def test_interrupted_while_it_starts_it_leaves_nothing(tmp_path: Path, cache: Path, seconds: float) -> None:
    with running(tmp_path / "home", cache=cache) as process:
        assert line(process) == "starting"
        time.sleep(seconds)
        everything = family(process.pid)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 10
        assert line(process) == "stopped"
        left = [
            p for p in psutil.process_iter(["cmdline"]) if str(tmp_path / "home") in " ".join(p.info["cmdline"] or [])
        ]
        assert not left
        assert all_gone(everything, seconds=0)


def test_an_ordinary_user_can_run_the_stack(cache: Path, ordinary_user: Callable[[Path], tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to other accounts
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(cache / "jars", folder / "cache" / "jars")  # beside them an engine may keep a device
        python = ordinary_user(folder)
        with running(folder / "home", python=python, KALLAN_CACHE=str(folder / "cache")) as process:
            assert line(process) == "starting"
            assert line(process) == "ready"
            everything = family(process.pid)
            process.send_signal(signal.SIGTERM)
            assert line(process) == "stopped"
            assert process.wait(2) == 0
        assert all_gone(everything, seconds=0)
