"""What the journal tells: operations put together from intent and result, and the state at a moment in the past."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import psycopg
from psycopg.rows import class_row

from iam.domain.account import Reason
from iam.execute.metrics import Outcome
from iam.explain.explanation import Operation

Place = tuple[str, str]
"""Account and target."""

READ_BACK = frozenset((Outcome.DONE, Outcome.UNCHANGED, Outcome.READ, Outcome.WAITS, Outcome.PARTIAL, Outcome.DIFFERS))
"""Outcomes after which the target's own words are known."""
AS_DESIRED = frozenset((Outcome.DONE, Outcome.UNCHANGED, Outcome.WAITS))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal."""

    id: int
    at: dt.datetime
    kind: str
    account: str
    target: str
    lane: str
    attempt: int
    desired_version: int
    attributes: list[str]
    groups_added: list[str]
    groups_removed: list[str]
    groups: list[str]
    presence: str
    digest_after: str
    outcome: str
    error_code: str
    duration_ms: int | None
    cause: str
    caused_at: dt.datetime | None
    reasons: list[object]


@dataclass(frozen=True, slots=True)
class Moment:
    """What was desired and what was last read back of one account in one target at a moment."""

    evaluated: Row | None = None
    read: Row | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return msgspec.convert(self.evaluated.reasons, tuple[Reason, ...]) if self.evaluated else ()


_ROWS = """
select id, at, kind, account::text, target, lane, attempt, desired_version, attributes, groups_added, groups_removed,
       groups, presence, digest_after, outcome, error_code, duration_ms, cause, caused_at, reasons
from iam.journal
where account = any(%(accounts)s::uuid[]) and (%(at)s::timestamptz is null or at <= %(at)s)
order by id
"""


def rows(connection: psycopg.Connection, accounts: Sequence[str], at: dt.datetime | None) -> dict[Place, list[Row]]:
    """By account and target, oldest first; up to and including `at` (business time), or all."""
    found: dict[Place, list[Row]] = {}
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        for row in cursor.execute(_ROWS, {"accounts": list(accounts), "at": at}):
            found.setdefault((row.account, row.target), []).append(row)
    return found


def moment(told: Iterable[Row]) -> Moment:
    """The state after these rows."""
    evaluated: Row | None = None
    read: Row | None = None
    for row in told:
        if row.kind == "evaluated":
            evaluated = row
        elif row.kind == "result" and row.outcome in READ_BACK and row.duration_ms is not None:
            read = row
    return Moment(evaluated, read)


def operations(told: Iterable[Row]) -> tuple[Operation, ...]:
    """Attempts, oldest first: an intent with its result, or a result without a call, or an intent that is still open."""
    intents: dict[int, Row] = {}
    found: list[tuple[int, Operation]] = []
    for row in told:
        if row.kind == "intent":
            intents[row.attempt] = row
        elif row.kind == "result":
            intent = None if row.outcome == Outcome.READ else intents.pop(row.attempt, None)
            found.append((row.id, _operation(row, intent)))
    found.extend((row.id, _open(row, found)) for row in intents.values())
    return tuple(one for _, one in sorted(found, key=lambda pair: pair[0]))


def _operation(row: Row, intent: Row | None) -> Operation:
    asked = intent or row
    done = row.outcome in AS_DESIRED and row.caused_at is not None
    return Operation(
        at=row.at,
        attempt=row.attempt,
        version=row.desired_version,
        lane=row.lane,
        outcome=row.outcome,
        asked=intent.presence if intent else "",
        found=row.presence,
        attributes=tuple(sorted({*asked.attributes, *row.attributes} - {"created", "deleted"})),
        added=tuple(row.groups_added if row.outcome in READ_BACK else asked.groups_added),
        removed=tuple(row.groups_removed if row.outcome in READ_BACK else asked.groups_removed),
        error_code=row.error_code,
        cause=row.cause,
        caused_at=row.caused_at,
        call_ms=row.duration_ms,
        seconds=(row.at - row.caused_at).total_seconds() if done and row.caused_at else None,
    )


def _open(intent: Row, later: Sequence[tuple[int, Operation]]) -> Operation:
    """An attempt without a result of its own: under way, or its worker ended and a later one read back."""
    followed = any(number > intent.id for number, _ in later)
    return Operation(
        at=intent.at,
        attempt=intent.attempt,
        version=intent.desired_version,
        lane=intent.lane,
        outcome="lost" if followed else "open",
        asked=intent.presence,
        attributes=tuple(intent.attributes),
        added=tuple(intent.groups_added),
        removed=tuple(intent.groups_removed),
        cause=intent.cause,
        caused_at=intent.caused_at,
    )


def moments(told: Mapping[Place, Sequence[Row]]) -> dict[Place, Moment]:
    return {place: moment(found) for place, found in told.items() if place[1]}
