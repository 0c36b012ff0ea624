"""Dead letters: records that will never be accepted as they stand, as a table of pointers into the log.

A row holds a code, names of fields and where the record lies; never the record and never a value of a person. A retry
reads the log again, so that what a corrected program or register makes of it is what counts.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import psycopg
import psycopg.rows
import psycopg_pool

from streams.bus import Handler
from streams.contracts.errors import KallanError, Rejected
from streams.envelope import Message
from streams.failures import nobodys_record, transient, unexpected

ReadAt = Callable[[str, int, int], Message]
"""Reads one record of the log again, by topic, partition and offset."""

_NUMBERS = re.compile(r"[0-9][0-9+-]{6,}[0-9]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_DETAIL_MOST = 200


class LetterState(StrEnum):
    OPEN = "open"
    RETRIED = "retried"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`attempts` counts how often the record failed in this consumer group. Times are UTC."""

    id: int
    group: str
    topic: str
    partition: int
    offset: int
    code: str
    detail: str
    state: LetterState
    attempts: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    closed_at: dt.datetime | None
    closed_by: str

    @property
    def pointer(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class DeadLetterBox(Protocol):
    """Where a runner puts what failed."""

    def add(self, group: str, message: Message, error: KallanError) -> None: ...


def redact(detail: str) -> str:
    """A detail holds names of fields, counts and codes. As a second lock, anything as long as a number of a person is
    taken out, and what would not fit a line."""
    return _NUMBERS.sub("[...]", _CONTROL.sub(" ", detail))[:_DETAIL_MOST]


_ADD = """
insert into streams.dead_letter as old (consumer_group, topic, partition, "offset", code, detail)
values (%s, %s, %s, %s, %s, %s)
on conflict (consumer_group, topic, partition, "offset") do update
set code = excluded.code, detail = excluded.detail, attempts = old.attempts + 1, last_seen = clock_timestamp(),
    state = case old.state when 'retried' then 'open' else old.state end,
    closed_at = case old.state when 'retried' then null else old.closed_at end,
    closed_by = case old.state when 'retried' then '' else old.closed_by end
"""

_COLUMNS = """select id, consumer_group as "group", topic, partition, "offset", code, detail, state, attempts,
first_seen, last_seen, closed_at, closed_by from streams.dead_letter"""


class DeadLetters:
    """The table `streams.dead_letter`. A record that fails again in the same group is the same row."""

    def __init__(self, pool: "psycopg_pool.ConnectionPool[psycopg.Connection]") -> None:
        self._pool = pool

    def add(self, group: str, message: Message, error: KallanError) -> None:
        """A letter that was retried is opened again; one that a person discarded stays discarded."""
        place = (group, message.topic, message.partition, message.offset)
        with self._pool.connection() as connection:
            connection.execute(_ADD, [*place, error.code, redact(error.detail)])

    def list(self, state: LetterState | None = LetterState.OPEN, *, most: int = 1000) -> Sequence[DeadLetter]:
        """The newest first; `state` None gives all."""
        return self._select(
            "where %(state)s::text is null or state = %(state)s order by last_seen desc, id desc limit %(most)s",
            {"state": state.value if state else None, "most": most},
        )

    def show(self, letter: int) -> DeadLetter:
        """Raises `Rejected("resource.unknown")`."""
        found = self._select("where id = %(id)s", {"id": letter})
        if not found:
            raise Rejected("resource.unknown", "dead letter")
        return found[0]

    def open_by_code(self, group: str | None = None) -> dict[str, int]:
        """How many are open, by code; of one consumer group, or of all."""
        with self._pool.connection() as connection:
            rows = connection.execute(
                "select code, count(*) from streams.dead_letter where state = 'open'"
                " and (%(group)s::text is null or consumer_group = %(group)s) group by code order by code",
                {"group": group},
            ).fetchall()
        return dict(rows)

    def discard(self, letter: int, who: str) -> DeadLetter:
        """A person has decided that this record is not needed. Raises `Rejected`: resource.unknown, or letter.closed: what
        somebody has decided stays theirs."""
        self.show(letter)
        if not self._close(letter, LetterState.DISCARDED, who):
            raise Rejected("letter.closed", self.show(letter).state)
        return self.show(letter)

    def retry(self, letter: int, who: str, read_at: ReadAt, handler: Handler) -> DeadLetter:
        """Read the record again and handle it. What comes back is RETRIED, or still open with the newest code; or closed by
        somebody else, who decided meanwhile.

        Raises `Unavailable` and the like as they come (nothing has changed then), `Rejected("resource.unknown")` if the log
        no longer holds the record, and `Rejected("letter.closed")`.
        """
        found = self.show(letter)
        if found.state is not LetterState.OPEN:
            raise Rejected("letter.closed", found.state)
        message = read_at(found.topic, found.partition, found.offset)
        try:
            handler([message])
        except Exception as error:
            if transient(error) or nobodys_record(error):
                raise
            self.add(found.group, message, unexpected(error))
        else:
            self._close(letter, LetterState.RETRIED, who)
        return self.show(letter)

    def _close(self, letter: int, state: LetterState, who: str) -> bool:
        """False where somebody was faster."""
        with self._pool.connection() as connection:
            closed = connection.execute(
                "update streams.dead_letter set state = %s, closed_at = clock_timestamp(), closed_by = %s"
                " where id = %s and state = 'open'",
                [state.value, who, letter],
            )
            return closed.rowcount == 1

    def _select(self, where: str, values: dict[str, object]) -> Sequence[DeadLetter]:
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
            rows = cursor.execute(f"{_COLUMNS} {where}", values).fetchall()
        return [DeadLetter(**{**row, "state": LetterState(row["state"])}) for row in rows]
