"""A thread beside the main work: it ends with it, and an error in it ends both."""

import signal
import threading
from collections.abc import Iterator

import pytest

from deploy.cli.beside import beside

_SECONDS = 10


@pytest.fixture
def asked_to_stop() -> Iterator[threading.Event]:
    """Set by SIGTERM, as the main work of a process has it."""
    asked = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: asked.set())
    yield asked
    signal.signal(signal.SIGTERM, before)


def test_an_error_beside_the_main_work_stops_it_and_is_raised(asked_to_stop: threading.Event) -> None:
    def broken(_stop: threading.Event) -> None:
        raise LookupError("the policy is gone")

    stopped = False
    with pytest.raises(LookupError), beside("timers", broken):
        stopped = asked_to_stop.wait(_SECONDS)
    assert stopped


def test_what_runs_beside_ends_when_the_main_work_does(asked_to_stop: threading.Event) -> None:
    ended: list[bool] = []
    with beside("timers", lambda stop: ended.append(stop.wait(_SECONDS))):
        assert ended == []
    assert ended == [True]
    assert not asked_to_stop.is_set()


def test_an_error_of_the_main_work_ends_what_runs_beside_it() -> None:
    ended: list[bool] = []
    with pytest.raises(LookupError, match="main"), beside("timers", lambda stop: ended.append(stop.wait(_SECONDS))):
        raise LookupError("main")
    assert ended == [True]
