"""Laws of a master that is made again: from any log with markings first, and from any export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from mmd.ingest.erasure import Head, forget, heads_of, keep_heads, whole_of
from mmd.ingest.first import FirstCodec
from mmd.ingest.handler import IngestHandler
from mmd.ingest.portable import Importer
from mmd.ingest.prepare import Preparer
from mmd.ingest.transaction import Ingest
from mmd.store.portable import claim_lines, conflict_lines
from streams.catalogue import SOURCE_ACCOUNT
from streams.codec import Outgoing
from streams.contracts.claims import Birth, Claim, Employment, Marking, Merge, Name, Protection, Segment, Split
from streams.contracts.documents import PersonDocument, Redirect
from streams.envelope import Message
from streams.sealing import KeyClass
from tests.integration.mmd.test_order_free import DIGEST_SECRET, PERSON_SECRET, UNITS, empty, whole
from tests.laws import times
from tests.unit.mmd_domain.laws_histories import histories
from tests.unit.mmd_domain.laws_records import CAST, REGISTER, Told, person_id_of, shown, subject

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

NAMED = (Protection(), Claim(Name("Anna", "", "Ek"), dt.date(2020, 1, 1)))
_MARKED = (Marking.SEKRETESSMARKERING, Marking.SKYDDAD_FOLKBOKFORING)


def marked(master: Master) -> dict[str, Marking]:
    return {
        one: found.marking
        for one, found in whole(master).items()
        if isinstance(found, PersonDocument) and found.marking in _MARKED
    }


def log_of(master: Master, history: Sequence[Told]) -> list[Message]:
    """The messages of a history, as a master under the register of the histories reads them."""
    master.register = REGISTER
    master.ingest = master.handler()
    log = []
    for at, one in enumerate(history):
        codec = master.account_codec if one.topic == SOURCE_ACCOUNT else master.codec
        made = codec.encode([Outgoing(one.topic, one.record, one.event, one.at)])[0]
        log.append(Message(made.topic, made.key, made.value, made.headers, 0, at))
    return log


@settings(max_examples=times(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_any_log_read_markings_first_ends_the_same_and_shows_nobody_before(master: Master, history: list[Told]) -> None:
    log = log_of(master, history)
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


@settings(max_examples=times(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_any_master_exported_and_imported_is_the_same(master: Master, history: list[Told]) -> None:
    log = log_of(master, history)
    empty(master)
    master.ingest(log)
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


@settings(max_examples=times(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), data=st.data())
def test_after_an_erasure_anywhere_in_any_log_a_master_made_again_from_it_is_the_same(
    new_master: Callable[..., Master],
    database_url: str,
    history: list[Told],
    data: st.DataObject,
) -> None:
    with closing(new_master(url=database_url, size=2)) as master:  # keys of its own: what is erased stays erased
        log = log_of(master, history)
        note(shown(history))
        empty(master)
        place = data.draw(st.integers(0, len(log)))
        for message in log[:place]:
            master.ingest([message])
        with master.pool.connection() as connection:
            whole_person = whole_of(connection, person_id_of(subject(data.draw(st.sampled_from(CAST)))))
            heads = heads_of(connection, whole_person)
            if whole_person.ids:
                master.keys.erase(set(whole_person.owners))
                forget(connection, whole_person, "decision", master.clock.now())
        for message in data.draw(st.permutations([*log[place:], *log[:place]])):
            master.ingest([message])
        expected = master.hash()
        empty(master)
        with master.pool.connection() as connection:
            keep_heads(connection, heads)
        for message in log:
            master.ingest([message])
        assert master.hash() == expected


def erase(master: Master, person: str) -> tuple[list[Head], set[str]]:
    """Whoever has this id; what is kept of them, and who has no key any more."""
    with master.pool.connection() as connection:
        gone = whole_of(connection, person)
        heads = heads_of(connection, gone)
        if gone.ids:
            master.keys.erase(set(gone.owners))
            forget(connection, gone, "decision", master.clock.now())
    return heads, set(gone.owners)


@settings(max_examples=times(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=st.lists(histories(), min_size=2, max_size=3), data=st.data())
def test_after_erasures_and_returns_anywhere_in_any_log_a_master_made_again_from_it_is_the_same(
    new_master: Callable[..., Master],
    database_url: str,
    lives: list[list[Told]],
    data: st.DataObject,
) -> None:
    with closing(new_master(url=database_url, size=2)) as master:  # keys of its own: what is erased stays erased
        empty(master)
        log: list[Message] = []
        kept: list[Head] = []
        erased: set[str] = set()
        for life in lives:
            note(shown(life))
            sayable = [one for one in life if one.record.subject not in erased]
            log += [replace(one, offset=len(log) + n) for n, one in enumerate(log_of(master, sayable))]
            for message in data.draw(st.lists(st.sampled_from(log), max_size=2 * len(log))) if log else []:
                master.ingest([message])
            heads, owners = erase(master, person_id_of(subject(data.draw(st.sampled_from(CAST)))))
            kept += heads
            erased |= owners
            if data.draw(st.booleans()):
                master.keys.readmit(erased)
                erased = set()
        for message in data.draw(st.permutations(log)):
            master.ingest([message])
        expected = master.hash()
        empty(master)
        with master.pool.connection() as connection:
            keep_heads(connection, kept)
        for message in data.draw(st.permutations(log)):
            master.ingest([message])
        assert master.hash() == expected


def employed(
    master: Master, one: Someone, version: str, unit: str = UNITS[0], at: dt.datetime | None = None
) -> Message:
    work = Employment("kommun", "E1", (Segment(dt.date(2024, 1, 1), None, unit),))
    return master.record(one, version, work, source="hr", key="E1", at=at)


def units_of(master: Master, one: Someone) -> list[str]:
    found = master.reader.person(one.id)
    personas = found.personas if isinstance(found, PersonDocument) else ()
    return [segment.unit for persona in personas for segment in persona.segments]


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_is_said_after_a_return_counts_though_what_was_erased_had_a_newer_stamp(
    master: Master, persons: Callable[[int], Someone], version: str
) -> None:
    one = persons(0)
    old = employed(master, one, "2")
    master.ingest([old])
    heads, owners = erase(master, one.id)
    master.keys.readmit(owners)
    new = employed(master, one, version)
    master.ingest([old, new])
    assert units_of(master, one) == [UNITS[0]]
    assert master.rows("select count(*) from mmd.claim where subject = %s", one.subject) == [(1,)]
    hashed = master.hash()
    empty(master)
    with master.pool.connection() as connection:
        keep_heads(connection, heads)
    master.ingest([new, old])
    assert master.hash() == hashed


def test_what_was_taken_from_somebody_before_an_erasure_does_not_go_back_to_them_after_the_return(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    other, one = persons(0), persons(1)
    taken = employed(master, other, "1")
    master.ingest([taken, employed(master, one, "3")])
    heads, owners = erase(master, one.id)
    master.keys.readmit(owners)
    older, said = employed(master, other, "2"), employed(master, one, "0", UNITS[1])
    for order in ((said, older, taken), (older, taken, said)):
        empty(master)
        with master.pool.connection() as connection:
            keep_heads(connection, heads)
        master.ingest(list(order))
        assert (units_of(master, other), units_of(master, one)) == ([], [UNITS[1]])
    master.ingest([employed(master, other, "4")])
    assert (units_of(master, other), units_of(master, one)) == ([UNITS[0]], [])


def test_the_numbers_of_whoever_returns_are_joined_again_by_the_registers_reference_alone(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    old, new = persons(0), persons(1)
    reference = new.refers(old, superseded=False)
    master.ingest([master.record(new, "1", reference), master.record(old, "1", Birth("1980-01-01"))])
    assert master.reader.person(new.id) == Redirect(new.id, old.id)
    _, owners = erase(master, new.id)
    master.keys.readmit(owners)
    log = [master.record(new, "2", Birth("1980-02-02"))]
    master.ingest(log)
    found = master.reader.person(new.id)
    assert isinstance(found, PersonDocument)
    assert (found.id, found.aliases) == (new.id, ())
    hashed = master.hash()
    empty(master)
    master.ingest(log)
    assert master.hash() == hashed
    master.ingest([master.record(new, "3", reference)])
    assert master.reader.person(new.id) == Redirect(new.id, old.id)


def test_what_a_source_had_moved_to_somebody_erased_does_not_go_back_to_whom_it_was_taken_from(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    first, second = persons(0), persons(1)
    work = Employment("kommun", "E1", (Segment(dt.date(2024, 1, 1), None, UNITS[0]),))
    log = [
        master.record(one, str(version), work, source="hr", key="E1") for version, one in enumerate((first, second), 1)
    ]
    master.ingest(log)
    with master.pool.connection() as connection:
        gone = whole_of(connection, second.id)
        heads = heads_of(connection, gone)
        master.keys.erase(set(gone.owners))
        forget(connection, gone, "decision", master.clock.now())
    kept = master.hash()
    empty(master)
    master.ingest(log)
    assert master.hash() != kept, "nobody can read any more that it was moved"
    empty(master)
    with master.pool.connection() as connection:
        keep_heads(connection, heads)
    master.ingest(log)
    assert master.hash() == kept


def test_who_was_merged_with_somebody_erased_and_parted_again_leaves_nothing_under_the_others_id(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    """A wrong merge, its split, and later the erasure of the one who had given the id: read again, the log joins the other
    to an id that nobody has any more, and takes them away from it again."""
    stays, gone = persons(0), persons(1)
    grounds = ("a decision", "anna", "bertil")
    log = [
        master.record(stays, "1", *NAMED),
        master.record(gone, "1", *NAMED),
        master.record(gone.subject, "2", Merge(stays.subject, *grounds), source="ruling", key="merge"),
        master.record(gone.subject, "3", Split(("merge",), *grounds), source="ruling", key="split"),
    ]
    for message in log:
        master.ingest([message])
    with master.pool.connection() as connection:
        whole_person = whole_of(connection, stays.id)
        heads = heads_of(connection, whole_person)
        master.keys.erase(set(whole_person.owners))
        forget(connection, whole_person, "decision", master.clock.now())
    assert whole_person.ids == (stays.id,)
    kept = master.hash()
    empty(master)
    with master.pool.connection() as connection:
        keep_heads(connection, heads)
    for message in log:
        master.ingest([message])
    assert master.reader.person(stays.id) is None
    assert master.reader.person(gone.id) is not None
    assert master.hash() == kept
    assert master.rows("select lane from mmd.dirty where document = %s", stays.id) == [("urgent",)]


def test_what_was_merged_into_somebody_erased_is_not_left_under_that_id_by_the_split(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    gone, other = persons(0), persons(1)
    both = ("a decision", "anna", "bertil")
    master.ingest([master.record(gone, "1", Birth("1980-01-01")), master.record(other, "1", Birth("1980-02-02"))])
    erase(master, gone.id)
    master.ingest([master.record(other.subject, "2", Merge(gone.subject, *both), source="ruling", key="m1")])
    assert master.reader.person(other.id) == Redirect(other.id, gone.id)
    master.ingest([master.record(other.subject, "3", Split(("m1",), *both), source="ruling", key="s1")])
    found = master.reader.person(other.id)
    assert isinstance(found, PersonDocument)
    assert found.birth is not None
    assert master.reader.person(gone.id) is None
    assert master.rows("select body from mmd.document where id = %s", gone.id) == [(b"",)]
    assert master.rows("select lane from mmd.dirty where document = %s", gone.id) == [("urgent",)]


def test_what_was_taken_by_somebody_erased_is_not_known_again_of_whom_it_was_taken_from(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    first, second = persons(0), persons(1)
    begun = master.clock.now()
    moments = [begun + dt.timedelta(days=n) for n in range(4)]
    log = [employed(master, first, "1", at=moments[0]), employed(master, second, "2", at=moments[2])]
    master.ingest(log)

    def known() -> list[bool]:
        found = (master.reader.as_known(first.id, moment, master.register) for moment in moments)
        return [isinstance(one, PersonDocument) and bool(one.personas) for one in found]

    assert known() == [True, True, False, False]
    heads, _ = erase(master, second.id)
    assert known() == [True, True, False, False]
    empty(master)
    with master.pool.connection() as connection:
        keep_heads(connection, heads)
    master.ingest(log)
    assert known() == [True, True, False, False]
    with master.pool.connection() as connection:  # written down before the moment was
        connection.execute("truncate mmd.floor")
        old = "4fc45822-1fb8-8798-9f5c-03678a3ee3c3"  # a claim's id stood there
        keep_heads(connection, [(head, old, subject, version, digest) for head, _, subject, version, digest in heads])
    assert known() == [False, False, False, False]
