"""Waiting for what happens elsewhere. No test measures a time: what is waited for comes, or it never will."""

import time
from collections.abc import Callable

HANGS_SECONDS = 120.0
"""What has not happened by then is taken for something that never will."""


def eventually(is_so: Callable[[], bool], what: str = "it never came") -> None:
    until = time.monotonic() + HANGS_SECONDS
    while not is_so():
        assert time.monotonic() < until, what
        time.sleep(0.01)
