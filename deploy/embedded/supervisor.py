"""The supervisor: a small process, standard library only, that no server outlives.

It is run as a script (`python -I -S supervisor.py`) with a pipe to its parent as standard input and one to tell events
as standard output. Each line of input is one JSON order:

    {"do": "start", "name": ..., "argv": [...], "env": {...}, "cwd": ..., "log": ..., "user": [uid, gid] | null,
     "stage": 0, "stop_signal": 15, "patience": 4.0, "restart": true}
    {"do": "stop", "names": [...]}

When the pipe closes, however the parent ended, everything is stopped: the highest stage first (workers before servers),
each with its own signal, then with SIGKILL when its patience (seconds) is over. A program that ends by itself is started
again after a back-off. Events: {"event": "started" | "exited" | "ended" | "refused", "name", "pid", "status", "again_in"};
"ended" is final, status is as `waitpid` tells it (minus the signal's number, or the exit code).

The supervisor is a subreaper: what a killed server leaves behind (PostgreSQL's backends are sessions of their own) comes
to it and is killed before that server starts again. A program dies with its supervisor by PR_SET_PDEATHSIG.
"""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
_STEADY = 10.0
"""A program that ran this many seconds has started well: its next back-off begins at the first pause."""

_libc = ctypes.CDLL(None)


@dataclass
class Program:
    """One program and where it stands. `order` is the order it was given as."""

    order: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    start_at: float | None = None
    kill_at: float | None = None
    stopping: bool = False


@dataclass
class Supervisor:
    programs: dict[str, Program] = field(default_factory=dict)
    closing: bool = False

    def obey(self, order: dict[str, Any]) -> None:
        if order["do"] == "start":
            program = Program(order)
            self.programs[order["name"]] = program
            self._start(program)
        else:
            for name in order["names"]:
                if name in self.programs:
                    self._stop(self.programs[name])

    def close(self) -> None:
        """The parent is gone or wants the end: stop everything, stage by stage."""
        self.closing = True
        self._stop_highest_stage()

    def reap(self) -> None:
        """Take note of every child that has ended."""
        while True:
            try:
                pid, raw = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for program in list(self.programs.values()):
                if program.process is not None and program.process.pid == pid:
                    program.process.returncode = os.waitstatus_to_exitcode(raw)
                    self._exited(program, program.process.returncode)

    def tick(self) -> float | None:
        """Do what is due. Returns the seconds until the next thing is, None when there is none."""
        now = time.monotonic()
        for program in list(self.programs.values()):
            if program.kill_at is not None and program.kill_at <= now and program.process is not None:
                program.kill_at = None
                _kill_group(program.process.pid, signal.SIGKILL)
            if program.start_at is not None and program.start_at <= now:
                self._start(program)
        due = [at for p in self.programs.values() for at in (p.kill_at, p.start_at) if at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _start(self, program: Program) -> None:
        order = program.order
        program.start_at = None
        program.started = time.monotonic()
        user, group = order["user"] or (None, None)
        try:
            with Path(order["log"]).open("ab") as log:
                program.process = subprocess.Popen(
                    order["argv"],
                    env=order["env"],
                    cwd=order["cwd"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    user=user,
                    group=group,
                    extra_groups=None if user is None else [],
                    preexec_fn=_in_child,  # noqa: PLW1509 - this process has one thread
                )
        except OSError as error:
            del self.programs[order["name"]]
            self._tell("refused", program, status=f"{type(error).__name__}: {error.strerror}")
            return
        self._tell("started", program)

    def _exited(self, program: Program, status: int) -> None:
        self._kill_orphans()
        ran = time.monotonic() - program.started
        program.kill_at = None
        if program.stopping or self.closing or not program.order["restart"]:
            del self.programs[program.order["name"]]
            self._tell("ended", program, status=status)
            program.process = None
            self._stop_highest_stage()
            return
        program.pause = _FIRST_PAUSE if ran >= _STEADY else program.pause
        self._tell("exited", program, status=status, again_in=program.pause)
        program.process = None
        program.start_at = time.monotonic() + program.pause
        program.pause = min(program.pause * 2, _LONGEST_PAUSE)

    def _stop(self, program: Program) -> None:
        if program.process is None:
            self.programs.pop(program.order["name"], None)
            self._tell("ended", program, status=0)
        elif not program.stopping:
            program.stopping = True
            program.kill_at = time.monotonic() + program.order["patience"]
            with contextlib.suppress(ProcessLookupError):
                os.kill(program.process.pid, program.order["stop_signal"])

    def _stop_highest_stage(self) -> None:
        while self.closing and self.programs:
            stage = max(program.order["stage"] for program in self.programs.values())
            highest = [program for program in self.programs.values() if program.order["stage"] == stage]
            for program in highest:
                self._stop(program)
            if any(program.process is not None for program in highest):
                return

    def _kill_orphans(self) -> None:
        """Kill what a dead program has left to us: our children that are no program's own process."""
        own = {program.process.pid for program in self.programs.values() if program.process is not None}
        for pid in _children(os.getpid()):
            if pid not in own:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _tell(self, event: str, program: Program, **more: Any) -> None:
        pid = program.process.pid if program.process is not None else None
        line = json.dumps({"event": event, "name": program.order["name"], "pid": pid, **more}) + "\n"
        with contextlib.suppress(BrokenPipeError):  # a parent that was killed reads nothing more
            os.write(sys.stdout.fileno(), line.encode())


def _in_child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            fields = stat.rpartition(b")")[2].split()
            if int(fields[1]) == parent and fields[0] != b"Z":
                found.append(int(entry.name))
    return found


def main() -> None:
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    supervisor = Supervisor()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    pending = b""
    while supervisor.programs or not supervisor.closing:
        ready = {key.fd for key, _ in selector.select(supervisor.tick())}
        if wake_read in ready:
            os.read(wake_read, 4096)
        if asked and not supervisor.closing:
            supervisor.close()
        if 0 in ready:
            chunk = os.read(0, 65536)
            if not chunk:
                selector.unregister(0)
                supervisor.close()
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                if not supervisor.closing:
                    supervisor.obey(json.loads(line))
        supervisor.reap()
        supervisor.tick()


if __name__ == "__main__":
    main()
