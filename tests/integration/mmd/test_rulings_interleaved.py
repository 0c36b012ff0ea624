"""Rulings and records at once: the first worker is held in the middle of its transaction, the second runs into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from streams.contracts.claims import Merge, Protection, Split
from streams.envelope import Message
from tests.integration.mmd.test_interleavings import alone, employment, held_at, named, run_into, twins

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

__all__ = ["twins"]
BOTH = ("a decision", "anna", "bertil")


def ruled(master: Master, gone: Someone, version: str, body: Merge | Split, name: str) -> Message:
    return master.record(gone.subject, version, body, source="ruling", key=name)


@pytest.mark.parametrize("table", ["merge", "identity", "document", "dirty"])
@pytest.mark.parametrize("other", ["record", "raise", "split", "opposite", "third"])
def test_a_merge_and_whatever_comes_at_the_same_moment_end_as_one_after_the_other(
    twins: tuple[Master, Master], persons: Callable[[int], Someone], table: str, other: str
) -> None:
    first, second = twins
    one, two, three = persons(0), persons(1), persons(2)
    known = [first.record(who, "1", Protection(), named(f"N{n}")) for n, who in enumerate((one, two, three))]
    job = first.record(one, "1", employment(), source="hr", key="E1")
    first.ingest([*known, job])
    merge = [ruled(first, one, "1", Merge(two.subject, *BOTH), "m1")]
    meanwhile = {
        "record": first.record(one, "2", employment(), source="hr", key="E1"),
        "raise": first.record(one, "2", Protection(True)),
        "split": ruled(first, one, "2", Split(("m1",), *BOTH), "s1"),
        "opposite": ruled(first, two, "2", Merge(one.subject, *BOTH), "m2"),
        "third": ruled(first, two, "2", Merge(three.subject, *BOTH), "m2"),
    }[other]
    with held_at(first, table, merge) as control:
        worker = run_into(control, second, [meanwhile])
    worker.finish()
    assert first.hash() == alone(first, [[*known, job], merge, [meanwhile]])
