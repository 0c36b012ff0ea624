"""What became of a file, and what kept a load waiting."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class LoadState(StrEnum):
    """SM8. A delta is `committed` (all of it published) or `aborted` (published until the file could not be read)."""

    OPENED = "opened"
    HELD = "held"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    COMMITTED = "committed"
    VOID = "void"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Limit:
    """A gross change larger than both `count` records and `share` of what was there is held."""

    count: int
    share: float

    def exceeded(self, changes: int, before: int) -> bool:
        return changes > self.count and changes > self.share * before


@dataclass(frozen=True, slots=True)
class Thresholds:
    """By type of change. The first total load of a source may add any number; what deltas have told before is not taken away
    or changed by it any more freely than by another."""

    added: Limit = Limit(50, 0.5)
    changed: Limit = Limit(50, 0.5)
    absent: Limit = Limit(10, 0.05)


@dataclass(slots=True)
class LoadReport:
    """Counts of one file (a delta) or of the total load that it is part of. `reason` is an error code or empty.

    `rows` counts the file's own records, `posts` what they were read as; `alarms` counts (code, field); `published` and
    `urgent` count messages that this call sent.
    """

    source: str
    total: bool = False
    state: LoadState = LoadState.OPENED
    load_id: int | None = None
    rows: int = 0
    posts: int = 0
    rejected: int = 0
    published: int = 0
    urgent: int = 0
    unchanged: int = 0
    added: int = 0
    changed: int = 0
    absent: int = 0
    absences_held: bool = False
    reason: str = ""
    detail: str = ""
    alarms: Counter[tuple[str, str]] = field(default_factory=Counter)
