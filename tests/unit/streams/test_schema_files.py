"""The published JSON Schemas: fresh, valid, and true of what is really encoded."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from streams import catalogue, schema_files
from streams.contracts import claims
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    MemberEntry,
    PersonDocument,
    PlaceDocument,
    Published,
    Redirect,
    UnitDocument,
    Version,
)
from streams.contracts.identifiers import Identifier, IdentifierType

DAY = dt.date(2024, 2, 29)
ADDRESS = claims.PostalAddress(street="Storgatan 1", postal_code="012 34", locality="Ort")

BODIES: list[claims.Body] = [
    claims.Protection(sekretessmarkering=True),
    claims.Name("Ö", "", "Å", "Ö"),
    claims.Birth("1999-05"),
    claims.Registration("AV", "2020"),
    claims.RegisteredAddress(ADDRESS, "0114"),
    claims.SpecialAddress(ADDRESS),
    claims.NumberReference(Identifier(IdentifierType.TF, "x"), "subject", superseded=True),
    claims.IdentityAssurance(claims.Assurance.PROBABLE, dormant=True, dormant_from="2026-09"),
    claims.Custody((claims.Relation("V", "subject", DAY),)),
    claims.Employment(
        "kommun", "7", (claims.Segment(DAY, None, "unit:kommun:1", extent_percent=62.5),), (claims.Leave(DAY, DAY),)
    ),
    claims.AgreedName("Ö Å"),
    claims.WorkContact("08-1"),
    claims.Enrolment("kommun", "EN1", "GR", (claims.Segment(DAY, None, "unit:kommun:7", school_year=6),)),
    claims.Placement("kommun", "PL1", "FS", (claims.Segment(DAY),)),
    claims.Mandate("kommun", "M1", (claims.Segment(DAY, title="ordförande"),)),
    claims.Consultancy("kommun", "C1", "5599999991", (claims.Segment(DAY, DAY, manager="subject"),)),
    claims.RobotDuty("kommun", "D1", (claims.Segment(DAY, DAY, manager="subject"),), cancelled=True),
    claims.UnitNode((claims.UnitPeriod(DAY),)),
    claims.UnitStructure((claims.UnitParent("", DAY),)),
    claims.UnitName(()),
    claims.Place((claims.UnitPeriod(DAY),), (claims.DatedName("P", DAY),), "skola", ADDRESS, "0114", "Ek 1"),
    claims.Group((claims.UnitPeriod(DAY),), (claims.DatedName("4B", DAY),), "Klass", "unit:kommun:1"),
    claims.GroupMembers((claims.Membership("subject", "pupil", DAY, DAY, "enrolment:kommun:1"),)),
    claims.LegalOrganisation(Identifier(IdentifierType.ORGANISATIONSNUMMER, "x"), seats=(claims.Seat("1480", DAY),)),
    claims.AccountFacts("a"),
    claims.Merge("subject", "a decision", "anna", "bertil"),
    claims.Split(("merge-1",), "a decision", "anna", "bertil"),
    claims.Return("KS 1", "a reason", "anna", "bertil"),
    claims.DeathReversal((claims.ClaimName("navet", "key", "1", "digest"),), "a decision", "anna", "bertil"),
    claims.Lift((claims.ClaimName("navet", "key", "1", "digest"),), "a decision", "anna"),
    claims.Absent("name"),
]


def check(value: msgspec.Struct, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(json.loads(msgspec.json.encode(value)))


def test_the_files_in_the_tree_are_what_the_types_give() -> None:
    assert schema_files.stale() == []


def test_every_schema_of_the_catalogue_is_published_and_is_a_schema() -> None:
    published = schema_files.schemas()
    assert published.keys() == {topic.schema for topic in catalogue.TOPICS}
    for schema in published.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_kind_of_claim_is_tried() -> None:
    assert {type(body) for body in BODIES} == set(claims.Body.__args__)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_record_as_it_is_encoded_validates(body: claims.Body) -> None:
    record = claims.SourceRecord(
        "hr", "k", "1", "s", (claims.Claim(body, DAY, DAY),), Identifier(IdentifierType.TF, "x"), total=True
    )
    check(record, schema_files.schemas()[catalogue.RECORD_SCHEMA])


@pytest.mark.parametrize(
    "published",
    [
        Published(Version(1, 1), person=PersonDocument("p", ("q",)), cause="e", caused_at=dt.datetime.now(dt.UTC)),
        Published(Version(1, 1), unit=UnitDocument("unit:kommun:1", (claims.UnitPeriod(DAY, DAY),))),
        Published(Version(1, 1), place=PlaceDocument("place:k:1", restricted=True)),
        Published(Version(1, 1), group=GroupDocument("group:k:1", members=(MemberEntry("p", "pupil"),))),
        Published(Version(1, 1), legal_organisation=LegalOrganisationDocument("legal:1", owner="p")),
        Published(Version(1, 1), redirect=Redirect("p", "q")),
    ],
)
def test_a_document_as_it_is_encoded_validates(published: Published) -> None:
    check(published, schema_files.schemas()[catalogue.PUBLISHED_SCHEMA])


def test_what_is_wrong_does_not_validate() -> None:
    schema = schema_files.schemas()[catalogue.RECORD_SCHEMA]
    good = json.loads(
        msgspec.json.encode(claims.SourceRecord("hr", "k", "1", "s", (claims.Claim(claims.Birth("1999")),)))
    )
    bad = json.loads(json.dumps(good))
    bad["claims"][0]["body"]["kind"] = "secret"
    for wrong in ({**good, "claims": None}, {key: good[key] for key in good if key != "subject"}, bad):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(wrong)


def test_a_changed_missing_or_left_over_file_is_stale(tmp_path: Path) -> None:
    schema_files.write(tmp_path)
    assert schema_files.stale(tmp_path) == []
    (tmp_path / "source-record.v1.json").write_text("{}")
    (tmp_path / "published.v1.json").unlink()
    (tmp_path / "old.v0.json").write_text("{}")
    assert schema_files.stale(tmp_path) == ["old.v0.json", "published.v1.json", "source-record.v1.json"]
    schema_files.write(tmp_path)
    assert schema_files.stale(tmp_path) == []
