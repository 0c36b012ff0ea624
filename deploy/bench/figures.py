"""What was measured: repeats, their median, and the ratio to a bound. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Series:
    """Repeats of one measurement in one unit, in the order in which they were made; at least one."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a series has at least one value")

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def percentile(self, share: float) -> float:
        """The smallest value that `share` (0 to 1) of the repeats do not exceed: nearest rank, never between two."""
        if not 0 < share <= 1:
            raise ValueError("a share is above 0 and at most 1")
        return sorted(self.values)[math.ceil(share * len(self.values)) - 1]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure is held against. `limit`: a number that the requirements set, else it was measured in this run."""

    title: str
    series: Series
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    `tail`: single durations, where the worst counts (shown as p50, p95, p99, worst); else the median counts. `details` are
    figures beside it for the JSON, `note` what a reader of the table must know. `others` is the share of the machine
    (0 to 1) that everything else took meanwhile.
    """

    name: str
    title: str
    unit: str
    measured: Series
    bound: Bound | None = None
    tail: bool = False
    note: str = ""
    others: float = 0.0
    details: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def counted(self) -> float:
        """The one number that is compared with the bound."""
        return self.measured.high if self.tail else self.measured.median

    @property
    def ratio(self) -> float | None:
        """Measured / bound; None without a bound, or with one of zero."""
        if self.bound is None or self.bound.series.median == 0:
            return None
        return self.counted / self.bound.series.median

    @property
    def within(self) -> bool | None:
        """Whether a limit is kept; None where the bound is none."""
        if self.bound is None or not self.bound.limit:
            return None
        return self.counted < self.bound.series.median


def limit(title: str, value: float) -> Bound:
    return Bound(title, Series((value,)), limit=True)


def rates(count: int, seconds: Sequence[float]) -> Series:
    """So many things in each of these durations, as things per second."""
    return Series(tuple(count / one for one in seconds))
