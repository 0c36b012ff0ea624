"""Watching processes: who is still alive, which ports are still open."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from deploy.embedded.ports import is_open

ROOT = Path(__file__).parents[3]


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def family(pid: int) -> set[int]:
    """A process and all below it."""
    process = psutil.Process(pid)
    return {pid, *(child.pid for child in process.children(recursive=True))}


def alive(pids: Iterable[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    found = set()
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def all_gone(pids: Iterable[int], ports: Iterable[int] = (), seconds: float = 12.0) -> bool:
    watched, listening = set(pids), tuple(ports)
    return eventually(lambda: not alive(watched) and not any(map(is_open, listening)), seconds)


def ports_of(stack: dict[str, dict[str, dict[str, str]]]) -> list[int]:
    return [int(e["address"].rpartition(":")[2]) for e in stack["services"].values() if "address" in e]
