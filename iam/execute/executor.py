"""The executor: threads per target that carry out what differs, one of them kept for protection and disabling."""

import logging
import threading
from collections.abc import Callable, Mapping

from connectors.targets.port import Target
from iam.domain.account import Lane
from iam.domain.permit import BrakeView
from iam.execute.attempt import Attempts
from iam.execute.breaker import Breaker, BreakerState, Passage
from iam.execute.listening import listening
from iam.execute.metrics import BREAKER, OLDEST, OLDEST_REVOCATION, QUEUE, TARGET, Outcome
from iam.execute.patience import DATABASE_AWAY, Patience
from iam.execute.queue import CHANNEL, Pool, Queue
from streams.clock import Clock, Ticker
from streams.contracts.errors import Rejected, Unavailable
from streams.metrics import Meter
from streams.progress import Progress
from streams.sealing import KeyRing

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""How often an idle thread looks at the queue, should a notification be lost or a back-off end."""
FIGURES_SECONDS = 2.0
SWEEP_SECONDS = 30.0
STOP_SECONDS = 9.0
"""How long calls under way may take to finish when asked to stop; what does not finish is read back by the next."""
LEASE_SECONDS = 30.0


class Executor:
    """Makes every account equal to what is desired, target by target. Needs `2 + threads x targets` connections.

    `owner` names this process and must differ between processes. Several may run: leases keep them apart. `brake` says
    which lanes may act now. In steady state no target is called.
    """

    def __init__(
        self,
        pool: Pool,
        keys: KeyRing,
        targets: Mapping[str, Target],
        ticker: Ticker,
        clock: Clock,
        owner: str,
        threads: int = 2,
        *,
        lease_seconds: float = LEASE_SECONDS,
        brake: Callable[[], BrakeView] = BrakeView.open,
        meter: Meter | None = None,
    ) -> None:
        if threads < 2:
            raise ValueError("two threads a target at least: one is kept for revocations")
        if any(target.capabilities().longest_call >= lease_seconds for target in targets.values()):
            raise ValueError("a lease outlives every call: a target's calls may last longer")
        self.meter = meter or Meter()
        self.meter.know(TARGET, targets)
        self.progress = {name: Progress() for name in targets}
        self._pool = pool
        self._ticker = ticker
        self._targets = dict(targets)
        self._threads = threads
        self._queue = Queue(pool, owner, lease_seconds)
        self._noted: dict[str, bool] = {}
        self._noting = threading.Lock()
        self._unconnected: set[str] = set()
        self._breakers = {name: Breaker(name, ticker) for name in targets}
        self._attempts = {
            name: Attempts(self._queue, keys, target, self._breakers[name], clock, ticker, self.meter, brake)
            for name, target in targets.items()
        }

    # --- one round in the calling thread: the direct runner and tests ---

    def run_once(self) -> int:
        """Carry out everything that is ready now, lane by lane in each target; returns how many rows were handled.

        A target that does not answer is left after its first failure. What waits for a next try stays: see `retry_now`.
        Raises what the database raises.
        """
        self._queue.sweep()
        handled = 0
        open_targets = set(self._targets)
        while open_targets:
            for name in sorted(open_targets):
                outcome = self._step(name, Lane.CREATE.rank)
                if outcome is None:
                    open_targets.discard(name)
                else:
                    handled += 1
        return handled

    def retry_now(self, target: str | None = None) -> None:
        """Whatever waits for a next try, in one target or all, is tried at the next opportunity."""
        self._queue.retry_now(target)
        for name, breaker in self._breakers.items():
            if target in (None, name):
                breaker.ask_at_once()

    def pending(self) -> int:
        """How many rows are not carried out, whatever they wait for."""
        return sum(one.count for one in self._queue.waiting())

    def _step(self, target: str, most_rank: int) -> Outcome | None:
        """Handle the most urgent row of a target. None: nothing to do now, or the target is away."""
        passage = self._breakers[target].passage()
        outcome: Outcome | None = None
        if passage is Passage.CALL or (passage is Passage.PROBE and self._probe(target)):
            taken = self._queue.take(target, most_rank)
            if taken:
                outcome = self._attempts[target].make(taken)
                self.progress[target].moved()
        self._note(target)
        return outcome

    def _note(self, target: str) -> None:
        """Keep `iam.target_away` true, so that others know what waits for a target and not for us."""
        with self._noting:
            away = self._breakers[target].state is not BreakerState.CLOSED
            if self._noted.get(target) is not away:
                self._queue.note_target(target, away=away)
                self._noted[target] = away

    def _probe(self, target: str) -> bool:
        """Ask a target that was away for one account, without changing anything. True: it answers."""
        breaker = self._breakers[target]
        try:
            self._targets[target].read(self._queue.next_key(target) or _NOBODY)
        except Rejected:
            pass  # a refusal is an answer
        except Unavailable:
            breaker.failed()
            return False
        except DATABASE_AWAY:
            breaker.failed()
            raise
        except Exception as error:  # noqa: BLE001  # a fault in one connector is not to stop the others
            log.warning("target %s: unexpected %s", target, type(error).__name__)
            breaker.failed()
            return False
        breaker.succeeded()
        return True

    # --- for ever ---

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then finish the calls under way (within `STOP_SECONDS`) and return.

        An absent database is waited for. Any other fault of our own ends the run and is raised here.
        """
        ending = threading.Event()
        wakers: list[threading.Event] = []
        faults: list[BaseException] = []
        threads: list[threading.Thread] = []

        def guarded(work: Callable[[], None]) -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  # raised again by `run` itself
                faults.append(error)
                ending.set()

        def start(name: str, work: Callable[[], None]) -> None:
            threads.append(threading.Thread(target=guarded, args=(work,), name=name, daemon=True))

        for target in self._targets:
            for number in range(self._threads):
                waker = threading.Event()
                wakers.append(waker)
                rank = Lane.DISABLE.rank if number == 0 else Lane.CREATE.rank
                start(f"execute-{target}-{number}", _bound(self._work, target, rank, waker, ending))
        start("execute-listen", _bound(self._listen, wakers, ending))
        start("execute-keep", _bound(self._keep, ending))
        for thread in threads:
            thread.start()
        while not stop.wait(0.1) and not ending.is_set():
            pass
        ending.set()
        for waker in wakers:
            waker.set()
        deadline = self._ticker.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - self._ticker.monotonic()))
        left = [thread.name for thread in threads if thread.is_alive()]
        if left:
            log.warning("stopped without waiting longer for %s: the next run reads back", ", ".join(left))
        if faults:
            raise faults[0]

    def _work(self, target: str, most_rank: int, waker: threading.Event, ending: threading.Event) -> None:
        patience = Patience(f"execute {target}")
        while not ending.is_set():
            waker.clear()
            try:
                outcome = self._step(target, most_rank)
            except DATABASE_AWAY as error:
                patience.wait(error, ending)
                continue
            patience.over()
            if outcome is None:
                waker.wait(POLL_SECONDS)

    def _listen(self, wakers: list[threading.Event], ending: threading.Event) -> None:
        """Wake every thread when something became work. Only a saving of time: idle threads look by themselves too."""
        patience = Patience("execute listener")
        while not ending.is_set():
            try:
                with listening(self._pool, CHANNEL) as wait:
                    patience.over()
                    while not ending.is_set():
                        if wait(0.5):
                            for waker in wakers:
                                waker.set()
            except DATABASE_AWAY as error:
                patience.wait(error, ending)

    def _keep(self, ending: threading.Event) -> None:
        """Figures for the metrics, and the sweep that makes the queue follow from desired and observed."""
        patience = Patience("execute figures")
        sweep_at = 0.0
        while not ending.is_set():
            try:
                if self._ticker.monotonic() >= sweep_at:
                    self._queue.sweep()
                    sweep_at = self._ticker.monotonic() + SWEEP_SECONDS
                self.measure()
            except DATABASE_AWAY as error:
                patience.wait(error, ending)
                continue
            patience.over()
            ending.wait(FIGURES_SECONDS)

    def measure(self) -> None:
        """Bring the gauges up to date."""
        waiting = {(one.target, one.lane): one for one in self._queue.waiting()}
        for target in {target for target, _ in waiting} - set(self._targets) - self._unconnected:
            log.warning("target %s is not connected here: its changes wait", target)
            self._unconnected.add(target)
        for target, breaker in self._breakers.items():
            self.meter.set(BREAKER, breaker.state, target=target)
            oldest = 0.0
            for lane in Lane:
                found = waiting.get((target, lane))
                self.meter.set(QUEUE, found.count if found else 0, target=target, lane=lane.value)
                self.meter.set(OLDEST, found.oldest_seconds if found else 0.0, target=target, lane=lane.value)
                if found and lane.rank <= Lane.DISABLE.rank:
                    oldest = max(oldest, found.oldest_seconds)
            self.meter.set(OLDEST_REVOCATION, oldest, target=target)


_NOBODY = "00000000-0000-8000-8000-000000000000"
"""No account has this key: what a probe reads where nothing waits any more."""


def _bound(work: Callable[..., None], *arguments: object) -> Callable[[], None]:
    return lambda: work(*arguments)
