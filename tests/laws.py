"""How many generated cases a law is tried on: what continuous integration has time for, or so many times as many."""

import os


def times(cases: int) -> int:
    """`KALLAN_LAWS` (a factor, default 1) times the cases."""
    return cases * int(os.environ.get("KALLAN_LAWS", "1"))
