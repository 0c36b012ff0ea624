"""How the script does things: commands that are told about, timed, and shown in full where they fail."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from streams.contracts.errors import Unavailable

ROOT = Path(__file__).parents[3]
_LAST_LINES = 30


@contextmanager
def step(what: str) -> Iterator[None]:
    """Says what is begun and how long it took."""
    click.echo(f"{what} ...")
    began = time.monotonic()
    yield
    click.echo(f"  {what}: {time.monotonic() - began:.1f} s")


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    stdin: bytes = b"",
    timeout: float = 1800.0,
) -> str:
    """What the command prints on standard output. Raises `Unavailable` with its last lines where it fails."""
    name = " ".join(Path(str(part)).name for part in argv[:4])
    try:
        done = subprocess.run(  # noqa: S603
            [str(part) for part in argv],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise Unavailable("service.unavailable", f"{name}: {error.filename} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Unavailable("service.unavailable", f"{name}: no end after {timeout:.0f} s") from None
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").splitlines()[-_LAST_LINES:]
        raise Unavailable("service.unavailable", "\n".join([f"{name}: exit {done.returncode}", *said]))
    return done.stdout.decode(errors="replace")
