"""The commands of docs/operations.md as they stand there, typed beside a running stack."""

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.reading import ROOT, block_with
from tests.stack.life import Life

_INTENTS = "select count(*) from iam.journal where kind = 'intent'"


def as_typed(life: Life, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The block that holds `command`; `variables` with KALLAN_ are settings in place of the stack's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KALLAN_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    if "KALLAN_DATABASE_URL" not in variables:
        environment["KALLAN_HOME"] = str(life.found.stack.home)
    return subprocess.run(
        ["bash", "-euc", block_with("docs/operations.md", command)],
        cwd=ROOT if "KALLAN_HOME" in environment else life.found.stack.home.parent,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def intents(life: Life) -> int:
    """How many calls of targets were begun."""
    with life.world.base.pool.connection() as connection:
        row = connection.execute(_INTENTS).fetchone()
    return int(row[0]) if row else 0
