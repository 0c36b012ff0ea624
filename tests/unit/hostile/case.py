"""One bad input at one door: what the tables of this folder are made of, and what `docs/hostile-input.md` tells."""

from collections.abc import Callable
from dataclasses import dataclass

CANARY = "Kanariefågel"
"""Stands in every bad input that can hold a text; nothing that leaves a door may hold it."""


@dataclass(frozen=True, slots=True)
class Case:
    """`name` is what a reader is told; `code` how it is refused (empty: it is not), `detail` the field that is named."""

    name: str
    make: Callable[[], bytes]
    code: str
    detail: str = ""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")
