"""What runs beside us: programs under a supervisor process that ends them when we end, however we end."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.contracts.errors import Unavailable

log = logging.getLogger("kallan.embedded")

_SCRIPT = Path(__file__).with_name("supervisor.py")
_LONGEST_STOP = 9.5
"""Seconds; what is left after this is killed with the supervisor (its children die with it)."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to run. `user` is (uid, gid) to run as, `stage` the order of stopping (highest first), `patience` the
    seconds between the stop signal and SIGKILL. A program with `restart` is started again whenever it ends by itself."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    user: tuple[int, int] | None = None
    stage: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 4.0
    restart: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a program: started, exited (it is started again), ended (for good), refused (never started)."""

    kind: str
    name: str
    pid: int | None
    status: int | str | None = None
    again_in: float | None = None


class Supervisor:
    """Starts, watches and stops programs through one supervisor process. Safe to use from several threads."""

    def __init__(
        self, log_file: Path, on_event: Callable[[Event], None] | None = None, hold: tuple[int, ...] = ()
    ) -> None:
        """`hold`: open files that the supervisor keeps open until everything has stopped (a lock on the folder)."""
        self._on_event = on_event
        self._changed = threading.Condition()
        self._pids: dict[str, int] = {}
        self._exits: dict[str, int] = {}
        self._ended: dict[str, int | str | None] = {}
        self._closing = False
        self._lost = False
        with log_file.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=hold,
                start_new_session=True,  # Ctrl-C is for us alone: we stop the rest in order
            )
        self._reader = threading.Thread(target=self._read_events, name="supervisor", daemon=True)
        self._reader.start()

    def start(self, program: Program) -> None:
        """Start a program. Raises Unavailable when the operating system refuses it."""
        with self._changed:
            self._ended.pop(program.name, None)
            self._exits[program.name] = 0
        order = {
            "do": "start",
            "name": program.name,
            "argv": list(program.argv),
            "env": dict(program.env),
            "cwd": str(program.cwd),
            "log": str(program.log),
            "user": program.user,
            "stage": program.stage,
            "stop_signal": int(program.stop_signal),
            "patience": program.patience,
            "restart": program.restart,
        }
        self._send(order)
        self._wait(lambda: program.name in self._pids or program.name in self._ended, 10.0, program.name)
        refused = self._ended.get(program.name)
        if isinstance(refused, str):
            raise Unavailable("service.unavailable", f"{program.name} cannot be started: {refused}")

    def run(self, program: Program, seconds: float) -> int:
        """Run a program to its end. Returns its exit code (minus the signal's number if a signal ended it)."""
        self.start(program)
        self._wait(lambda: program.name in self._ended, seconds, program.name)
        status = self._ended[program.name]
        return status if isinstance(status, int) else 1

    def stop(self, *names: str, seconds: float = _LONGEST_STOP) -> None:
        """Stop these programs together and wait until they have ended."""
        running = [name for name in names if name in self._exits and name not in self._ended]
        if running:
            self._send({"do": "stop", "names": running})
            self._wait(lambda: all(name in self._ended for name in running), seconds, ", ".join(running))

    def pid(self, name: str) -> int | None:
        """The process id of a running program, None while it is not running."""
        return self._pids.get(name)

    def exits(self, name: str) -> int:
        """How often a program has ended by itself since it was started here."""
        return self._exits.get(name, 0)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def lost(self) -> bool:
        """The supervisor itself is gone, and everything with it."""
        return self._lost

    def close(self) -> None:
        """Stop everything, highest stage first. Nothing is left when this returns. Idempotent."""
        self._closing = True
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(_LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(2.0)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, order: Mapping[str, object]) -> None:
        stdin = self._process.stdin
        try:
            with self._changed:
                if stdin is None or stdin.closed:
                    raise Unavailable("service.unavailable", "the supervisor is closed")
                stdin.write(json.dumps(order).encode() + b"\n")
                stdin.flush()
        except BrokenPipeError as error:
            raise Unavailable("service.unavailable", "the supervisor is gone") from error

    def _wait(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: done() or self._lost, seconds):
                raise Unavailable("service.unavailable", f"{what}: no answer from the supervisor in {seconds:g} s")
        if self._lost and not done():
            raise Unavailable("service.unavailable", "the supervisor is gone")

    def _read_events(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        for line in stdout:
            raw = json.loads(line)
            event = Event(raw["event"], raw["name"], raw["pid"], raw.get("status"), raw.get("again_in"))
            self._take_note(event)
            if self._on_event is not None:
                self._on_event(event)
        with self._changed:
            self._lost = not self._closing
            left = dict(self._pids)
            self._changed.notify_all()
        if self._lost:
            log.error("the supervisor process is gone; everything it ran is stopped")
            for pid in left.values():  # each leads a group of its own; its children have no other to end them
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)

    def _take_note(self, event: Event) -> None:
        with self._changed:
            if event.kind == "started" and event.pid is not None:
                self._pids[event.name] = event.pid
            else:
                self._pids.pop(event.name, None)
            if event.kind == "exited":
                self._exits[event.name] = self._exits.get(event.name, 0) + 1
            if event.kind in {"ended", "refused"}:
                self._ended[event.name] = event.status
            self._changed.notify_all()
        if event.kind == "exited":
            log.warning(
                "%s (pid %s) ended %s; starting it again in %.1f s",
                event.name,
                event.pid,
                how_it_ended(event.status),
                event.again_in or 0.0,
            )


def how_it_ended(status: int | str | None) -> str:
    """A wait status in words."""
    if isinstance(status, int) and status < 0:
        return f"by {signal.Signals(-status).name}"
    return f"with exit code {status}"


def wait_until(ready: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Ask until `ready` says yes; False when the time is over."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True
