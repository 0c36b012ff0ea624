"""What happens when a worker ends between intent and result, is late, or has company."""

import threading
from collections import Counter

from iam.domain.permit import BrakeView
from tests.integration.iam_execute.desk import DISABLED, ENABLED, Desk


class Killed(BaseException):
    """The process is gone: nothing that follows is run."""


def die(_key: str) -> None:
    raise Killed


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
    # the zombie's write landed last; what counts is what the second one read back, and the zombie wrote nothing down
    assert desk.outcomes(account) == ["intent", "read-back", "intent", "done"]
    assert desk.one("select presence from iam.observed") == ("disabled",)


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
