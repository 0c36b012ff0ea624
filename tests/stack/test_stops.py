"""Ctrl-C at any moment stops everything within ten seconds, a second run in the folder works, two at once do not disturb
each other, and the demo ends by itself with its last screen."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from deploy.embedded.ports import is_open
from tests.stack.life import SERVERS, WORKERS, until

ROOT = Path(__file__).parents[2]
WITHIN = 10.0
DEMO = ("demo", "--persons", "60", "--units", "8")
LOADING, STORIES = "First load", "What happens to people"
READY = "Ctrl-C stops everything"
INTERRUPTED = 130

log = logging.getLogger(__name__)
pytestmark = pytest.mark.timeout(240)


class Run:
    """`kallan` in a process of its own, as in a terminal. What it prints is read as it comes."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "deploy.cli", *arguments],
            cwd=ROOT,
            env=os.environ | {"KALLAN_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "130"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line

    def says(self, text: str, seconds: float = 90.0) -> None:
        def told() -> bool:
            assert self.process.poll() is None or text in self.said, self.said
            return text in self.said

        log.info("%s after %.1f s", text, until(told, seconds, f"{text!r} in\n{self.said}"))

    def ends(self, seconds: float) -> int:
        status = self.process.wait(seconds)
        self._reader.join(5)
        return status

    @property
    def stack(self) -> dict[str, dict[str, dict[str, Any]]]:
        told: dict[str, dict[str, dict[str, Any]]] = json.loads((self.home / "stack.json").read_text(encoding="utf-8"))
        return told

    def family(self) -> set[int]:
        return {self.process.pid, *(one.pid for one in psutil.Process(self.process.pid).children(recursive=True))}


@contextmanager
def kallan(home: Path, *arguments: str) -> Iterator[Run]:
    """Killed at the end if it is still there."""
    run = Run(home, *arguments)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        if run.process.stdout:
            run._reader.join(5)
            run.process.stdout.close()


def ports(stack: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> set[int]:
    """Of every server and of the API."""
    where = [entry.get("address") or entry.get("url", "") for entry in stack["services"].values()]
    return {int(found[1]) for one in where if (found := re.search(r":(\d+)(?:/|$)", str(one)))}


def left_of(home: Path, family: set[int], open_before: set[int]) -> list[str]:
    """What should not be there any more."""
    lines = []
    for process in psutil.process_iter(["cmdline", "status"]):
        here = str(home) in " ".join(process.info["cmdline"] or [])
        if (process.pid in family or here) and process.info["status"] != psutil.STATUS_ZOMBIE:
            lines.append(f"{process.pid} {process.info['cmdline']}")
    return lines + [f"port {port}" for port in open_before if is_open(port)] + _stack_file(home)


def _stack_file(home: Path) -> list[str]:
    return ["stack.json"] if (home / "stack.json").exists() else []


def interrupt(run: Run) -> tuple[int, float]:
    """Ctrl-C. Exit status, and how many seconds it took until nothing was left."""
    family, opened = run.family(), ports(run.stack) if (run.home / "stack.json").exists() else set()
    began = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    status = run.ends(WITHIN)
    took = time.monotonic() - began
    assert left_of(run.home, family, opened) == []
    assert took < WITHIN
    log.info("nothing was left %.1f s after Ctrl-C", took)
    return status, took


@pytest.mark.parametrize("seconds", [0.5, 1.5, 4.0])
def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path, seconds: float) -> None:
    with kallan(tmp_path / "home", "up") as run:
        time.sleep(seconds)
        status, _ = interrupt(run)
        assert status in {0, INTERRUPTED, -signal.SIGINT}
        assert "Traceback" not in run.said or seconds < 1, run.said


def test_up_can_be_stopped_while_idle_and_started_again_beside_another(tmp_path: Path) -> None:
    """Two at once: the second one comes and goes, and the first one does not notice."""
    with kallan(tmp_path / "one", "up") as one:
        one.says(READY)
        before = one.stack
        assert set(before["workers"]) == set(WORKERS)
        assert set(before["services"]) == {*SERVERS, "api"}
        until(lambda: _healthy(before), 30, "the API answers")
        with kallan(tmp_path / "one", "up") as refused:
            assert refused.ends(20) == 2
            assert "stack.in-use" in refused.said
        with kallan(tmp_path / "two", "up") as two:
            two.says(READY)
            assert not ports(before) & ports(two.stack)
            status, _ = interrupt(two)
            assert status == 0
        assert one.stack == before, "the same processes at the same places"
        assert all(psutil.pid_exists(entry["pid"]) for group in before.values() for entry in group.values())
        assert _healthy(before)
        status, _ = interrupt(one)
        assert status == 0
        assert "stopped" in one.said
    with kallan(tmp_path / "one", "up") as again:
        again.says(READY)
        until(lambda: _healthy(again.stack), 30, "the API answers")
        status, _ = interrupt(again)
        assert status == 0


def _healthy(stack: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> bool:
    try:
        answer = httpx.get(f"{stack['services']['api']['url']}/ready", timeout=5.0, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all demos: each begins where another was stopped."""
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.mark.parametrize("moment", [LOADING, STORIES])
def test_ctrl_c_in_the_middle_of_the_demo_leaves_nothing(demo_home: Path, moment: str) -> None:
    with kallan(demo_home, "demo", "--persons", "30", "--units", "5") as run:
        run.says(moment)
        time.sleep(1.0)
        status, _ = interrupt(run)
        assert status == INTERRUPTED
        assert "Traceback" not in run.said


def test_the_demo_ends_well_with_its_last_screen_also_where_others_were_stopped(demo_home: Path) -> None:
    with kallan(demo_home, *DEMO) as run:
        run.says(STORIES, 150)
        family, opened = run.family(), ports(run.stack)
        assert run.ends(90) == 0, run.said
        assert left_of(run.home, family, opened) == []
    screen = " ".join(run.said.split())  # however wide the terminal is
    for sentence in (
        "A synthetic municipality of 60 persons in 8 units",
        "Source | MMD | target, side by side",
        "The two principles, as figures computed from what is stored",
        "A fact is given only once: 2 of 10 fields of the form had to be asked",
        "A case officer (handläggare) takes over; nothing is filled in, and no reason is told",
        "Records that could not be used: 0",
        "Everything is as it should be.",
        "What to type next",
    ):
        assert sentence in screen
    assert re.search(r"\d+ changes, [^:]+ read back: median \d+\.\d s, worst \d+\.\d s", screen)
