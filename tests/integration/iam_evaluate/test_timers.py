"""Timers look again by date, go on past one who cannot be evaluated, and stop when they are told to."""

import logging
import threading
import time
from collections.abc import Callable

import pytest

from iam.domain.account import Presence
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import DAY, at, person, work


def until(condition: Callable[[], bool]) -> bool:
    """Asked for up to ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_the_running_timers_follow_the_business_clock_and_stop(iam: Iam) -> None:
    iam.say(person(work(to=DAY)))
    timers, stop = iam.timers, threading.Event()
    thread = threading.Thread(target=timers.run, args=(stop,), daemon=True)
    thread.start()
    time.sleep(0.3)
    assert iam.state().presence is Presence.ENABLED
    iam.clock.instant = at(DAY.replace(day=2), 0)
    assert until(lambda: iam.state().presence is Presence.DISABLED)
    assert until(lambda: timers.pending() == 0)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_one_who_cannot_be_evaluated_holds_nobody_up_and_is_not_forgotten(
    iam: Iam, caplog: pytest.LogCaptureFixture
) -> None:
    iam.say(person(work(to=DAY)), person(work("e2", to=DAY), who="p2"))
    bad = iam.state().key
    with iam.pool.connection() as connection:
        connection.execute("update iam.desired set body = '\\x00' where account = %s", [bad])
    with caplog.at_level(logging.ERROR):
        iam.pass_to(at(DAY.replace(day=2), 0))
    assert iam.state("p2").presence is Presence.DISABLED
    assert "envelope.forged" in caplog.text
    assert iam.rows("select person, at, cause from iam.due") == [
        ("p1", at(DAY.replace(day=2), 1), "failed:envelope.forged")
    ]
    assert iam.timers.pending() == 0


def test_a_timer_that_fires_after_a_withdrawal_finds_the_facts_of_the_day(iam: Iam) -> None:
    hired = work(since=DAY.replace(day=10))
    iam.say(person(hired))
    iam.say(person(work(since=DAY.replace(day=10), cancelled=True)))
    with iam.pool.connection() as connection:
        connection.execute(
            """insert into iam.due (person, at, priority) values ('p1', %s, 2)
               on conflict (person) do update set at = excluded.at""",
            [at(DAY)],
        )
    iam.pass_to(at(DAY.replace(day=10), 0))
    assert iam.state().presence is Presence.DISABLED
    assert iam.rows("select count(*) from iam.journal where presence = 'enabled'") == [(0,)]
