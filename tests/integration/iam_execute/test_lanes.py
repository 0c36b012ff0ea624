"""The lane in which work waits, and that the queue and evaluation never block each other for good."""

import threading
import uuid
from itertools import chain, combinations, product

import pytest

from iam.domain.account import AccountState, Lane, Presence
from iam.domain.permit import lane_of
from iam.execute.executor import Executor
from streams.clock import SystemTicker
from streams.keys import MemoryKeyRing
from streams.sealing import Key, KeyState
from tests.integration.iam_execute.desk import DISABLED, ENABLED, Desk

GROUPS = ("org:unit:kommun:1", "role:usk")
SOME = [frozenset(found) for found in chain.from_iterable(combinations(GROUPS, n) for n in range(3))]


def test_work_waits_in_the_lane_that_the_domain_says(desk: Desk) -> None:
    expected: dict[str, str] = {}
    for presence, wanted, seen, held in product(Presence, SOME, Presence, SOME):
        account = str(uuid.uuid4())
        observed = AccountState(
            account, seen, f"u{account[:8]}", {}, held if seen is not Presence.ABSENT else frozenset()
        )
        lane = lane_of(AccountState(account, presence, f"u{account[:8]}", {}, wanted), observed)
        if lane is None:
            continue
        desk.run(
            "insert into iam.observed (account, target, status, presence, groups) values (%s, 'directory', 'known', %s, %s)",
            *(account, seen.value, sorted(observed.groups)),
        )
        desk.want(account, presence, groups=tuple(sorted(wanted)))
        expected[account] = lane.value
    assert set(expected.values()) == {"disable", "remove", "update", "create"}
    found = desk.all("select account::text, lane from iam.work")
    assert {str(account): lane for account, lane in found} == expected


def test_an_account_of_unknown_state_that_shall_be_disabled_waits_as_an_end(desk: Desk) -> None:
    account = desk.join()
    desk.run("insert into iam.observed (account, target, status) values (%s, 'directory', 'unknown')", account)
    desk.leave(account)
    assert desk.one("select lane from iam.work") == ("disable",)


def test_a_change_that_is_written_after_an_end_does_not_put_the_end_off(desk: Desk) -> None:
    account = desk.join()
    executor = desk.executor()
    executor.run_once()
    desk.leave(account)
    desk.want(account, DISABLED, title="Vikarie", lane=Lane.UPDATE)
    assert desk.one("select lane from iam.work") == ("disable",)


def test_what_protects_keeps_protecting_until_it_is_done(desk: Desk) -> None:
    account = desk.join(display_name="Ett Namn")
    executor = desk.executor()
    executor.run_once()
    desk.want(account, display_name="u", lane=Lane.PROTECT)
    desk.want(account, display_name="u", title="Lärare", lane=Lane.UPDATE)
    assert desk.one("select lane from iam.work") == ("protect",)
    executor.run_once()
    assert desk.target.accounts[account].attributes == {"display_name": "u", "title": "Lärare"}


def test_a_desired_row_that_is_taken_away_is_no_work(desk: Desk) -> None:
    desk.join()
    desk.run("delete from iam.desired")
    assert desk.executor().pending() == 0


def test_changes_of_many_rows_at_once_and_two_executors_do_not_deadlock(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    manager = desk.join()
    accounts = [desk.join(manager=manager) for _ in range(40)]
    stop = threading.Event()
    executors = [desk.executor(owner) for owner in ("one", "two")]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in executors]
    for thread in threads:
        thread.start()
    try:
        for _ in range(12):  # as evaluation does: many rows in one transaction, in order
            with desk.pool.connection() as connection:
                connection.execute(
                    "update iam.desired d set version = version + 1, digest = digest || 'x' from"
                    " (select account from iam.desired order by account for update) n where n.account = d.account"
                )
            stop.wait(0.05)
        for account in (manager, *accounts):
            desk.want(account, ENABLED, groups=("role:usk",))
        for _ in range(500):
            if executors[0].pending() == 0:
                break
            stop.wait(0.02)
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert executors[0].pending() == 0
    assert "does not answer" not in caplog.text
    assert desk.target.overlaps == 0
    assert {state.groups for state in desk.target.accounts.values()} == {frozenset({"role:usk"})}


class BrokenKeys(MemoryKeyRing):
    """A fault of our own."""

    def find(self, key_ids: set[str]) -> dict[str, Key | KeyState]:
        raise LookupError("a fault of our own")


def test_a_fault_of_our_own_ends_the_run_and_is_raised_there(desk: Desk) -> None:
    desk.join()
    executor = Executor(desk.pool, BrokenKeys(), {"directory": desk.target}, SystemTicker(), desk.clock, "one")
    with pytest.raises(LookupError, match="of our own"):
        executor.run(threading.Event())
