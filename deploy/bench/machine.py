"""Where a run was made: the machine, the versions, and how much of it others were using meanwhile."""

import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_PACKAGES = (
    *("kallan", "faust-streaming", "aiokafka", "confluent-kafka", "psycopg", "msgspec", "cryptography"),
    *("fastapi", "uvicorn", "ldap3", "scim2-client", "scim2-server"),
)
_JARS = Path(__file__).parents[1] / "embedded" / "jars.json"


@dataclass(frozen=True, slots=True)
class Machine:
    processor: str
    processors: int
    memory_gb: float
    system: str

    @classmethod
    def here(cls) -> "Machine":
        return cls(
            _processor(),
            os.cpu_count() or 1,
            round(psutil.virtual_memory().total / 1e9, 1),
            f"{platform.system()} {platform.release()} {platform.machine()}",
        )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions(postgresql: str | None = None) -> Mapping[str, str]:
    """Of what takes part. `postgresql` is what the server says of itself."""
    found = {"python": platform.python_version()} | ({"postgresql": postgresql} if postgresql else {})
    found.update({name: importlib.metadata.version(name) for name in _PACKAGES})
    for group in json.loads(_JARS.read_text(encoding="utf-8")).values():
        for jar in group:
            _, artifact, version = str(jar["coordinate"]).split(":")
            if artifact in ("kafka_2.13", "unboundid-ldapsdk"):
                found[artifact] = version
    return found


def commit() -> str:
    """The commit of the tree that runs, with `+` where something in it is changed; empty outside a repository."""
    here = Path(__file__).parent
    try:
        name = _git(here, "rev-parse", "--short=12", "HEAD")
        changed = _git(here, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return name + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass(slots=True)
class OthersMeter:
    """How much of the machine was used by processes that are not this one's descendants, since `start`.

    Of a process of ours that ended in between, what it used counts as others'; of one started in between nothing does.
    """

    _busy: float = 0.0
    _ours: Mapping[tuple[int, float], float] = field(default_factory=dict)
    _began: float = 0.0

    def start(self) -> None:
        self._busy, self._ours, self._began = _busy_seconds(), _our_seconds(), time.monotonic()

    def share(self) -> float:
        """0 to 1 of all processors."""
        elapsed = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        ours = sum(max(0.0, now - self._ours.get(one, 0.0)) for one, now in _our_seconds().items())
        return min(1.0, max(0.0, (_busy_seconds() - self._busy - ours) / elapsed)) if elapsed else 0.0


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _our_seconds() -> dict[tuple[int, float], float]:
    """Processor seconds by process; a process is its id and when it was started."""
    found: dict[tuple[int, float], float] = {}
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        try:
            times = process.cpu_times()
            found[process.pid, process.create_time()] = times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return found
