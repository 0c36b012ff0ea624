"""What happens when a worker ends between intent and result, is late, or has company."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from connectors.targets.ldap import LdapSettings, LdapTarget
from connectors.targets.port import Target
from iam.domain.permit import BrakeView
from iam.execute.executor import Executor
from streams.clock import SystemTicker
from streams.contracts.errors import Rejected, Unavailable
from tests.integration.iam_execute.desk import DISABLED, ENABLED, NOON, Desk


class Killed(BaseException):
    """The process is gone: nothing that follows is run."""


def die(_key: str) -> None:
    raise Killed


def refuse(_key: str) -> None:
    """After a part was written."""
    raise Rejected("target.refused", "directory")


def time_out(_key: str) -> None:
    raise Unavailable("target.unknown-outcome", "directory")


def kill_during_a_call(desk: Desk, *, written: bool) -> None:
    """The worker `first` ends while the target works; whether the target had written is up to the caller."""
    if written:
        desk.target.after = die
    else:
        desk.target.before = die
    try:
        desk.executor("first").run_once()
    except Killed:
        desk.target.before = desk.target.after = lambda _key: None
        return
    raise AssertionError("nothing was called")


def test_after_a_crash_the_next_owner_reads_back_first_and_makes_nothing_twice(desk: Desk) -> None:
    account = desk.join()
    kill_during_a_call(desk, written=True)
    assert desk.one("select status from iam.observed") == ("unknown",)
    second = desk.executor("second")
    assert second.run_once() == 0, "the lease still holds"
    desk.expire_leases()
    assert second.run_once() == 1
    assert desk.target.calls == [("ensure", account), ("read", account)]
    assert desk.outcomes(account) == ["intent", "unchanged"]


def test_after_a_crash_before_the_write_the_next_owner_finds_nothing_and_writes(desk: Desk) -> None:
    account = desk.join()
    kill_during_a_call(desk, written=False)
    desk.expire_leases()
    desk.executor("second").run_once()
    assert [verb for verb, _ in desk.target.calls] == ["ensure", "read", "ensure"]
    assert desk.outcomes(account) == ["intent", "read-back", "intent", "done"]
    assert desk.one("select status, presence from iam.observed") == ("known", "enabled")


def test_the_result_of_a_worker_that_lost_its_lease_does_not_count(desk: Desk) -> None:
    account = desk.join()
    second = desk.executor("second")

    def overtaken(key: str) -> None:
        desk.target.before = lambda _key: None
        desk.expire_leases()
        desk.leave(key)
        second.run_once()  # reads: not there yet; writes: disabled

    desk.target.before = overtaken
    desk.executor("zombie").run_once()
    # what the zombie was told is written down nowhere; it makes the account work again, which is read and put right
    assert desk.outcomes(account) == ["intent", "read-back", "intent", "done", "read-back", "intent", "done"]
    assert desk.one("select presence from iam.observed") == ("disabled",)


@pytest.mark.parametrize("answer", ["done", "no answer in time", "refused"])
def test_what_a_worker_wrote_after_it_lost_its_lease_is_found_and_put_right(desk: Desk, answer: str) -> None:
    account = desk.join()
    second = desk.executor("second")
    landed: list[str] = []

    def overtaken(key: str) -> None:
        desk.target.before = lambda _key: None
        desk.expire_leases()
        desk.leave(key)
        second.run_once()
        desk.target.after = lands

    def lands(key: str) -> None:
        desk.target.after = lambda _key: None
        landed.append(desk.target.accounts[key].presence.value)
        {"done": lambda _key: None, "no answer in time": time_out, "refused": refuse}[answer](key)

    desk.target.before = overtaken
    desk.executor("zombie").run_once()
    desk.settle(second)
    assert landed == [ENABLED], "the late write landed last"
    assert desk.target.accounts[account].presence.value == DISABLED
    assert desk.one("select status, presence from iam.observed") == ("known", "disabled")
    calls = len(desk.target.calls)
    assert second.run_once() == 0
    assert len(desk.target.calls) == calls


@dataclass
class WaitingClock:
    """Tells the time when `moment` has come and gone."""

    moment: Callable[[], None]

    def now(self) -> dt.datetime:
        self.moment()
        return NOON


def test_a_late_write_between_the_successors_read_back_and_its_record_makes_it_read_again(desk: Desk) -> None:
    account = desk.join()
    read_back = threading.Event()

    def after_the_read_back() -> None:
        state = desk.target.accounts.get(account)
        if state is not None and state.presence.value == DISABLED and not read_back.is_set():
            read_back.set()
            zombie.join(10)

    targets: dict[str, Target] = {"directory": desk.target}
    clock = WaitingClock(after_the_read_back)
    second = threading.Thread(
        target=Executor(desk.pool, desk.keys, targets, SystemTicker(), clock, "second").run_once, daemon=True
    )

    def overtaken(key: str) -> None:
        desk.target.before = lambda _key: None
        desk.expire_leases()
        desk.leave(key)
        second.start()
        assert read_back.wait(10)

    desk.target.before = overtaken
    zombie = threading.Thread(target=desk.executor("zombie").run_once, daemon=True)
    zombie.start()
    zombie.join(10)
    second.join(10)
    assert not second.is_alive()
    desk.settle(desk.executor("third"))
    assert desk.target.accounts[account].presence.value == DISABLED


def test_an_executor_whose_lease_a_call_may_outlive_is_refused(desk: Desk) -> None:
    slow = LdapTarget(LdapSettings("ldap://127.0.0.1:1", "cn=admin", "only-for-this-test", "dc=kommun,dc=test"))
    targets: dict[str, Target] = {"directory": slow}
    longest = slow.capabilities().longest_call
    with pytest.raises(ValueError, match="lease"):
        Executor(desk.pool, desk.keys, targets, SystemTicker(), desk.clock, "one", lease_seconds=longest)
    Executor(desk.pool, desk.keys, targets, SystemTicker(), desk.clock, "one", lease_seconds=longest + 1)


def test_a_worker_that_lost_its_lease_before_the_call_does_not_call(desk: Desk) -> None:
    account = desk.join()
    asked: list[int] = []

    def slow() -> BrakeView:
        if not asked:
            desk.expire_leases()
            assert desk.executor("quick").run_once() == 1
        asked.append(1)
        return BrakeView.open()

    desk.executor("slow", brake=slow).run_once()
    assert desk.target.calls == [("ensure", account)]


def test_two_executors_never_call_for_one_account_at_the_same_time_and_do_nothing_twice(desk: Desk) -> None:
    accounts = [desk.join() for _ in range(40)]
    desk.target.seconds = 0.005
    stop = threading.Event()
    executors = [desk.executor(owner) for owner in ("one", "two")]
    threads = [threading.Thread(target=executor.run, args=(stop,)) for executor in executors]
    for thread in threads:
        thread.start()
    try:
        for account in accounts:
            desk.want(account, ENABLED, groups=("role:chef",), title="Chef")
        for account in accounts[::2]:
            desk.leave(account)
        wait_until(lambda: executors[0].pending() == 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert desk.target.overlaps == 0
    for number, account in enumerate(accounts):
        state = desk.target.accounts.get(account)
        left = number % 2 == 0
        assert state is None or state.presence.value == (DISABLED if left else ENABLED)
        assert left or state is not None
    intents = Counter(desk.all("select account, desired_version from iam.journal where kind = 'intent'"))
    assert max(intents.values()) == 1


def wait_until(condition: object, seconds: float = 10.0) -> None:
    assert callable(condition)
    ended = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        ended.wait(0.02)
    raise AssertionError(f"not within {seconds} s")
