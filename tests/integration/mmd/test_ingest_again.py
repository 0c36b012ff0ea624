"""A batch that the database ends for the sake of another one is tried again in process: nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import psycopg.sql
import pytest

from mmd.ingest.handler import ATTEMPTS
from streams.contracts.claims import Protection
from tests.integration.mmd.test_interleavings import employment, named

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

_ENDED = """
create sequence mmd.test_tries;
create function mmd.test_end() returns trigger language plpgsql as $$
begin
    if nextval('mmd.test_tries') <= {times} then
        raise exception 'ended for the sake of another' using errcode = {code};
    end if;
    return null;
end $$;
create trigger test_end after insert on mmd.dirty for each statement execute function mmd.test_end();
"""
"""A sequence counts what is rolled back too."""


class NoTime:
    """Waits for nothing, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def ending(master: Master, code: str, times: int) -> None:
    """The next transactions of the master end so, at their last statement, as often as is said."""
    with psycopg.connect(master.url, autocommit=True) as control:
        control.execute(
            psycopg.sql.SQL(_ENDED).format(times=psycopg.sql.Literal(times), code=psycopg.sql.Literal(code))
        )


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_a_batch_that_ends_in_a_deadlock_or_a_serialization_failure_is_tried_again_and_loses_nothing(
    master: Master, persons: Callable[[int], Someone], code: str
) -> None:
    one, other = persons(1), persons(2)
    batch = [
        master.record(one, "1", Protection(), named("Anna")),
        master.record(other, "1", Protection(), other.refers(one)),
        master.record(other, "1", employment(), source="hr", key="E1"),
    ]
    ending(master, code, ATTEMPTS - 1)
    ticker = NoTime()
    master.handler(ticker=ticker)(batch)
    assert len(ticker.slept) == ATTEMPTS - 1
    found = master.reader.persons([one.id, other.id])
    assert {document.id for document in found.values()} == {one.id}
    assert [persona.source_id for persona in found[other.id].personas] == ["E1"]
    assert master.rows("select count(*) from mmd.claim") == [(5,)]


def test_a_batch_that_never_comes_through_is_given_back_to_whoever_runs_it_and_has_left_nothing(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    ending(master, "40P01", ATTEMPTS)
    with pytest.raises(psycopg.errors.DeadlockDetected):
        master.handler(ticker=NoTime())([master.record(persons(1), "1", Protection())])
    assert master.rows("select count(*) from mmd.claim") == [(0,)]
