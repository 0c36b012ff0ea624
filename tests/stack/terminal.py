"""`kallan` as in a terminal: what it says while it runs, Ctrl-C, and what is left of it afterwards."""

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

from deploy.embedded.ports import is_open
from tests.stack.life import until

ROOT = Path(__file__).parents[2]
WITHIN = 10.0
"""Seconds after Ctrl-C in which everything must be gone."""
READY = "Ctrl-C stops everything"
INTERRUPTED = 130

log = logging.getLogger(__name__)


class Run:
    """`kallan` in a process of its own, as in a terminal. What it prints is read as it comes."""

    def __init__(self, home: Path, *arguments: str, more: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "deploy.cli", *arguments],
            cwd=ROOT,
            env=os.environ | {"KALLAN_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "130"} | dict(more or {}),
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
def kallan(home: Path, *arguments: str, more: Mapping[str, str] | None = None) -> Iterator[Run]:
    """Killed at the end if it is still there. `more` is added to the environment."""
    run = Run(home, *arguments, more=more)
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
    """Of every server that runs here and of the API; those that the settings name are somebody else's."""
    where = [entry.get("address") or entry.get("url", "") for entry in stack["services"].values() if "pid" in entry]
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


def healthy(stack: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> bool:
    """Whether the API says that it is ready."""
    try:
        answer = httpx.get(f"{stack['services']['api']['url']}/ready", timeout=5.0, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
