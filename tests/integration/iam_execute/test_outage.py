"""S-23: a target that is away for hours; and what waits behind a large load."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from connectors.targets import port
from iam.domain.account import Lane
from iam.execute.executor import Executor
from streams.clock import SystemTicker
from tests.integration.iam_execute.desk import DISABLED, Desk, HandTarget


@contextmanager
def running(executor: Executor) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=executor.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive(), "it stops within ten seconds"


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Seconds that it took."""
    started = time.monotonic()
    while time.monotonic() < started + seconds:
        if condition():
            return time.monotonic() - started
        time.sleep(0.005)
    raise AssertionError(f"not within {seconds} s")


def test_after_four_hours_away_the_order_is_protection_and_ends_then_removals_updates_and_creations(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    leavers = [desk.join() for _ in range(12)]
    movers = [desk.join(groups=("org:unit:kommun:1", "role:usk")) for _ in range(30)]
    renamed = [desk.join(title="Lärare") for _ in range(2)]
    marked = desk.join(display_name="Ett Namn")
    executor = desk.executor()
    executor.run_once()
    desk.target.calls.clear()
    desk.target.down = True
    joiners = [desk.join() for _ in range(50)]
    for mover in movers:
        desk.want(mover, groups=("org:unit:kommun:2", "role:chef"))
    for one in renamed:
        desk.want(one, groups=("org:unit:kommun:1",), title="Rektor")
    come_and_gone = [desk.join() for _ in range(3)]
    for _ in range(20):  # four hours of asking, in short
        executor.run_once()
        executor.retry_now()
    for one in [*leavers, *come_and_gone]:
        desk.leave(one)
    desk.want(marked, groups=("org:unit:kommun:1",), lane=Lane.PROTECT)
    for _ in range(20):
        executor.run_once()
        executor.retry_now()
    assert len([line for line in caplog.messages if "does not answer" in line]) == 1

    desk.target.down = False
    desk.target.calls.clear()
    desk.settle(executor)
    asked = desk.target.ensured()
    assert asked[0] == marked
    assert sorted(asked[1:13]) == sorted(leavers)
    assert sorted(asked[13:43]) == sorted(movers)
    assert sorted(asked[43:45]) == sorted(renamed)
    assert sorted(asked[45:]) == sorted(joiners)
    assert all(one not in desk.target.accounts for one in come_and_gone)
    assert all(desk.target.accounts[one].presence.value == DISABLED for one in leavers)
    assert executor.pending() == 0


def test_while_a_target_is_away_it_is_asked_by_one_probe_and_intents_do_not_pile_up(desk: Desk) -> None:
    for _ in range(20):
        desk.join()
    desk.target.down = True
    with running(desk.executor()):
        time.sleep(2.0)
        asked = len(desk.target.calls)
        assert asked <= 6
        assert len(desk.all("select id from iam.journal where kind = 'intent'")) <= 2
        desk.target.down = False
        wait_until(lambda: len(desk.target.accounts) == 20)


def test_everybody_can_see_that_a_target_is_away_until_it_answers(desk: Desk) -> None:
    desk.join()
    desk.target.down = True
    executor = desk.executor()
    executor.run_once()
    assert desk.all("select target from iam.target_away") == [("directory",)]
    desk.target.down = False
    executor.retry_now("directory")
    executor.run_once()
    assert desk.all("select target from iam.target_away") == []


def test_what_waits_for_a_target_that_is_not_connected_is_told_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.want(desk.join(), target="elsewhere")
    executor = desk.executor()
    executor.measure()
    executor.measure()
    assert caplog.messages == ["target elsewhere is not connected here: its changes wait"]


def test_a_disabling_passes_a_thousand_creations_that_wait(desk: Desk) -> None:
    leaver = desk.join()
    executor = desk.executor()
    executor.run_once()
    for _ in range(1000):
        desk.join()
    desk.target.seconds = 0.01
    with running(executor):
        wait_until(lambda: len(desk.target.accounts) > 10)
        desk.leave(leaver)
        took = wait_until(lambda: desk.target.accounts[leaver].presence.value == DISABLED)
        waiting = executor.pending()
    assert took < 1.0
    assert waiting > 500


def test_an_idle_executor_carries_out_a_change_at_once(desk: Desk) -> None:
    account = desk.join()
    with running(desk.executor()):
        wait_until(lambda: account in desk.target.accounts)
        times = []
        for _ in range(5):
            time.sleep(0.15)
            desk.leave(account)
            times.append(wait_until(lambda: desk.target.accounts[account].presence.value == DISABLED))
            desk.want(account)
            wait_until(lambda: desk.target.accounts[account].presence.value != DISABLED)
    assert sorted(times)[2] < 0.25


def test_stopping_finishes_the_call_under_way_and_writes_down_its_result(desk: Desk) -> None:
    account = desk.join()
    desk.target.seconds = 1.0
    with running(desk.executor()) as stop:
        wait_until(lambda: bool(desk.target.calls))
        stop.set()
    assert desk.outcomes(account) == ["intent", "done"]
    assert desk.all("select account from iam.work") == []


def test_a_target_that_is_away_does_not_hold_up_another(desk: Desk) -> None:
    other = HandTarget("cloud")
    account = desk.join()
    desk.want(account, target="cloud")
    desk.target.down = True
    targets: dict[str, port.Target] = {"directory": desk.target, "cloud": other}
    Executor(desk.pool, desk.keys, targets, SystemTicker(), desk.clock, "one").run_once()
    assert account in other.accounts
    assert account not in desk.target.accounts


def test_a_database_that_goes_away_is_waited_for(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.target.seconds = 0.02
    for _ in range(40):
        desk.join()
    with running(desk.executor()):
        wait_until(lambda: len(desk.target.accounts) > 5)
        with psycopg.connect(desk.pool.conninfo, autocommit=True) as admin:  # type: ignore[arg-type]
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        desk.expire_leases()
        wait_until(lambda: desk.one("select count(*) from iam.work") == (0,), 20)
    assert len(desk.target.accounts) == 40
    assert desk.one("select count(*) from iam.observed where status = 'known'") == (40,)


def test_figures_tell_what_waits_and_how_long_the_oldest_revocation_has_waited(desk: Desk) -> None:
    leaver = desk.join()
    executor = desk.executor()
    executor.run_once()
    desk.join()
    desk.leave(leaver)
    desk.run("update iam.work set queued_at = clock_timestamp() - interval '900 seconds' where lane = 'disable'")
    executor.measure()
    text = executor.meter.text().decode()
    assert 'kallan_execute_queue{lane="disable",target="directory"} 1.0' in text
    assert 'kallan_execute_queue{lane="create",target="directory"} 1.0' in text
    assert 'kallan_execute_operations_total{outcome="done",target="directory"} 1.0' in text
    assert 'kallan_execute_breaker{target="directory"} 0.0' in text
    oldest = executor.meter.value("kallan_execute_oldest_revocation_seconds", target="directory")
    assert oldest is not None
    assert 900 <= oldest < 960
    assert leaver not in text
