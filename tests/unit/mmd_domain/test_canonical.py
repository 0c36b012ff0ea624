"""The canonical form: every field of a document counts, and of a stamp its source alone."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mmd.domain.canonical import canonical_bytes
from streams.contracts import documents
from streams.contracts.claims import Marking
from streams.contracts.documents import NameEntry, PersonDocument, Stamp
from streams.contracts.identifiers import IdentifierType

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STAMP = Stamp("navet", "a", "1", AT, "e1")


def a_person(stamp: Stamp) -> PersonDocument:
    return PersonDocument(
        id="p",
        marking=Marking.NONE,
        marking_stamps=(stamp, STAMP),
        numbers=(documents.NumberEntry(IdentifierType.TF, "20000101TF01", True, stamp),),
        names=(NameEntry("Bo", "", "Ek", "", stamp, dt.date(2020, 1, 1)),),
    )


@pytest.mark.parametrize(
    "again",
    [replace(STAMP, source_key="b"), replace(STAMP, version="2"), replace(STAMP, event="e2")]
    + [replace(STAMP, logged_at=AT + dt.timedelta(days=1))],
)
def test_when_and_as_what_a_source_said_it_does_not_count(again: Stamp) -> None:
    assert canonical_bytes(a_person(again)) == canonical_bytes(a_person(STAMP))


def test_the_source_of_every_value_counts() -> None:
    person, other = a_person(STAMP), replace(STAMP, source="hr")
    changed = [
        replace(person, marking_stamps=(other, STAMP)),
        replace(person, numbers=(replace(person.numbers[0], stamp=other),)),
        replace(person, numbers=(replace(person.numbers[0], stamp=None),)),
        replace(person, names=(replace(person.names[0], stamp=other),)),
    ]
    assert len({canonical_bytes(one) for one in (person, *changed)}) == 5


DOCUMENTS = [
    documents.PersonDocument,
    documents.UnitDocument,
    documents.PlaceDocument,
    documents.GroupDocument,
    documents.LegalOrganisationDocument,
]


def _filled(kind: Any, marker: str) -> Any:
    """A value of a type (as `msgspec.inspect` tells it) with every field set, every text `marker`."""
    match kind:
        case msgspec.inspect.StructType():
            return {one.encode_name: _filled(one.type, marker) for one in kind.fields}
        case msgspec.inspect.UnionType():
            return _filled(next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType)), marker)
        case msgspec.inspect.VarTupleType():
            return [_filled(kind.item_type, marker)]
        case msgspec.inspect.StrType():
            return marker if kind.pattern is None else "2026-02-03"
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.FloatType():
            return 0.5
        case msgspec.inspect.IntType():
            return 7
        case msgspec.inspect.DateType():
            return "2026-02-03"
        case msgspec.inspect.DateTimeType():
            return "2026-02-03T04:05:06Z"
        case msgspec.inspect.EnumType():
            return list(kind.cls)[-1].value
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_no_field_of_a_document_is_left_out(kind: type) -> None:
    filled = _filled(msgspec.inspect.type_info(kind), "said")
    document: Any = msgspec.convert(filled, kind)
    _, _, content = canonical_bytes(document).partition(b"\n")
    assert msgspec.json.decode(content) == _sources_only(filled)


def _sources_only(value: Any) -> Any:
    if isinstance(value, list):
        return [_sources_only(one) for one in value]
    if isinstance(value, dict):
        if value.keys() == set(Stamp.__struct_fields__):
            return {"source": value["source"]}
        return {name: _sources_only(one) for name, one in value.items()}
    return value
