"""One attempt: read back if the outcome of an earlier one is unknown, decide, write the intent, ask, compare, record.

Before the target is asked, observed is UNKNOWN(attempt) and the intent is in the journal, both committed. UNKNOWN is
cleared by reading back only, be it the read-back of `ensure` or a `read` of its own after a time-out or a crash.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.targets import port
from iam.domain.account import AccountState, Intent, Lane, Presence, changed_attributes, digest
from iam.domain.permit import BrakeView, permit
from iam.domain.policy import ATTRIBUTES
from iam.execute import record
from iam.execute.backoff import delay
from iam.execute.breaker import Breaker
from iam.execute.metrics import CALL_SECONDS, OPERATIONS, Outcome
from iam.execute.queue import Connection, Queue, Taken
from iam.execute.readback import REFERENCE, as_held, equals, from_port, lacks_only_reference, managed, to_port
from iam.store.bodies import open_intent
from streams.clock import Clock, Ticker
from streams.contracts.errors import Rejected, Unavailable
from streams.metrics import Meter
from streams.sealing import KeyRing, KeyState

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a target said, and how many seconds that took."""

    value: T
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    outcome: Outcome
    code: str
    seconds: float = 0.0


class Attempts:
    """Attempts on one target. Used by several threads at once; what they share is safe for that."""

    def __init__(
        self,
        queue: Queue,
        keys: KeyRing,
        target: port.Target,
        breaker: Breaker,
        clock: Clock,
        ticker: Ticker,
        meter: Meter,
        brake: Callable[[], BrakeView],
    ) -> None:
        self._queue = queue
        self._keys = keys
        self._target = target
        self._breaker = breaker
        self._clock = clock
        self._ticker = ticker
        self._meter = meter
        self._brake = brake
        self._capabilities: port.Capabilities | None = None

    def make(self, taken: Taken) -> Outcome:
        """Do what can be done for one row under lease and give the lease back. Raises only what the database raises."""
        outcome = self._make(taken)
        self._meter.count(OPERATIONS, target=taken.target, outcome=outcome.value)
        return outcome

    def _make(self, taken: Taken) -> Outcome:
        intent = self._open(taken)
        if isinstance(intent, Failure):
            return self._failed(taken, intent)
        if intent is None:
            return self._again(taken, Outcome.UNREADABLE)
        if _nothing_needed(taken, intent):
            return self._settle_without_call(taken, Outcome.NOTHING)
        if _is_so_already(taken, intent):
            return self._settle_without_call(taken, Outcome.UNCHANGED)
        capabilities = self._known_capabilities()
        if isinstance(capabilities, Failure):
            return self._failed(taken, capabilities)
        brake = self._brake()
        held_back = taken.observed_status == "known" and brake != BrakeView.open()
        if taken.observed_status != "unknown" and not held_back:
            return self._decide(taken, intent, None, brake, capabilities)
        read = self._ask(lambda: self._target.read(taken.account))
        if isinstance(read, Failure):
            return self._failed(taken, read)
        before = from_port(read.value.state) if read.value else AccountState(taken.account, Presence.ABSENT)
        settled = self._read_back(taken, intent, before, read, capabilities)
        return self._decide(taken, intent, before, brake, capabilities) if settled is None else settled

    def _open(self, taken: Taken) -> Intent | Failure | None:
        """What is desired. None: its key is gone on purpose, and evaluate writes the row again."""
        try:
            keys = self._keys.find({taken.key_id}) if taken.key_id else {}
            intent = open_intent(keys, taken.account, taken.target, taken.key_id, taken.body)
        except Rejected as error:
            return Failure(Outcome.UNREADABLE, error.code)
        if intent is KeyState.UNKNOWN:
            return Failure(Outcome.UNREADABLE, "key.unknown")
        return None if isinstance(intent, KeyState) else intent

    def _known_capabilities(self) -> port.Capabilities | Failure:
        if self._capabilities is None:
            found = self._ask(self._target.capabilities)
            if isinstance(found, Failure):
                return found
            self._capabilities = found.value
        return self._capabilities

    def _decide(
        self,
        taken: Taken,
        intent: Intent,
        before: AccountState | None,
        brake: BrakeView,
        capabilities: port.Capabilities,
    ) -> Outcome:
        """`before`: the account as it was just read, None where it was not."""
        allowed = permit(intent.state, before, brake, Lane(taken.lane))
        if allowed is None or (before is not None and equals(allowed, before, capabilities)):
            return self._again(taken, Outcome.HELD)
        return self._ensure(taken, intent, before, allowed, capabilities)

    def _ensure(
        self,
        taken: Taken,
        intent: Intent,
        before: AccountState | None,
        allowed: AccountState,
        capabilities: port.Capabilities,
    ) -> Outcome:
        allowed = as_held(allowed, capabilities, allowed.groups)
        if not self._begin(taken, before, allowed):
            return self._late(taken)
        asked = self._ask(lambda: self._target.ensure(to_port(allowed)))
        if isinstance(asked, Failure):
            return self._failed(taken, asked, may_have_written=asked.outcome is not Outcome.UNREACHABLE)
        read = from_port(asked.value.state)
        outcome = Outcome.DONE
        if lacks_only_reference(intent.state, read, capabilities):
            outcome = Outcome.WAITS
        elif not equals(allowed, read, capabilities):
            outcome = Outcome.DIFFERS
        elif not equals(intent.state, read, capabilities):
            outcome = Outcome.PARTIAL
        groups = frozenset(taken.observed_groups) if before is None else before.groups
        entry = record.Entry(
            "result",
            outcome,
            attributes=sorted(name for name in asked.value.changed if name in _NAMES),
            added=managed(read.groups - groups),
            removed=managed(groups - read.groups),
            duration=asked.seconds,
        )
        return self._known(taken, intent, read, asked.value, entry, capabilities, may_have_written=True)

    def _begin(self, taken: Taken, before: AccountState | None, allowed: AccountState) -> bool:
        """Commit UNKNOWN and the intent. False: the lease was lost before anything was asked."""
        groups = frozenset(taken.observed_groups) if before is None else before.groups
        told = before is not None or taken.observed_status == "never"
        entry = record.Entry(
            "intent",
            attributes=changed_attributes(before, allowed) if told else (),
            added=managed(allowed.groups - groups),
            removed=managed(groups - allowed.groups),
            groups=managed(allowed.groups),
            presence=allowed.presence.value,
            digest_before=taken.observed_digest,
            digest_after=taken.digest,
        )
        with self._queue.pool.connection() as connection:
            if not self._queue.hold(connection, taken):
                return False
            record.unknown(connection, taken)
            record.journal(connection, taken, entry, self._clock.now())
        return True

    def _read_back(
        self,
        taken: Taken,
        intent: Intent,
        before: AccountState,
        read: Answer[port.Observed | None],
        capabilities: port.Capabilities,
    ) -> Outcome | None:
        """Write down what an account of unknown state is. None: it is not yet as desired, go on."""
        outcome = Outcome.UNCHANGED if equals(intent.state, before, capabilities) else Outcome.READ
        if outcome is Outcome.READ and taken.observed_status == "known":
            return None  # read for the brake's sake only
        entry = record.Entry("result", outcome, duration=read.seconds)
        observed = read.value or port.Observed(to_port(before))
        written = self._known(taken, intent, before, observed, entry, capabilities)
        return None if written is Outcome.READ else written

    def _known(
        self,
        taken: Taken,
        intent: Intent,
        read: AccountState,
        observed: port.Observed,
        entry: record.Entry,
        capabilities: port.Capabilities,
        *,
        may_have_written: bool = False,
    ) -> Outcome:
        """Record a read-back under the lease, journal it, and give the lease back unless more is to be done."""
        outcome = entry.outcome or Outcome.READ
        equal = outcome in (Outcome.DONE, Outcome.UNCHANGED)
        held = as_held(read, capabilities, intent.state.groups)
        now = self._clock.now()
        found = record.Read(
            read.presence,
            taken.digest if equal else digest(held, intent.salt),
            taken.version if equal else 0,
            sorted(held.groups),
            observed.native_id,
            observed.version,
        )
        with self._queue.pool.connection() as connection:
            if not self._queue.hold(connection, taken):
                return self._late(taken, connection if may_have_written else None)
            if not record.known(connection, taken, found, now):
                return self._read_again(connection, taken)
            self._queue.waits_no_more(connection, taken)
            if outcome is Outcome.WAITS:
                manager = intent.state.attributes[REFERENCE]
                outcome = outcome if self._queue.wait_for(connection, taken, manager) else Outcome.DIFFERS
            complete = record.completed(entry, outcome, found, managed(held.groups), taken.observed_digest)
            record.journal(connection, taken, complete, now)
            if equal or outcome is Outcome.WAITS:
                self._queue.done(connection, taken)
            elif outcome is Outcome.PARTIAL:
                self._queue.again(connection, taken, delay(outcome, 1, revocation=taken.revocation))
            elif outcome is Outcome.DIFFERS:
                wait = delay(outcome, taken.failures + 1, revocation=taken.revocation)
                record.failed(connection, taken, record.DIFFERS, wait)
                self._queue.again(connection, taken, wait)
        if read.presence is not Presence.ABSENT and taken.observed_presence == Presence.ABSENT:
            self._queue.wake_waiting(taken)
        if outcome is Outcome.DIFFERS:
            log.warning("target %s, account %s: the read-back differs from what was asked", taken.target, taken.account)
        return outcome

    def _failed(self, taken: Taken, failure: Failure, *, may_have_written: bool = False) -> Outcome:
        """Nothing is dropped: the row waits and is tried again; what is known of the account stays as it is."""
        wait = delay(failure.outcome, taken.failures + 1, revocation=taken.revocation)
        entry = record.Entry("result", failure.outcome, error_code=failure.code, duration=failure.seconds)
        with self._queue.pool.connection() as connection:
            if not self._queue.hold(connection, taken):
                return self._late(taken, connection if may_have_written else None)
            record.failed(connection, taken, failure.code, wait)
            record.journal(connection, taken, entry, self._clock.now())
            self._queue.again(connection, taken, wait)
        if failure.outcome is Outcome.REFUSED:
            log.warning("target %s, account %s: refused (%s)", taken.target, taken.account, failure.code)
        return failure.outcome

    def _again(self, taken: Taken, outcome: Outcome) -> Outcome:
        with self._queue.pool.connection() as connection:
            self._queue.again(connection, taken, delay(outcome, 1, revocation=taken.revocation))
        return outcome

    def _settle_without_call(self, taken: Taken, outcome: Outcome) -> Outcome:
        """Nothing is asked: no attempt was ever made and none is needed, or the target already is as desired."""
        with self._queue.pool.connection() as connection:
            if not self._queue.hold(connection, taken):
                return self._late(taken)
            if not record.settled(connection, taken):
                return self._read_again(connection, taken)
            entry = record.Entry("result", outcome, digest_before=taken.observed_digest, digest_after=taken.digest)
            record.journal(connection, taken, entry, self._clock.now())
            self._queue.done(connection, taken)
        return outcome

    def _late(self, taken: Taken, wrote: Connection | None = None) -> Outcome:
        """The lease was lost. `wrote`: this attempt may have written after its successor did, so that what is known of the
        account is to be read again."""
        log.warning("target %s, account %s: the lease was lost, the result does not count", taken.target, taken.account)
        if wrote is not None:
            self._queue.doubt(wrote, taken)
            record.doubt(wrote, taken)
        return Outcome.LATE

    def _read_again(self, connection: Connection, taken: Taken) -> Outcome:
        """A worker that had lost its lease came to the end of its call meanwhile: whose write was the last is not known."""
        log.warning("target %s, account %s: a late call came in between, it is read again", taken.target, taken.account)
        self._queue.again(connection, taken, 0.0)
        return Outcome.LATE

    def _ask(self, call: Callable[[], T]) -> Answer[T] | Failure:
        """Call the target; whatever it raises becomes a named outcome, and the breaker hears of it."""
        started = self._ticker.monotonic()
        try:
            value = call()
        except Rejected as error:
            failure = Failure(Outcome.REFUSED, error.code)
        except Unavailable as error:
            sent = error.code != "target.unreachable"
            failure = Failure(Outcome.UNKNOWN if sent else Outcome.UNREACHABLE, error.code)
        except Exception as error:  # noqa: BLE001  # a fault in one connector is not to stop the others
            log.warning("target %s: unexpected %s", self._breaker.target, type(error).__name__)  # its text may tell
            failure = Failure(Outcome.UNKNOWN, "internal.unexpected")
        else:
            seconds = self._ticker.monotonic() - started
            self._breaker.succeeded()
            self._meter.observe(CALL_SECONDS, seconds, target=self._breaker.target)
            return Answer(value, seconds)
        if failure.outcome is Outcome.UNREACHABLE:
            self._breaker.failed()
        elif failure.outcome is Outcome.UNKNOWN:
            self._breaker.timed_out()
        else:
            self._breaker.succeeded()
        return Failure(failure.outcome, failure.code, self._ticker.monotonic() - started)


_NAMES = frozenset(("created", "deleted", "presence", "uid", *ATTRIBUTES))
"""What a journal may name as changed; groups are told apart."""


def _nothing_needed(taken: Taken, intent: Intent) -> bool:
    """A join and a leave become nothing only where no attempt was ever made, or where the account is known to be gone."""
    gone = taken.observed_status == "never" or (
        taken.observed_status == "known" and taken.observed_presence == Presence.ABSENT
    )
    unwanted = intent.state.presence is Presence.ABSENT or not intent.create_missing
    return gone and unwanted


def _is_so_already(taken: Taken, intent: Intent) -> bool:
    """What is desired was read back before, and something else was desired in between only."""
    same = taken.observed_digest == taken.digest and taken.observed_presence == intent.state.presence
    return taken.observed_status == "known" and same
