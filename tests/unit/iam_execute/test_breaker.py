"""The circuit breaker: one line, one probe, and no call while the target is away."""

import logging

import pytest

from iam.execute.breaker import TIMEOUTS_TO_OPEN, Breaker, BreakerState, Passage


class HandTicker:
    """Elapsed time that moves by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def ticker() -> HandTicker:
    return HandTicker()


@pytest.fixture
def breaker(ticker: HandTicker) -> Breaker:
    return Breaker("directory", ticker, first=1.0, longest=4.0)


def test_a_target_that_answers_is_called(breaker: Breaker) -> None:
    assert [breaker.passage() for _ in range(3)] == [Passage.CALL] * 3


def test_after_a_failure_everybody_waits_and_then_one_thread_probes(breaker: Breaker, ticker: HandTicker) -> None:
    breaker.failed()
    assert breaker.passage() is Passage.WAIT
    ticker.sleep(1.0)
    assert [breaker.passage() for _ in range(3)] == [Passage.PROBE, Passage.WAIT, Passage.WAIT]


def test_each_failed_probe_doubles_the_wait_up_to_a_cap(breaker: Breaker, ticker: HandTicker) -> None:
    breaker.failed()
    waits = []
    for _ in range(4):
        before = ticker.seconds
        while breaker.passage() is not Passage.PROBE:
            ticker.sleep(0.5)
        waits.append(ticker.seconds - before)
        breaker.failed()
    assert waits == [1.0, 2.0, 4.0, 4.0]


def test_a_probe_that_is_answered_closes_the_breaker_and_forgets_the_wait(breaker: Breaker, ticker: HandTicker) -> None:
    breaker.failed()
    ticker.sleep(1.0)
    assert breaker.passage() is Passage.PROBE
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
    breaker.failed()
    ticker.sleep(1.0)
    assert breaker.passage() is Passage.PROBE


def test_an_outage_is_one_line_however_long_and_its_end_another(
    breaker: Breaker, ticker: HandTicker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(20):
        breaker.failed()
        ticker.sleep(4.0)
        breaker.passage()
    breaker.succeeded()
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "target directory does not answer",
        "target directory answers again after 80.0 s",
    ]


def test_one_slow_call_is_no_outage_but_several_in_a_row_are(breaker: Breaker) -> None:
    for _ in range(TIMEOUTS_TO_OPEN - 1):
        breaker.timed_out()
    breaker.succeeded()
    for _ in range(TIMEOUTS_TO_OPEN - 1):
        breaker.timed_out()
    assert breaker.passage() is Passage.CALL
    breaker.timed_out()
    assert breaker.state is BreakerState.OPEN


def test_an_operator_who_knows_that_the_target_is_up_cuts_the_wait_short(breaker: Breaker) -> None:
    breaker.failed()
    breaker.ask_at_once()
    assert breaker.passage() is Passage.PROBE
