"""Nothing outlives its parent, and what crashes comes back."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.embedded.processes import Program, Supervisor
from streams.contracts.errors import Unavailable
from tests.integration.embedded.watch import ROOT, alive, all_gone, eventually, family


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "supervisor.log") as made:
        yield made
    assert (tmp_path / "supervisor.log").read_text() == ""


def sleeper(tmp_path: Path, name: str = "sleeper", script: str = "sleep 1000", **more: float) -> Program:
    return Program(
        name,
        ("sh", "-c", script),
        tmp_path / f"{name}.log",
        env={"PATH": os.environ["PATH"]},
        stage=int(more.get("stage", 0)),
        patience=more.get("patience", 4.0),
        restart=bool(more.get("restart", True)),
    )


def test_a_program_runs_until_the_supervisor_is_closed(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.start(sleeper(tmp_path))
    pid = supervisor.pid("sleeper")
    assert pid
    assert alive({pid})
    supervisor.close()
    assert not alive({pid, supervisor.process_id})


def test_a_program_that_is_killed_is_started_again(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.start(sleeper(tmp_path))
    first = supervisor.pid("sleeper")
    assert first
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: supervisor.pid("sleeper") not in {None, first})
    assert supervisor.exits("sleeper") == 1


def test_a_program_that_crashes_at_once_is_started_again_ever_more_slowly(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    supervisor.start(sleeper(tmp_path, script="date +%s.%N; exit 3"))
    assert eventually(lambda: supervisor.exits("sleeper") >= 4)
    starts = [float(line) for line in (tmp_path / "sleeper.log").read_text().split()][:4]
    pauses = [later - earlier for earlier, later in zip(starts, starts[1:], strict=False)]
    assert pauses[1] > pauses[0]
    assert pauses[2] > pauses[1]


def test_a_program_that_ignores_the_signal_is_killed_when_its_patience_is_over(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    supervisor.start(sleeper(tmp_path, script=script, patience=0.5))
    assert eventually(lambda: (tmp_path / "sleeper.log").read_text() != "")
    began = time.monotonic()
    supervisor.stop("sleeper")
    assert 0.4 < time.monotonic() - began < 3
    assert supervisor.pid("sleeper") is None


def test_what_is_stopped_stays_stopped(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.start(sleeper(tmp_path))
    supervisor.stop("sleeper")
    time.sleep(0.5)
    assert supervisor.pid("sleeper") is None
    assert len(family(supervisor.process_id)) == 1


def test_workers_are_stopped_before_servers(tmp_path: Path, supervisor: Supervisor) -> None:
    order = tmp_path / "order"
    for name, stage, script in (
        ("server", 0, f"trap 'echo server >> {order}; exit' TERM; echo ready; while :; do sleep 0.05; done"),
        ("worker", 1, f"trap 'sleep 0.4; echo worker >> {order}; exit' TERM; echo ready; while :; do sleep 0.05; done"),
    ):
        supervisor.start(sleeper(tmp_path, name, script, stage=stage))
        assert eventually(lambda name=name: (tmp_path / f"{name}.log").read_text() != "")  # type: ignore[misc]
    supervisor.close()
    assert order.read_text().split() == ["worker", "server"]


def test_a_worker_that_waits_for_its_restart_does_not_hold_up_the_servers_end(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    supervisor.start(sleeper(tmp_path, "server"))
    supervisor.start(sleeper(tmp_path, "worker", "exit 1", stage=1))
    assert eventually(lambda: supervisor.exits("worker") >= 3)
    began = time.monotonic()
    supervisor.close()
    assert time.monotonic() - began < 3


def test_what_a_killed_program_leaves_behind_is_killed_too(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.start(sleeper(tmp_path, script="setsid sleep 1000 & echo $!; wait"))
    assert eventually(lambda: (tmp_path / "sleeper.log").read_text().strip() != "")
    left = int((tmp_path / "sleeper.log").read_text())
    pid = supervisor.pid("sleeper")
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert all_gone({left})


def test_a_program_that_does_not_exist_is_refused_by_name(tmp_path: Path, supervisor: Supervisor) -> None:
    missing = Program("ghost", ("/nowhere/ghost",), tmp_path / "ghost.log")
    with pytest.raises(Unavailable, match="ghost cannot be started"):
        supervisor.start(missing)


def test_run_gives_the_exit_code(tmp_path: Path, supervisor: Supervisor) -> None:
    assert supervisor.run(sleeper(tmp_path, script="exit 7", restart=False), 5) == 7


def test_when_the_supervisor_is_killed_its_programs_die_with_it(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "supervisor.log") as supervisor:
        supervisor.start(sleeper(tmp_path, script="sleep 1000 & echo started; wait"))
        assert eventually(lambda: (tmp_path / "sleeper.log").read_text() != "")
        everything = family(supervisor.process_id)
        assert len(everything) == 3
        os.kill(supervisor.process_id, signal.SIGKILL)
        assert all_gone(everything)
        assert eventually(lambda: supervisor.lost)
        with pytest.raises(Unavailable, match="gone"):
            supervisor.start(sleeper(tmp_path, "another"))


PARENT = """
    import signal, sys, time
    from pathlib import Path
    from deploy.embedded.processes import Program, Supervisor
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    folder = Path(sys.argv[1])
    supervisor = Supervisor(folder / "supervisor.log")
    for name, script in (("kind", "sleep 1000"), ("deaf", "trap '' TERM; while :; do sleep 0.1; done")):
        supervisor.start(Program(name, ("/bin/sh", "-c", script), folder / "log", {"PATH": "/usr/bin:/bin"}, patience=0.5))
    print("ready", flush=True)
    time.sleep(1000)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_survives_the_parent_however_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"ready\n"
        everything = family(parent.pid)
        assert len(everything) >= 4
        parent.send_signal(number)
        try:
            parent.wait(5)
        finally:
            parent.kill()
    assert all_gone(everything - {parent.pid}, seconds=5)


def test_the_supervisor_is_small(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.start(sleeper(tmp_path))
    assert psutil.Process(supervisor.process_id).memory_info().rss < 25_000_000
