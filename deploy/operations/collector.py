"""How often a consuming worker looks for circles of dead objects (docs/decisions/0250)."""

import gc

_OBJECTS = 50_000
"""New objects between two looks. A batch makes tens of thousands, hardly any in circles; Python's own 700 cost a quarter."""


def collect_seldom() -> None:
    """For the whole process, from now on. What refers in circles is still found, later."""
    gc.set_threshold(_OBJECTS, 20, 50)
