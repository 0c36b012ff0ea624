"""Ctrl-C at any moment stops everything within ten seconds, a second run in the folder works, two at once do not disturb
each other, and the demo ends by itself with its last screen."""

import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.stack.life import SERVERS, WORKERS, until
from tests.stack.terminal import INTERRUPTED, READY, healthy, interrupt, kallan, left_of, ports

DEMO = ("demo", "--persons", "60", "--units", "8")
LOADING, STORIES = "First load", "What happens to people"

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("seconds", [0.5, 1.5, 4.0])
def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path, seconds: float) -> None:
    with kallan(tmp_path / "home", "up") as run:
        time.sleep(seconds)
        status, _ = interrupt(run)
        assert status in {0, INTERRUPTED, -signal.SIGINT}
        assert "Traceback" not in run.said or seconds < 1, run.said


def test_up_can_be_stopped_while_idle_and_started_again_beside_another(tmp_path: Path) -> None:
    """Two at once: the second one comes and goes, and the first one does not notice."""
    with kallan(tmp_path / "one", "up") as one:
        one.says(READY)
        before = one.stack
        assert set(before["workers"]) == set(WORKERS)
        assert set(before["services"]) == {*SERVERS, "api"}
        until(lambda: healthy(before), 30, "the API answers")
        with kallan(tmp_path / "one", "up") as refused:
            assert refused.ends(20) == 2
            assert "stack.in-use" in refused.said
        with kallan(tmp_path / "two", "up") as two:
            two.says(READY)
            assert not ports(before) & ports(two.stack)
            status, _ = interrupt(two)
            assert status == 0
        assert one.stack == before, "the same processes at the same places"
        assert all(psutil.pid_exists(entry["pid"]) for group in before.values() for entry in group.values())
        assert healthy(before)
        status, _ = interrupt(one)
        assert status == 0
        assert "stopped" in one.said
    with kallan(tmp_path / "one", "up") as again:
        again.says(READY)
        until(lambda: healthy(again.stack), 30, "the API answers")
        status, _ = interrupt(again)
        assert status == 0


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all demos: each begins where another was stopped."""
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.mark.parametrize("moment", [LOADING, STORIES])
def test_ctrl_c_in_the_middle_of_the_demo_leaves_nothing(demo_home: Path, moment: str) -> None:
    with kallan(demo_home, "demo", "--persons", "30", "--units", "5") as run:
        run.says(moment)
        time.sleep(1.0)
        status, _ = interrupt(run)
        assert status == INTERRUPTED, run.said
        assert "Traceback" not in run.said


def test_the_demo_ends_well_with_its_last_screen_also_where_others_were_stopped(demo_home: Path) -> None:
    with kallan(demo_home, *DEMO) as run:
        run.says(STORIES, 150)
        family, opened = run.family(), ports(run.stack)
        assert run.ends(90) == 0, run.said
        assert left_of(run.home, family, opened) == []
    screen = " ".join(run.said.split())  # however wide the terminal is
    for sentence in (
        "A synthetic municipality of 60 persons in 8 units",
        "Source | MMD | target, side by side",
        "The two principles, as figures computed from what is stored",
        "A fact is given only once: 2 of 10 fields of the form had to be asked",
        "A case officer (handläggare) takes over; nothing is filled in, and no reason is told",
        "Records that could not be used: 0",
        "Everything is as it should be.",
        "What to type next",
    ):
        assert sentence in screen
    assert re.search(r"\d+ changes, [^:]+ read back: median \d+\.\d s, worst \d+\.\d s", screen)
