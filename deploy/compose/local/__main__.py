"""`python -m deploy.compose.local`: builds, brings up, tries, takes down; exit 1 where something is not as it should be."""

import signal
import sys
import time
from types import FrameType
from typing import NoReturn

import click

from deploy.compose.local.engine import engine
from deploy.compose.local.images import IMAGES, build
from deploy.compose.local.trial import try_out
from streams.contracts.errors import Unavailable


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        with engine() as found:
            build(found)
            for tag, _, _ in IMAGES:
                size = int(found.docker("image", "inspect", "--format", "{{.Size}}", tag))
                click.echo(f"  {tag}: {size / 1e6:.0f} MB")
            try_out(found)
    except Unavailable as error:
        click.echo(f"NOT GOOD after {time.monotonic() - began:.0f} s: {error.detail}", err=True)
        return 1
    except KeyboardInterrupt:
        return 130
    click.echo(f"good: everything in {time.monotonic() - began:.0f} s")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """What was started is stopped before this process ends."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
