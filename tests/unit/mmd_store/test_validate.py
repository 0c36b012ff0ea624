"""One claim that cannot be used is refused by its own code and field; the others of the record stand."""

import datetime as dt

import msgspec
import pytest

from mmd.ingest.validate import check_claim, check_record
from streams.contracts.claims import (
    Body,
    Claim,
    Custody,
    DatedName,
    Employment,
    Leave,
    Name,
    NumberReference,
    Protection,
    Relation,
    Segment,
    SourceRecord,
    UnitName,
    UnitNode,
    UnitParent,
    UnitPeriod,
    UnitStructure,
)
from streams.contracts.identifiers import Identifier, IdentifierType

LATE, EARLY = dt.date(2026, 2, 1), dt.date(2026, 1, 31)
PERSON, UNIT = "a" * 32, "unit:kommun:1"


def record(subject: str, *claims: Claim) -> SourceRecord:
    return SourceRecord("hr", "E1", "1", subject, claims)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        (PERSON, Employment("kommun", "E1", (Segment(LATE, EARLY),))),
        (PERSON, Employment("kommun", "E1", (Segment(EARLY),), (Leave(LATE, EARLY),))),
        (PERSON, Custody((Relation("V", "b" * 32, LATE, EARLY),))),
        (UNIT, UnitNode((UnitPeriod(LATE, EARLY),))),
        (UNIT, UnitStructure((UnitParent("", LATE, EARLY),))),
        (UNIT, UnitName((DatedName("Förskolan", LATE, EARLY),))),
    ],
)
def test_an_end_before_the_start_is_refused_wherever_it_stands(subject: str, body: Body) -> None:
    refused = check_claim(record(subject), Claim(body))
    assert refused is not None
    assert refused.code == "input.end-before-start"
    assert check_claim(record(subject), Claim(body, LATE, EARLY)) is not None


def test_one_day_is_a_period() -> None:
    assert check_claim(record(PERSON), Claim(Employment("kommun", "E1", (Segment(LATE, LATE),)))) is None


@pytest.mark.parametrize(("subject", "body"), [(UNIT, Name("Anna")), (PERSON, UnitNode()), (UNIT, Protection())])
def test_claims_about_persons_and_units_do_not_mix(subject: str, body: Body) -> None:
    refused = check_claim(record(subject), Claim(body))
    assert refused is not None
    assert refused.code == "input.invalid"


@pytest.mark.parametrize("other", ["", PERSON])
def test_a_number_refers_to_another_number(other: str) -> None:
    reference = NumberReference(Identifier(IdentifierType.TF, ""), other)
    assert check_claim(record(PERSON), Claim(reference)) is not None


@pytest.mark.parametrize("field", ["source", "source_key", "subject"])
@pytest.mark.parametrize("text", ["", "x" * 201])
def test_a_record_without_usable_keys_is_refused_naming_the_field(field: str, text: str) -> None:
    refused = check_record(msgspec.structs.replace(record(PERSON), **{field: text}))
    assert refused is not None
    assert (refused.code, refused.detail) == ("input.invalid", field)


def test_an_employment_without_its_key_is_refused() -> None:
    assert check_claim(record(PERSON), Claim(Employment("kommun", "", (Segment(LATE),)))) is not None
