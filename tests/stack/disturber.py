"""Kills whatever runs, at random moments, and lets the directory be away, slow and cut off. All drawn by a seed."""

import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.stack.life import SERVERS, WORKERS, Life, until
from tests.stack.proxy import Proxy

KILLED_SERVERS = tuple(name for name in SERVERS if name != "ldap")
"""The directory itself lives on: what happens to it happens in the proxy, where the line can be cut after the write."""

_PAUSE = 1.2
"""Seconds between two disturbances, on average."""

_LONGEST_LULL = 5.0
"""Seconds that a kill waits for work to be on its way."""

log = logging.getLogger(__name__)


@dataclass
class Disturber:
    """Goes on until everything has been killed `rounds` times; then the proxy behaves.

    Before each kill it asks for work (`hungry`), and waits until some is on its way. `over` is set at the end.
    """

    life: Life
    proxy: Proxy
    seed: int
    rounds: int
    kills: Counter[str] = field(default_factory=Counter)
    while_pending: Counter[str] = field(default_factory=Counter)
    """Of the kills, those in moments when work was on its way."""
    hungry: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, seconds: float) -> None:
        """Raises AssertionError if it is not done after `seconds`, or something killed does not come back."""
        chance = random.Random(self.seed)
        moves: Mapping[str, Callable[[random.Random], None]] = {
            "away": self._away,
            "slow": self._slow,
            "cut": self._cut,
        }
        end = time.monotonic() + seconds
        while self.progress() < 1.0:
            assert time.monotonic() < end, f"killed so far: {dict(self.kills)}"
            time.sleep(chance.expovariate(1 / _PAUSE))
            if chance.random() < 0.3:
                name = chance.choice(sorted(moves))
                log.info("the directory: %s", name)
                moves[name](chance)
            else:
                self._kill(chance)
        self.proxy.behave()

    def progress(self) -> float:
        """How much of what must be killed at least has been, 0 to 1."""
        names = (*WORKERS, *KILLED_SERVERS)
        return sum(min(self.kills[name], self.rounds) for name in names) / (self.rounds * len(names))

    def _kill(self, chance: random.Random) -> None:
        """A worker mostly, a server now and then; what was killed least is the likeliest."""
        names = WORKERS if chance.random() < 0.75 else KILLED_SERVERS
        name = chance.choices(names, [1 / (1 + 3 * self.kills[one]) for one in names])[0]
        stack = self.life.found.stack
        before = stack.pid(name)
        if before is None:  # it has been killed a moment ago and waits for its restart
            return
        self.hungry.release()
        end = time.monotonic() + _LONGEST_LULL
        while not (pending := self.life.busy()) and time.monotonic() < end:
            time.sleep(0.02)
        try:
            os.kill(before, signal.SIGKILL)
        except ProcessLookupError:  # it ended by itself a moment ago
            return
        self.kills[name] += 1
        self.while_pending[name] += pending
        log.info("%s is killed", name)
        if name in SERVERS:
            until(lambda: stack.pid(name) not in {None, before}, 30, f"{name} is started again")
            until(lambda: self.life.answers(name), 60, f"{name} answers again")

    def _away(self, chance: random.Random) -> None:
        self.proxy.away = True
        time.sleep(chance.uniform(0.5, 3.0))
        self.proxy.away = False

    def _slow(self, chance: random.Random) -> None:
        self.proxy.delay = chance.uniform(0.02, 0.3)
        time.sleep(chance.uniform(0.5, 2.0))
        self.proxy.delay = 0.0

    def _cut(self, chance: random.Random) -> None:
        self.proxy.cut = chance.uniform(0.05, 0.3)
        time.sleep(chance.uniform(1.0, 3.0))
        self.proxy.cut = 0.0
