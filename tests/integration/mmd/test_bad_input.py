"""Records with something in them that cannot be used: the marking and the ends that they tell of count all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from mmd.ingest.portable import Importer
from mmd.ingest.prepare import Preparer
from mmd.ingest.transaction import Ingest
from mmd.store.portable import claim_lines
from streams.catalogue import RECORD_SCHEMA, SOURCE_EMPLOYMENT
from streams.codec import schema_uri
from streams.contracts.claims import (
    Absent,
    Body,
    Claim,
    Custody,
    Employment,
    Marking,
    Name,
    NumberReference,
    Protection,
    Relation,
    Segment,
    unit_key,
)
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected
from streams.envelope import Envelope, Message
from streams.sealing import KeyClass, seal
from tests.integration.mmd.conftest import DIGEST_SECRET, PERSON_SECRET

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone

UNIT = unit_key("kommun", "10")
RAISED = Protection(skyddad_folkbokforing=True)
LONG = "x" * 5000
START = dt.date(2026, 1, 1)


def raw_record(master: Master, who: Someone, **content: object) -> Message:
    """A record of any shape under the subject's own key, as a connector of another version might send it."""
    key = master.keys.current(KeyClass.INNER, {who.subject})[who.subject]
    whole: dict[str, object] = {"source": "hr", "source_key": "E1", "version": "2", "subject": who.subject, **content}
    envelope = Envelope(
        "event-raw",
        f"urn:kallan:source:{whole['source']}",
        f"kallan.{RECORD_SCHEMA}",
        *(who.subject, master.clock.now(), schema_uri(RECORD_SCHEMA), key.id),
        version=str(whole["version"]),
    )
    value = seal(key, msgspec.json.encode(whole), envelope.associated_data())
    return Message(SOURCE_EMPLOYMENT, who.subject, value, envelope.headers(), 0, 1)


def person(master: Master, who: Someone) -> PersonDocument:
    found = master.reader.person(who.id)
    assert isinstance(found, PersonDocument)
    return found


def test_a_record_with_a_claim_that_cannot_be_read_still_raises_the_marking_and_ends_the_employment(
    master: Master, persons: Callable[[int], Someone]
) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Employment("kommun", "E1", (Segment(START),)), source="hr", key="E1")])
    claims = [
        {"body": {"kind": "of-a-newer-program"}},
        {"body": {"kind": "protection", "skyddad_folkbokforing": True}},
        {"body": {"kind": "employment", "employer": "kommun", "employment_id": "E1", "cancelled": True}},
    ]
    with pytest.raises(Rejected, match="input.invalid"):
        master.ingest([raw_record(master, anna, claims=claims)])
    found = person(master, anna)
    assert found.marking is Marking.SKYDDAD_FOLKBOKFORING
    assert [one.cancelled for one in found.personas] == [True]
    assert master.rows("select lane from mmd.dirty") == [("urgent",)]


def test_the_dates_of_a_marking_never_keep_it_out(master: Master, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    master.ingest([master.record(anna, "1", Claim(RAISED, dt.date(2026, 2, 1), dt.date(2026, 1, 1)))])
    assert person(master, anna).marking is Marking.SKYDDAD_FOLKBOKFORING


@pytest.mark.parametrize("field", ["source", "source_key", "version"])
@pytest.mark.parametrize("text", ["", LONG])
def test_a_record_that_cannot_be_named_still_raises_the_marking(
    master: Master, persons: Callable[[int], Someone], field: str, text: str
) -> None:
    anna = persons(1)
    claims = [Claim(RAISED), Claim(Name("Anna"))]
    with pytest.raises(Rejected):
        master.ingest([raw_record(master, anna, claims=claims, **{field: text})])
    found = person(master, anna)
    assert found.marking is Marking.SKYDDAD_FOLKBOKFORING
    assert found.names == ()
    assert LONG not in str(msgspec.to_builtins(found))


@pytest.mark.parametrize("field", ["source", "source_key"])
def test_a_marking_of_a_record_that_could_not_be_named_is_exported_and_imported(
    master: Master, new_master: Callable[..., Master], persons: Callable[[int], Someone], field: str
) -> None:
    anna = persons(1)
    with pytest.raises(Rejected):
        master.ingest([raw_record(master, anna, claims=[Claim(RAISED)], **{field: ""})])
    with master.pool.connection() as connection:
        lines = list(claim_lines(connection, master.keys))
    other = new_master(keys=master.keys)
    importer = Importer(
        Preparer(other.codec, other.keys, other.register, PERSON_SECRET, DIGEST_SECRET),
        Ingest(other.keys, other.register, PERSON_SECRET, DIGEST_SECRET),
    )
    with other.pool.connection() as connection:
        importer.claims(connection, lines, other.clock.now())
    assert person(other, anna) == person(master, anna)


def employed(unit: str) -> Employment:
    return Employment("kommun", "E1", (Segment(START, unit=unit),))


@pytest.mark.parametrize(
    ("body", "source"),
    [
        (employed(LONG), "hr"),
        (Absent(of=LONG), "hr"),
        (Absent(of="absent"), "hr"),
        (Custody((Relation("V", LONG),)), "navet"),
        (Custody((Relation("V", UNIT),)), "navet"),
        (Name(given=LONG * 20), "navet"),
    ],
)
def test_a_value_that_cannot_be_stored_is_refused_and_the_marking_beside_it_counts(
    master: Master, persons: Callable[[int], Someone], body: Body, source: str
) -> None:
    anna = persons(1)
    with pytest.raises(Rejected, match="input"):
        master.ingest([master.record(anna, "1", RAISED, body, source=source, key="K1")])
    found = person(master, anna)
    assert found.marking is Marking.SKYDDAD_FOLKBOKFORING
    assert (found.personas, found.guardians, found.names) == ((), (), ())


@pytest.mark.parametrize("other", [UNIT, "id:somebody", LONG])
def test_a_number_refers_to_a_number_only(master: Master, persons: Callable[[int], Someone], other: str) -> None:
    anna, bo = persons(1), persons(2)
    with pytest.raises(Rejected, match="number-reference"):
        master.ingest([master.record(anna, "1", RAISED, NumberReference(bo.identifier, other))])
    assert person(master, anna).marking is Marking.SKYDDAD_FOLKBOKFORING
    assert master.rows("select count(*) from mmd.edge") == [(0,)]
