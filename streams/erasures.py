"""Erasures (*gallring*) that were decided: by whom, of whom, and digests of the names that nobody else may ever be given.

Kept in the schema of the keys, apart from the stores: a store that is lost and made again must not forget them.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import msgspec
import psycopg
import psycopg_pool
from psycopg.types.json import Jsonb

from streams.contracts.claims import Marking
from streams.contracts.decisions import two_persons
from streams.contracts.errors import Rejected

_PUT = """
insert into streams.erasure (decision, person, asked_by, approved_by, names, heads, owners, numbers, marking, ended_by, at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (decision, person) do nothing
"""
_ALL = """
select decision, person, asked_by, approved_by, names, heads, owners, numbers, marking, ended_by, at
from streams.erasure order by at, decision, person
"""

Name = tuple[str, str, str]
"""Kind of name, keyed digest of it, account."""

Head = tuple[str, str, str, str, str]
"""Of the master's heads: what is spoken of, when the winning claim was first logged, its subject, version and digest."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person by one decision. `person` is an id, which names nobody. `owners`: whose keys were destroyed, and of them
    `numbers`: the subjects of the person's numbers; empty in one from before they were written down. `marking`: the highest
    that was effective (None: not written down); `ended_by`: the decision of the return that ended it, or None.

    Raises `Rejected` (input.missing, decision.two-persons) where the decision or one of two different persons is not
    named."""

    decision: str
    person: str
    asked_by: str
    approved_by: str
    at: dt.datetime
    names: tuple[Name, ...] = ()
    heads: tuple[Head, ...] = ()
    owners: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    marking: Marking | None = None
    ended_by: str | None = None

    def __post_init__(self) -> None:
        decided(self.decision, self.asked_by, self.approved_by)


def decided(decision: str, asked_by: str, approved_by: str) -> None:
    """Raises `Rejected`: input.missing, decision.two-persons."""
    if not (decision.strip() and asked_by.strip() and approved_by.strip()):
        raise Rejected("input.missing", "decision, asked by, approved by")
    if not two_persons(asked_by, approved_by):
        raise Rejected("decision.two-persons")


class ErasureLine(msgspec.Struct, frozen=True, tag_field="record", tag="erasure"):
    """A line of an export: an erasure that was decided."""

    decision: str
    person: str
    asked_by: str
    approved_by: str
    at: dt.datetime
    names: tuple[Name, ...]
    heads: tuple[Head, ...]
    owners: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    marking: Marking | None = None
    ended_by: str | None = None


class ErasedLine(msgspec.Struct, frozen=True, tag_field="record", tag="erased"):
    """A line of an export: an owner who gets no key again without a return."""

    owner: str


class Erasures:
    """All that were ever decided here."""

    def __init__(self, pool: "psycopg_pool.ConnectionPool[psycopg.Connection]") -> None:
        self._pool = pool

    def record(self, erasure: Erasure) -> None:
        """Durable when it returns. The same decision about the same person again changes nothing."""
        who = (erasure.decision, erasure.person, erasure.asked_by, erasure.approved_by)
        found = [Jsonb(one) for one in (erasure.names, erasure.heads, erasure.owners, erasure.numbers)]
        with self._pool.connection() as connection:
            connection.execute(_PUT, [*who, *found, erasure.marking, erasure.ended_by, erasure.at])

    def lines(self) -> Iterator[ErasureLine | ErasedLine]:
        """For an export: whoever is erased here is erased wherever it is read."""
        for one in self.all():
            yield ErasureLine(**asdict(one))
        with self._pool.connection() as connection:
            for row in connection.execute("select owner from streams.erased_owner order by 1").fetchall():
                yield ErasedLine(row[0])

    def owners(self) -> set[str]:
        """Whoever gets no key: ids and subjects of those who are erased."""
        return {one.owner for one in self.lines() if isinstance(one, ErasedLine)}

    def all(self) -> list[Erasure]:
        """The oldest first."""
        with self._pool.connection() as connection:
            rows = connection.execute(_ALL).fetchall()
        return [_erasure(*row) for row in rows]


def _erasure(
    decision: str,
    person: str,
    asked_by: str,
    approved_by: str,
    names: list[list[str]],
    heads: list[list[str]],
    owners: list[str],
    numbers: list[str],
    marking: str | None,
    ended_by: str | None,
    at: dt.datetime,
) -> Erasure:
    return Erasure(
        decision=decision,
        person=person,
        asked_by=asked_by,
        approved_by=approved_by,
        at=at.astimezone(dt.UTC),
        names=tuple((kind, digest, account) for kind, digest, account in names),
        heads=tuple(map(_head, heads)),
        owners=tuple(owners),
        numbers=tuple(numbers),
        marking=None if marking is None else Marking(marking),
        ended_by=ended_by,
    )


def _head(row: list[str]) -> Head:
    one, claim, subject, version, digest = row
    return one, claim, subject, version, digest
