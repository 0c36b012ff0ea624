"""Servers that are absent at first and killed in mid-load, workers that are killed: in the end everything is as if nothing
had happened, and nobody had to help.

Two runs of the same files with the same secrets: one undisturbed, one with every disturbance. KALLAN_STACK_ABSENT is how
long (seconds) each server is absent at first.
"""

import logging
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.replay.hidden import holds_text
from tests.stack.life import SERVERS, WORKERS, Life, Made, alive, until
from tests.stack.town import TODAY, Town, new_town

ABSENT_SECONDS = float(os.environ.get("KALLAN_STACK_ABSENT", "30"))
PERSONS, UNITS = 150, 12
AGAINST_SERVERS = {
    "scim": ("execute", "operations waiting"),
    "ldap": ("execute", "operations waiting"),
    "postgres": ("ingest-bulk", "messages for ingest-bulk"),
    "kafka": ("ingest-bulk", "messages for ingest-bulk"),
}
"""Server -> the worker whose work needs it, and what waits while that worker is held."""
OF_WORKERS = {
    "ingest-bulk": "messages for ingest-bulk",
    "relay": "documents to publish",
    "evaluate-bulk": "messages for evaluate-bulk",
    "execute": "operations waiting",
}
OF_URGENT_WORKERS = {
    "ingest-urgent": "messages for ingest-urgent",
    "evaluate-urgent": "messages for evaluate-urgent",
}
WAVES = len(AGAINST_SERVERS) + 1
IN_HAND = 0.03
"""Seconds that a worker works on before it, or what it needs, is killed: its first call or batch is under way."""
PATIENCE = 150.0
"""Seconds until everything is quiet again. A relay that was killed is waited out for half a minute."""

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.kills, pytest.mark.timeout(600)]


@dataclass
class Story:
    """What was seen on the way of the disturbed run."""

    town: Town
    made: Made
    logs: Mapping[str, str]
    ended_while_absent: Mapping[str, int]
    killed: Mapping[str, "Kill"]
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kill:
    """`pending`: what was still to do in that moment. Addresses are None for workers."""

    pending: Mapping[str, int]
    pids: tuple[int | None, int | None]
    addresses: tuple[object, object] = (None, None)


@dataclass
class Play:
    """The disturbed run, act by act."""

    life: Life
    town: Town
    ended: dict[str, int] = field(default_factory=dict)
    killed: dict[str, Kill] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def absent_at_first(self) -> None:
        """The log is full of work when the workers start; no server is there. Then they come, one after the other, so
        that each worker meets the absence of everything that it needs."""
        stack = self.life.found.stack
        for name in WORKERS:
            stack.stop_process(name)
        self.life.feed(self.town.first)
        for name in SERVERS:
            stack.stop_process(name)
        start = {name: len(self.life.log(name)) for name in WORKERS}
        for name in WORKERS:
            stack.start_process(name)
        time.sleep(ABSENT_SECONDS)
        stack.start_process("kafka")
        self._hears("ingest-bulk", r"PostgreSQL \(\w+\); trying again", start)
        stack.start_process("postgres")
        for target in ("directory", "collaboration"):
            self._hears("execute", rf"target {target} does not answer", start)
        stack.start_process("ldap")
        stack.start_process("scim")
        self.life.world.quiet.wait(PATIENCE)
        self.ended = {name: self.life.exits(name) for name in WORKERS}
        self.said = {name: self.life.log(name)[start[name] :] for name in WORKERS}

    def servers_are_killed(self) -> None:
        """Each when changes of a wave are on their way to it."""
        for wave, (name, (worker, stage)) in zip(self.town.waves, AGAINST_SERVERS.items(), strict=False):
            with self._held(worker):
                self.life.feed([wave])
                self._kill(name, stage, worker)
            self.life.world.quiet.wait(PATIENCE)

    def workers_are_killed(self) -> None:
        """Each when there is work for it: it is held until that work waits, so that no worker is too quick to be met."""
        for files, workers in (([self.town.waves[-1]], OF_WORKERS), (self.town.urgent, OF_URGENT_WORKERS)):
            with self._held(*workers):
                self.life.feed(files)
                for name, stage in workers.items():
                    self._kill(name, stage, name)
            self.life.world.quiet.wait(PATIENCE)

    @contextmanager
    def _held(self, *workers: str) -> Iterator[None]:
        """They stand still, until `_kill` lets one go or killed it, at the latest at the end."""
        pids = [self.life.found.stack.pid(name) for name in workers]
        for pid in pids:
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                assert pid is not None
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _hears(self, worker: str, pattern: str, after: Mapping[str, int]) -> None:
        took = until(lambda: self.life.says(worker, pattern, after[worker]), 60, f"{worker} says {pattern}")
        log.info("%s says %s after %.1f s", worker, pattern, took)

    def _kill(self, name: str, stage: str, worker: str) -> None:
        """Kill `name` when there is work of that stage and the held `worker` has just been let go."""
        pending: dict[str, int] = {}

        def waits() -> bool:
            pending.clear()
            pending.update(self.life.world.quiet.pending())
            return stage in pending

        until(waits, 60, f"{stage}, for {name}")
        stack = self.life.found.stack
        before, held, address = stack.pid(name), stack.pid(worker), self._address(name)
        assert before is not None
        assert held is not None
        os.kill(held, signal.SIGCONT)
        time.sleep(IN_HAND)
        os.kill(before, signal.SIGKILL)
        until(lambda: stack.pid(name) not in {None, before}, 15, f"{name} is started again")
        if name in SERVERS:
            until(lambda: self.life.answers(name), 60, f"{name} answers again")
        log.info("%s was killed and is back", name)
        self.killed[name] = Kill(dict(pending), (before, stack.pid(name)), (address, self._address(name)))

    def _address(self, name: str) -> object:
        return self.life.services().get(name, {}).get("address")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return new_town(tmp_path_factory.mktemp("town"), seed=7, persons=PERSONS, units=UNITS, waves=WAVES)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("undisturbed")


