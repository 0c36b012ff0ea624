"""Returns after an erasure that were decided: who may have keys again, by whom, and which erasures ended with it.

Kept with the erasures, in the schema of the keys. What was destroyed stays destroyed.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import msgspec
import psycopg
import psycopg_pool
from psycopg.types.json import Jsonb

from streams.contracts.claims import Marking
from streams.contracts.errors import Rejected
from streams.erasures import Erasure, decided

_PUT = """
insert into streams.returned (decision, person, reason, asked_by, approved_by, owners, numbers, marking, at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (decision, person) do nothing
"""
_ALL = """
select decision, person, reason, asked_by, approved_by, owners, numbers, marking, at
from streams.returned order by at, decision, person
"""
_END = "update streams.erasure set ended_by = %s where decision = %s and person = %s"
_ALONE = "select pg_advisory_xact_lock(hashtextextended('streams.erasure', 0))"


@dataclass(frozen=True, slots=True)
class Return:
    """One person by one decision. `person` is the id of the erasure that it ends, `owners` are who may have keys again, and
    `numbers` the subjects of the person's numbers. `marking`: what was raised when the person was erased, or NONE.

    Raises `Rejected` (input.missing, decision.two-persons) where the decision, the reason or one of two different persons
    is not named."""

    decision: str
    person: str
    reason: str
    asked_by: str
    approved_by: str
    at: dt.datetime
    owners: tuple[str, ...]
    numbers: tuple[str, ...]
    marking: Marking

    def __post_init__(self) -> None:
        decided(self.decision, self.asked_by, self.approved_by)
        if not self.reason.strip():
            raise Rejected("input.missing", "reason")


class ReturnLine(msgspec.Struct, frozen=True, tag_field="record", tag="return"):
    """A line of an export: a return that was decided."""

    decision: str
    person: str
    reason: str
    asked_by: str
    approved_by: str
    at: dt.datetime
    owners: tuple[str, ...]
    numbers: tuple[str, ...]
    marking: Marking


class Returns:
    """All that were ever decided here."""

    def __init__(self, pool: "psycopg_pool.ConnectionPool[psycopg.Connection]") -> None:
        self._pool = pool

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else erases or brings back meanwhile."""
        with self._pool.connection() as connection:
            connection.execute(_ALONE)
            yield

    def record(self, one: Return, ended: Sequence[Erasure] = ()) -> None:
        """The return with the erasures that it ends. Durable when it returns; the same again changes nothing."""
        who = (one.decision, one.person, one.reason, one.asked_by, one.approved_by)
        with self._pool.connection() as connection:
            connection.execute(_PUT, [*who, Jsonb(one.owners), Jsonb(one.numbers), one.marking, one.at])
            with connection.cursor() as cursor:
                cursor.executemany(_END, [(one.decision, erasure.decision, erasure.person) for erasure in ended])

    def lines(self) -> Iterator[ReturnLine]:
        """For an export."""
        return (ReturnLine(**asdict(one)) for one in self.all())

    def all(self) -> list[Return]:
        """The oldest first."""
        with self._pool.connection() as connection:
            rows = connection.execute(_ALL).fetchall()
        return [
            Return(
                decision, person, reason, asked, approved, at.astimezone(dt.UTC), tuple(o), tuple(n), Marking(marking)
            )
            for decision, person, reason, asked, approved, o, n, marking, at in rows
        ]


def standing(erasures: Sequence[Erasure], owner: str) -> list[Erasure]:
    """The erasures that stand of whoever has `owner` as an id or a subject, and of everybody who was one with them."""
    mine = {owner}
    found: list[Erasure] = []
    waiting = [one for one in erasures if one.ended_by is None]
    while touched := [one for one in waiting if not mine.isdisjoint((one.person, *one.owners))]:
        found += touched
        waiting = [one for one in waiting if one not in touched]
        mine.update(*((one.person, *one.owners) for one in touched))
    return found
