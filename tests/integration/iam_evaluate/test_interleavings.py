"""Two evaluate processes at once, stopped at the worst moment by a key ring that waits: forced, not by chance."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from iam.domain.account import Presence
from iam.evaluate.handler import EvaluateHandler
from iam.store.state import desired_hash
from streams.codec import PublishedCodec
from streams.contracts.claims import Marking
from streams.envelope import Message
from streams.keys import MemoryKeyRing
from streams.sealing import Key, KeyClass, KeyState
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import DAY, DOMAIN, O1, O2, SECRET, TOP, UNITS, person, work


class SlowKeys(MemoryKeyRing):
    """Over the keys of another ring: the `nth` look-up waits until it is let go, inside the transaction."""

    def __init__(self, keys: MemoryKeyRing, nth: int) -> None:
        super().__init__()
        self._inner = keys
        self._left = nth
        self.reached = threading.Event()
        self.go = threading.Event()

    def find(self, key_ids: set[str]) -> Mapping[str, Key | KeyState]:
        self._left -= 1
        if self._left == 0:
            self.reached.set()
            assert self.go.wait(20)
        return self._inner.find(key_ids)


def handler_with(iam: Iam, keys: MemoryKeyRing) -> EvaluateHandler:
    return EvaluateHandler(iam.pool, PublishedCodec(iam.keys), keys, iam.policy, SECRET, DOMAIN, iam.clock)


class Run(threading.Thread):
    """A handler on a batch in a thread; `ended` raises what it raised."""

    def __init__(self, handler: Callable[[Sequence[Message]], None], batch: Sequence[Message]) -> None:
        super().__init__(daemon=True)
        self._handler = handler
        self._batch = batch
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._handler(self._batch)
        except BaseException as error:  # noqa: BLE001  # handed to the test
            self._error = error

    def ended(self) -> None:
        self.join(20)
        assert not self.is_alive()
        if self._error:
            raise self._error


def waits_for_a_lock(iam: Iam) -> bool:
    """Whether some transaction of this database waits for an advisory lock (asked for up to five seconds)."""
    for _ in range(250):
        if iam.rows(
            """select 1 from pg_locks l join pg_database d on d.oid = l.database
               where d.datname = current_database() and l.locktype = 'advisory' and not l.granted"""
        ):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_unit_that_appears_while_its_employee_is_evaluated_is_never_missed(
    new_iam: Callable[[], Iam], stop_at: int
) -> None:
    iam = new_iam()
    iam.say(UNITS[TOP], UNITS[O2])
    slow = SlowKeys(iam.keys, stop_at)
    employee = Run(handler_with(iam, slow), [iam.message(person(work()))])
    assert slow.reached.wait(20)
    appears = Run(iam.handler, [iam.message(UNITS[O1])])
    assert waits_for_a_lock(iam)
    slow.go.set()
    employee.ended()
    appears.ended()
    assert iam.versions() == {}
    assert iam.settle() == 1
    assert iam.state().groups == {f"org:{O1}", "role:usk"}


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_manager_who_is_hired_while_the_employee_is_evaluated_is_never_missed(iam: Iam, stop_at: int) -> None:
    slow = SlowKeys(iam.keys, stop_at)
    employee = Run(handler_with(iam, slow), [iam.message(person(work(manager="boss")))])
    assert slow.reached.wait(20)
    boss = Run(iam.handler, [iam.message(person(work("e9"), who="boss"))])
    assert waits_for_a_lock(iam)
    slow.go.set()
    employee.ended()
    boss.ended()
    iam.settle()
    assert iam.state().attributes["manager"] == iam.state("boss").key


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_zombie_worker_with_the_same_batch_changes_nothing(iam: Iam, stop_at: int) -> None:
    batch = [iam.message(person(work(f"e{n}"), who=f"p{n}")) for n in range(5)]
    slow = SlowKeys(iam.keys, stop_at)
    zombie = Run(handler_with(iam, slow), batch)
    assert slow.reached.wait(20)
    worker = Run(iam.handler, batch[::-1])
    assert waits_for_a_lock(iam)
    slow.go.set()
    zombie.ended()
    worker.ended()
    assert set(iam.versions().values()) == {1}
    assert iam.rows("select count(*) from iam.account") == [(5,)]
    assert iam.rows("select count(*) from iam.journal where kind = 'allocated'") == [(5,)]


@pytest.mark.parametrize("urgent_first", [True, False])
def test_the_urgent_and_the_bulk_process_end_alike_whoever_comes_first(iam: Iam, urgent_first: bool) -> None:
    iam.say(person(work()))
    old = iam.message(person(work(title="Vårdbiträde")))
    iam.keys.renew(KeyClass.OUTER, "p1")
    marked = iam.message(person(work(to=DAY.replace(day=1)), marking=Marking.SEKRETESSMARKERING))
    first, second = (marked, old) if urgent_first else (old, marked)
    slow = SlowKeys(iam.keys, 2)
    one = Run(handler_with(iam, slow), [first])
    assert slow.reached.wait(20)
    other = Run(iam.handler, [second])
    assert waits_for_a_lock(iam)
    slow.go.set()
    one.ended()
    other.ended()
    iam.keys.destroy_older(KeyClass.OUTER, "p1")
    assert set(iam.state().attributes) == {"display_name", "eppn"}
    assert iam.state(target="cloud").presence is Presence.DISABLED
    assert desired_hash(iam.pool, iam.keys).counts["unreadable"] == 0


def test_a_batch_of_persons_and_a_batch_of_their_units_in_ten_threads_end_in_the_one_state(
    new_iam: Callable[[], Iam],
) -> None:
    found = set()
    for threads in (1, 10):
        iam = new_iam()
        people = [
            person(work(f"e{n}", at_unit=(O1, O2)[n % 2], manager=f"p{(n + 1) % 30}"), who=f"p{n}") for n in range(30)
        ]
        messages = [iam.message(one) for one in people] + [iam.message(one) for one in UNITS.values()]
        if threads == 1:
            iam.handler(messages)
        else:
            for run in [Run(iam.handler, messages[n::threads] + messages[:: n + 1]) for n in range(threads)]:
                run.ended()
        iam.settle()
        assert iam.timers.pending() == 0
        found.add(desired_hash(iam.pool, iam.keys).hash)
    assert len(found) == 1