@pytest.fixture(scope="module")
def undisturbed(town: Town, home: Path) -> Made:
    with alive(home) as life:
        life.world.set_clock(TODAY)
        life.feed(town.first)
        life.world.quiet.wait(PATIENCE)
        life.feed(town.waves)
        life.world.quiet.wait(PATIENCE)
        life.feed(town.urgent)
        life.world.quiet.wait(PATIENCE)
        return life.made()


@pytest.fixture(scope="module")
def disturbed(town: Town, home: Path, undisturbed: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with alive(tmp_path_factory.mktemp("disturbed"), home / "secrets") as life:
        life.world.set_clock(TODAY)
        play = Play(life, town)
        for act in (play.absent_at_first, play.servers_are_killed, play.workers_are_killed):
            began = time.monotonic()
            act()
            log.info("%s took %.1f s", act.__name__, time.monotonic() - began)
        logs = {name: life.log(name) for name in (*WORKERS, "api")}
        yield Story(town, life.made(), logs, play.ended, play.killed, play.said)


def test_the_undisturbed_run_did_something(undisturbed: Made) -> None:
    assert undisturbed.hashes["master"][1] == {"person": PERSONS, "unit": UNITS}
    assert undisturbed.hashes["observed"][1]["behind"] == 0
    assert len(undisturbed.accounts["directory"]) > PERSONS // 2
    assert len(undisturbed.accounts["collaboration"]) > PERSONS // 2
    assert not undisturbed.dead_letters


@pytest.mark.parametrize(
    ("worker", "message"),
    [
        *[(name, r"Kafka at 127\.0\.0\.1:\d+ does not answer") for name in WORKERS if name[:3] in {"ing", "eva"}],
        ("ingest-bulk", r"PostgreSQL \(\w+\); trying again"),
        ("relay", r"the relay waits [\d.]+ s: PostgreSQL \(\w+\)"),
        ("evaluate-bulk", r"timers wait: the database does not answer"),
        ("execute", r"execute \w+ waits for what does not answer: the database"),
        ("execute", r"account relay waits for what does not answer: the database"),
        ("execute", r"target directory does not answer: its changes wait, other targets go on"),
        ("execute", r"target collaboration does not answer: its changes wait, other targets go on"),
    ],
)
def test_a_worker_says_clearly_what_is_absent(disturbed: Story, worker: str, message: str) -> None:
    assert re.search(message, disturbed.said[worker])


def test_no_worker_ends_because_a_server_is_absent(disturbed: Story) -> None:
    assert disturbed.ended_while_absent == dict.fromkeys(WORKERS, 0)


@pytest.mark.parametrize("name", [*SERVERS, *WORKERS])
def test_what_is_killed_in_mid_load_is_back_by_itself(disturbed: Story, name: str) -> None:
    kill = disturbed.killed[name]
    assert kill.pending
    assert None not in kill.pids
    assert kill.pids[0] != kill.pids[1]
    assert kill.addresses[0] == kill.addresses[1]


@pytest.mark.parametrize("state", ["master", "desired", "observed"])
def test_the_final_hashes_are_those_of_the_undisturbed_run(undisturbed: Made, disturbed: Story, state: str) -> None:
    assert disturbed.made.hashes[state] == undisturbed.hashes[state]


@pytest.mark.parametrize("target", ["directory", "collaboration"])
def test_the_targets_hold_what_they_hold_after_the_undisturbed_run(
    undisturbed: Made, disturbed: Story, target: str
) -> None:
    assert disturbed.made.accounts[target] == undisturbed.accounts[target]


def test_no_record_was_set_aside_on_the_way(disturbed: Story) -> None:
    assert not disturbed.made.dead_letters


def test_no_log_holds_anything_of_a_person(disturbed: Story) -> None:
    found = {
        (name, place)
        for name, text in disturbed.logs.items()
        for place, canary in enumerate(disturbed.town.canaries)
        if holds_text(text.encode(), canary, depth=0)
    }
    assert not found
