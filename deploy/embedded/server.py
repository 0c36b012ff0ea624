"""What the four servers have in common: prepared, started on a free port, ready when their own protocol answers."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from deploy.embedded.processes import Program, Supervisor
from streams.contracts.errors import Unavailable

log = logging.getLogger("kallan.embedded")

_ATTEMPTS = 3


class Server(Protocol):
    """One embedded server with its data in a folder."""

    name: str

    def prepare(self, supervisor: Supervisor) -> None:
        """What must be there before the first start: files, a formatted data folder. Idempotent."""
        ...

    def program(self) -> Program:
        """The process to run; takes new free ports each time it is called."""
        ...

    def is_ready(self) -> bool:
        """The server answers in its own protocol."""
        ...

    def finish(self) -> None:
        """What is left to do when it is ready for the first time in this run. Idempotent."""
        ...

    def entry(self) -> Mapping[str, str]:
        """How others reach it: the fields of stack.json."""
        ...


def start(server: Server, supervisor: Supervisor, seconds: float = 60.0) -> Program:
    """Start a server and wait until it is ready; gives what was started, with its ports.

    A server that cannot start (a port was taken in between) gets new ports. Raises Unavailable with the end of its log
    when it does not get ready.
    """
    began = time.monotonic()
    server.prepare(supervisor)
    for _ in range(_ATTEMPTS):
        program = server.program()
        supervisor.start(program)
        end = time.monotonic() + seconds
        while time.monotonic() < end and supervisor.exits(server.name) == 0:
            if server.is_ready():
                server.finish()
                log.info("%s is ready after %.1f s", server.name, time.monotonic() - began)
                return program
            if supervisor.lost:
                raise Unavailable("service.unavailable", "the supervisor is gone")
            time.sleep(0.05)
        supervisor.stop(server.name)
    raise Unavailable("service.unavailable", f"{server.name} does not start; {last_words(program.log)}")


def last_words(log_file: Path) -> str:
    """The end of a server's log, for the message that tells that it failed."""
    if not log_file.exists():
        return f"it wrote no log ({log_file})"
    lines = log_file.read_text(errors="replace").splitlines()
    return f"the end of {log_file}: " + " | ".join(lines[-4:])
