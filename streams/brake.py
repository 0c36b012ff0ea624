"""The brake on dead letters: where nothing at all is accepted any more, the fault is hardly the records'.

It holds a *flow*, what one source says in one topic, for one consumer group: a source that sends nothing but rubbish stops
itself and nobody else, and a defect of ours that refuses everything stops each flow in turn. What is held stays in the
log, uncommitted. A new process tries one batch of it: if one record is accepted the flow goes on, else it is held
again without a new letter. Nothing is lost: every record is handled, or a dead letter, or not committed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import psycopg
import psycopg_pool

from streams.envelope import Message

FAILURES = 50
"""So many records in a row, and none accepted between them."""

_FLOWS_MOST = 200
_SOURCE = re.compile(r"[a-z][a-z-]{0,39}")
_OTHER = "other"


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """`source` is what the records themselves say; a name that is none of ours in form is `other`."""

    topic: str
    source: str

    @classmethod
    def of(cls, message: Message) -> "Flow":
        source = message.headers.get("ce_source", "").rpartition(":")[2]
        return cls(message.topic, source if _SOURCE.fullmatch(source) else _OTHER)


class State(StrEnum):
    OPEN = "open"
    PROBING = "probing"
    HELD = "held"


class Held(Protocol):
    """Where it is kept what the brake holds, over the life of processes."""

    def read(self, group: str) -> Mapping[Flow, str]:
        """What is held for the group, each with the code of its last failure."""
        ...

    def hold(self, group: str, flow: Flow, code: str, failures: int) -> None: ...

    def release(self, group: str, flow: Flow) -> None: ...


class Brake:
    """The brake of one consumer group in one process. `failures` 0: there is none. For one thread but for `held`."""

    def __init__(self, group: str, kept: Held, failures: int = FAILURES) -> None:
        self.group = group
        self._kept = kept
        self._failures = failures
        self._in_a_row: dict[Flow, int] = {}
        self._states: dict[Flow, State] | None = None

    @property
    def held(self) -> frozenset[Flow]:
        states = self._states or {}
        return frozenset(flow for flow, state in states.copy().items() if state is State.HELD)

    def begin(self) -> None:
        """What an earlier process held is to be tried. Asks the database once; raises what it raises."""
        if self._states is None:
            kept = self._kept.read(self.group)
            if self._failures:
                self._states = dict.fromkeys(kept, State.PROBING)
                return
            for flow in kept:  # switched off: nothing is held back any more
                self._kept.release(self.group, flow)
            self._states = {}

    def state(self, flow: Flow) -> State:
        return (self._states or {}).get(flow, State.OPEN)

    def accepted(self, flow: Flow) -> bool:
        """A record of the flow was accepted. True: that ends a hold."""
        self._in_a_row.pop(flow, None)
        if self.state(flow) is not State.PROBING:
            return False
        self._kept.release(self.group, flow)
        self._set(flow, State.OPEN)
        return True

    def failed(self, flow: Flow, code: str) -> bool:
        """A record of the flow has become a dead letter. True: it was one too many, and the flow is held from here on."""
        if not self._failures:
            return False
        if len(self._in_a_row) >= _FLOWS_MOST:
            self._in_a_row.clear()
        count = self._in_a_row[flow] = self._in_a_row.get(flow, 0) + 1
        if count < self._failures:
            return False
        self.hold(flow, code, count)
        return True

    def hold(self, flow: Flow, code: str, failures: int) -> None:
        """Also for a probe in which nothing was accepted. Written down first: it must outlive this process."""
        self._kept.hold(self.group, flow, code, failures)
        self._set(flow, State.HELD)
        self._in_a_row.pop(flow, None)

    def _set(self, flow: Flow, state: State) -> None:
        states = dict(self._states or {})
        if state is State.OPEN:
            states.pop(flow, None)
        else:
            states[flow] = state
        self._states = states


@dataclass(frozen=True, slots=True)
class HeldFlow:
    """One row of `streams.brake`; `seconds` since it was held."""

    group: str
    topic: str
    source: str
    code: str
    failures: int
    seconds: float


class HeldFlows:
    """The table `streams.brake`. Implements `Held`."""

    def __init__(self, pool: "psycopg_pool.ConnectionPool[psycopg.Connection]") -> None:
        self._pool = pool

    def read(self, group: str) -> Mapping[Flow, str]:
        return {Flow(one.topic, one.source): one.code for one in self.list() if one.group == group}

    def hold(self, group: str, flow: Flow, code: str, failures: int) -> None:
        with self._pool.connection() as connection:
            connection.execute(
                "insert into streams.brake as b (consumer_group, topic, source, code, failures)"
                " values (%s, %s, %s, %s, %s) on conflict (consumer_group, topic, source) do update"
                " set code = excluded.code, failures = greatest(b.failures, excluded.failures)",
                [group, flow.topic, flow.source, code, failures],
            )

    def release(self, group: str, flow: Flow) -> None:
        with self._pool.connection() as connection:
            connection.execute(
                "delete from streams.brake where consumer_group = %s and topic = %s and source = %s",
                [group, flow.topic, flow.source],
            )

    def list(self) -> "list[HeldFlow]":
        """All that is held, for every group."""
        with self._pool.connection() as connection:
            rows = connection.execute(
                "select consumer_group, topic, source, code, failures,"
                " extract(epoch from clock_timestamp() - since)::float8 from streams.brake order by 1, 2, 3"
            ).fetchall()
        return [HeldFlow(*row) for row in rows]
