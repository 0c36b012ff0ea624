"""Laws of a master that is made again: from any log with markings first, and from any export."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from mmd.ingest.first import FirstCodec
from mmd.ingest.handler import IngestHandler
from mmd.ingest.portable import Importer
from mmd.ingest.prepare import Preparer
from mmd.ingest.transaction import Ingest
from mmd.store.portable import claim_lines, conflict_lines
from streams.contracts.claims import Marking
from streams.contracts.documents import PersonDocument
from streams.sealing import KeyClass
from tests.integration.mmd.test_order_free import (
    DIGEST_SECRET,
    PEOPLE,
    PERSON_SECRET,
    Saying,
    empty,
    histories,
    log_of,
    whole,
)

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

_MARKED = (Marking.SEKRETESSMARKERING, Marking.SKYDDAD_FOLKBOKFORING)


def marked(master: Master) -> dict[str, Marking]:
    return {
        one: found.marking
        for one, found in whole(master).items()
        if isinstance(found, PersonDocument) and found.marking in _MARKED
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_any_log_read_markings_first_ends_the_same_and_shows_nobody_before(
    master: Master, persons: Callable[[int], Someone], history: list[Saying]
) -> None:
    log = log_of(master, [persons(n) for n in range(PEOPLE)], history)
    empty(master)
    for message in log:
        master.ingest([message])
    expected, hashed, protected = whole(master), master.hash(), marked(master)
    empty(master)
    codec = FirstCodec(master.keys, allowed=(KeyClass.INNER, KeyClass.ACCOUNT))
    first = IngestHandler(
        *(master.pool, codec, master.keys, master.register, PERSON_SECRET, DIGEST_SECRET, master.clock)
    )
    first(log)
    assert protected == marked(master)
    for message in log:
        master.ingest([message])
        assert protected == marked(master)
    assert whole(master) == expected
    assert master.hash() == hashed


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_any_master_exported_and_imported_is_the_same(
    master: Master, persons: Callable[[int], Someone], history: list[Saying]
) -> None:
    people = [persons(n) for n in range(PEOPLE)]
    empty(master)
    master.ingest(log_of(master, people, history))
    expected, hashed = whole(master), master.hash()
    with master.pool.connection() as connection:
        claims, conflicts = list(claim_lines(connection, master.keys)), list(conflict_lines(connection))
    empty(master)
    importer = Importer(
        Preparer(master.codec, master.keys, master.register, PERSON_SECRET, DIGEST_SECRET),
        Ingest(master.keys, master.register, PERSON_SECRET, DIGEST_SECRET),
    )
    with master.pool.connection() as connection:
        for start in range(0, len(claims), 3):
            importer.claims(connection, claims[start : start + 3], master.clock.now())
        importer.conflicts(connection, conflicts)
    assert whole(master) == expected
    assert master.hash() == hashed
