"""Bombs are read by a process that may take 600 megabytes: each is refused with its code, none is a lack of memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.hostile.bounded import BOMBS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_bounded_memory(name: str) -> None:
    command = [sys.executable, "-m", "tests.integration.hostile.bounded", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() in BOMBS[name][1].split("|")
