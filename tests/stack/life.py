"""A running stack, what it says and what it has made."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from connectors.sources.registry import load
from connectors.sources.report import LoadState
from deploy.embedded import kafka, ldap, postgres, scim
from deploy.municipality.cast import NativeFile
from deploy.replay.live import LiveWorld
from deploy.running import Running, running
from iam.store.state import desired_hash, observed_hash
from mmd.store.hash import state_hash

SERVERS = ("kafka", "postgres", "ldap", "scim")
WORKERS = ("ingest-urgent", "ingest-bulk", "relay", "evaluate-urgent", "evaluate-bulk", "execute")


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that a run left: three hashes with counts, and every account of both targets as the target tells it."""

    hashes: Mapping[str, tuple[str, Mapping[str, int]]]
    accounts: Mapping[str, Mapping[str, object]]
    dead_letters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Life:
    """A stack with all its workers, and the hand that feeds it."""

    found: Running
    world: LiveWorld

    def feed(self, files: Sequence[NativeFile]) -> None:
        for file in files:
            report = load(file.source, file.path, self.world.edge)
            assert report.state in {LoadState.OPENED, LoadState.COMMITTED}, report

    def log(self, name: str) -> str:
        path = self.found.stack.log_of(name)
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def says(self, name: str, pattern: str, after: int = 0) -> bool:
        return re.search(pattern, self.log(name)[after:]) is not None

    def exits(self, name: str) -> int:
        return self.found.stack.supervisor.exits(name)

    def services(self) -> dict[str, dict[str, Any]]:
        """As stack.json tells of them."""
        told = json.loads((self.found.stack.home / "stack.json").read_text(encoding="utf-8"))
        services: dict[str, dict[str, Any]] = told["services"]
        return services

    def answers(self, server: str) -> bool:
        there = self.found.stack.services
        ask: dict[str, Callable[[], bool]] = {
            "kafka": lambda: kafka.answers(there.kafka),
            "postgres": lambda: postgres.answers(there.database_url),
            "ldap": lambda: ldap.answers(there.ldap),
            "scim": lambda: scim.answers(there.scim),
        }
        return ask[server]()

    def busy(self) -> bool:
        """Whether work is on its way; where that cannot be told because a server is away, it is."""
        try:
            return bool(self.world.quiet.pending())
        except psycopg.OperationalError:
            return True

    def made(self) -> Made:
        """When everything is quiet."""
        pool, keys = self.world.base.pool, self.world.base.keys
        master, desired, observed = state_hash(pool, keys), desired_hash(pool, keys), observed_hash(pool)
        hashes = {
            "master": (master.hash, master.counts),
            "desired": (desired.hash, desired.counts),
            "observed": (observed.hash, observed.counts),
        }
        accounts = {
            name: {
                one.state.key: (one.state.presence, one.state.uid, dict(one.state.attributes), one.state.groups)
                for one in target.read_all()
            }
            for name, target in self.world.readings.targets.items()
        }
        return Made(
            hashes,
            accounts,
            self.world.readings.dead_letters(),
        )


@contextmanager
def alive(home: Path, secrets: Path | None = None, more: Mapping[str, str] | None = None) -> Iterator[Life]:
    """A stack in `home`; with the `secrets` of another, the same sources give the same ids and names. `more` settings."""
    if secrets is not None:
        shutil.copytree(secrets, home / "secrets")
    with running(home, throwaway=True, more=more) as found:
        world = LiveWorld(found)
        try:
            yield Life(found, world)
        finally:
            world.close()


def until(true: Callable[[], bool], seconds: float, what: str, every: float = 0.05) -> float:
    """Wait for it; how many seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not in {seconds:.0f} s: {what}"
        time.sleep(every)
    return time.monotonic() - began
