"""The registers of roles beside employment: rows to one claim, and what is wrong told by field."""

import datetime as dt
import io
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from connectors.sources.posts import Alarm, Context, Item, Post, Reject
from connectors.sources.registry import SOURCES
from streams.contracts.claims import (
    Absent,
    Body,
    Consultancy,
    Enrolment,
    Mandate,
    Placement,
    Protection,
    RobotDuty,
    Segment,
)
from streams.contracts.errors import TEXTS, Rejected
from streams.contracts.identifiers import IdentifierType, luhn_digit
from streams.contracts.testnumbers import test_number as number_of
from tests.unit.sources.conftest import NOW

Read = Callable[..., list[Item]]
NUMBER, OTHER = number_of(dt.date(2010, 7, 1), "female"), number_of(dt.date(1977, 7, 1), "male")
DATES = {"startDate": "2025-08-18", "endDate": "2026-06-30"}
INTERIM = f"20130101T22{luhn_digit('130101122')}"
FROM, TO = dt.date(2025, 8, 18), dt.date(2026, 6, 30)
ENROLMENT = {"enrolmentId": "EN1", "civicNo": NUMBER, "schoolType": "GR", "enroledAt": "21", "schoolYear": 9} | DATES
PLACEMENT = {"placementId": "PL1", "civicNo": NUMBER, "schoolType": "FS", "placedAt": "26"} | DATES
MANDATE = {"mandateId": "M1", "personNumber": NUMBER, "orgId": "91", "office": "ledamot"} | DATES
CONSULTANCY = {
    "consultancyId": "C1",
    "personNumber": NUMBER,
    "organisationNumber": "5599999991",
    "sponsor": {"personNumber": OTHER},
    "orgId": "12",
    "title": "testare",
} | DATES
DUTY = {"dutyId": "D1", "robotId": "cert", "owner": {"personNumber": OTHER}, "orgId": "12", "title": "intyg"} | DATES
ROWS: dict[str, dict[str, Any]] = {
    "school": ENROLMENT,
    "politicians": MANDATE,
    "consultants": CONSULTANCY,
    "robots": DUTY,
}
ended = {"startDate": "2025-01-01", "endDate": NOW.date().isoformat()}


def only(items: list[Item]) -> Post:
    posts = [item for item in items if isinstance(item, Post)]
    assert len(posts) == 1, items
    return posts[0]


def rejects(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.code, item.detail) for item in items if isinstance(item, Reject)]


def test_a_row_becomes_the_claim_of_its_role(read: Read) -> None:
    found: dict[str, Body] = {}
    for source, row in [*ROWS.items(), ("school", PLACEMENT)]:
        record = only(read(source, [row])).record
        (claim,) = record.claims
        found[record.source_key] = claim.body
        assert record.version.startswith("2026")
    sponsor = next(b for b in found.values() if isinstance(b, Consultancy)).segments[0].manager
    assert len(sponsor) == 32
    assert found == {
        "enrolment:kommun:EN1": Enrolment("kommun", "EN1", "GR", (Segment(FROM, TO, "unit:kommun:21", school_year=9),)),
        "placement:kommun:PL1": Placement("kommun", "PL1", "FS", (Segment(FROM, TO, "unit:kommun:26"),)),
        "mandate:kommun:M1": Mandate("kommun", "M1", (Segment(FROM, TO, "unit:kommun:91", title="ledamot"),)),
        "consultancy:kommun:C1": Consultancy(
            "kommun", "C1", "5599999991", (Segment(FROM, TO, "unit:kommun:12", "testare", manager=sponsor),)
        ),
        "robot:kommun:D1": RobotDuty("kommun", "D1", (Segment(FROM, TO, "unit:kommun:12", "intyg", manager=sponsor),)),
    }


def test_the_rows_of_one_enrolment_become_one_claim_wherever_they_stand(read: Read) -> None:
    other = ENROLMENT | {"enrolmentId": "EN2"}
    next_year = ENROLMENT | {"startDate": "2026-07-01", "endDate": None, "schoolYear": 10}
    posts = [item.record for item in read("school", [next_year, other, ENROLMENT]) if isinstance(item, Post)]
    assert [post.source_key for post in posts] == ["enrolment:kommun:EN1", "enrolment:kommun:EN2"]
    body = posts[0].claims[0].body
    assert isinstance(body, Enrolment)
    assert [segment.school_year for segment in body.segments] == [9, 10]


@pytest.mark.parametrize(
    ("token", "raised", "alarms"),
    [
        ("Ingen", None, 0),
        (None, None, 0),
        ("Sekretessmarkering", Protection(sekretessmarkering=True), 0),
        ("Skyddad folkbokföring", Protection(skyddad_folkbokforing=True), 0),
        ("ingen", Protection(unknown_token=True), 1),
        (True, Protection(unknown_token=True), 1),
        (False, Protection(unknown_token=True), 1),
        (["Ingen"], Protection(unknown_token=True), 1),
    ],
)
def test_the_schools_marking_raises_and_never_lowers_and_an_unknown_one_counts_as_raised(
    read: Read, token: object, raised: Protection | None, alarms: int
) -> None:
    items = read("school", [ENROLMENT | {"securityMarking": token}])
    said = [claim.body for claim in only(items).record.claims if isinstance(claim.body, Protection)]
    assert said == ([] if raised is None else [raised])
    assert [item.code for item in items if isinstance(item, Alarm)] == ["code.unknown"] * alarms


@pytest.mark.parametrize("source", ROWS)
def test_the_marking_of_a_rejected_role_is_told_all_the_same(read: Read, source: str) -> None:
    row = ROWS[source] | {"startDate": None, "isClassified": True, "securityMarking": "Sekretessmarkering"}
    (reject,) = [item for item in read(source, [row]) if isinstance(item, Reject)]
    assert (reject.code, reject.detail) == ("input.missing", "startDate")
    assert reject.spoken is not None
    assert [claim.body for claim in reject.spoken.claims] == [Protection(sekretessmarkering=True)]


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("school", {"schoolType": "ABC"}, "code.unknown", "schoolType"),
    ("school", {"schoolType": "FS"}, "code.unknown", "schoolType"),
    ("school", {"schoolType": ""}, "input.missing", "schoolType"),
    ("school", {"schoolYear": 11}, "input.invalid", "schoolYear"),
    ("school", {"schoolYear": "9"}, "input.invalid", "schoolYear"),
    ("school", {"schoolYear": True}, "input.invalid", "schoolYear"),
    ("school", {"enroledAt": ""}, "input.missing", "enroledAt"),
    ("school", {"enrolmentId": ""}, "input.missing", "enrolmentId or placementId"),
    ("school", {"placementId": "PL1"}, "input.invalid", "enrolmentId and placementId"),
    ("school", {"civicNo": NUMBER[2:]}, "identifier.ambiguous", ""),
    ("school", {"cancelled": "yes"}, "input.invalid", "cancelled"),
    ("politicians", {"office": ""}, "input.missing", "office"),
    ("politicians", {"orgId": None}, "input.missing", "orgId"),
    ("politicians", {"personNumber": ""}, "input.missing", "personNumber"),
    ("consultants", {"endDate": None}, "input.missing", "endDate"),
    ("consultants", {"endDate": "2026-08-18"}, "input.invalid", "endDate: more than 12 months"),
    ("consultants", {"sponsor": None}, "input.missing", "sponsor.personNumber"),
    ("consultants", {"sponsor": {"personNumber": "x"}}, "identifier.invalid", ""),
    ("consultants", {"organisationNumber": ""}, "input.missing", "organisationNumber"),
    ("consultants", {"organisationNumber": "5599999992"}, "identifier.invalid", "organisation number"),
    ("consultants", {"organisationNumber": OTHER}, "identifier.invalid", "organisation number"),
    ("robots", {"endDate": None}, "input.missing", "endDate"),
    ("robots", {"owner": None}, "input.missing", "owner.personNumber"),
    ("robots", {"robotId": ""}, "input.missing", "robotId"),
    ("robots", {"robotId": "å"}, "identifier.invalid", "form"),
]


@pytest.mark.parametrize(("source", "changed", "code", "detail"), BAD, ids=lambda one: str(one)[:40])
def test_what_is_wrong_rejects_one_role_with_a_code_and_a_field(
    read: Read, source: str, changed: dict[str, Any], code: str, detail: str
) -> None:
    ((found, said),) = rejects(read(source, [ROWS[source] | changed]))
    assert found == code
    assert detail in said
    assert TEXTS[code].sv
    assert NUMBER not in said


def test_rows_of_one_enrolment_that_name_two_school_types_are_rejected(read: Read) -> None:
    items = read("school", [ENROLMENT, ENROLMENT | {"schoolType": "VUX", "startDate": "2026-07-01", "endDate": None}])
    assert rejects(items) == [("input.invalid", "schoolType: two in one enrolment")]


@pytest.mark.parametrize(
    ("source", "slip"),
    [
        ("school", {"enroledAt": ""}),
        ("politicians", {"office": ""}),
        ("consultants", {"organisationNumber": "", "sponsor": None}),
        ("consultants", {"startDate": "2020-01-01"}),
        ("robots", {"owner": None}),
    ],
)
def test_whoever_has_ended_is_told_as_ended_whatever_slip_stands_beside_the_dates(
    read: Read, source: str, slip: dict[str, Any]
) -> None:
    items = read(source, [ROWS[source] | ended | slip])
    body = only(items).record.claims[0].body
    assert not isinstance(body, Protection)
    assert [segment.valid_to for segment in body.segments] == [NOW.date()]  # type: ignore[union-attr]
    assert [item for item in items if isinstance(item, Alarm)]


@pytest.mark.parametrize(
    ("row", "kind"), [(ENROLMENT, "enrolment"), (PLACEMENT, "placement")], ids=["enrolment", "placement"]
)
@pytest.mark.parametrize("over", [ended, {"cancelled": True}], ids=["ended", "cancelled"])
@pytest.mark.parametrize("slip", ["", "ABC", None])
def test_a_pupil_who_has_left_does_not_stay_because_nobody_knows_the_type_of_school(
    read: Read, row: dict[str, Any], kind: str, over: dict[str, Any], slip: str | None
) -> None:
    items = read("school", [row | over | {"schoolType": slip}])
    assert [claim.body for claim in only(items).record.claims] == [Absent(of=kind)]
    assert [item.detail for item in items if isinstance(item, Alarm)] == ["schoolType"]


@pytest.mark.parametrize("source", ROWS)
def test_a_withdrawn_role_is_told_as_cancelled(read: Read, source: str) -> None:
    body = only(read(source, [ROWS[source] | {"cancelled": True}])).record.claims[0].body
    assert body.cancelled  # type: ignore[union-attr]


@pytest.mark.parametrize("source", ROWS)
def test_an_id_that_holds_a_personnummer_is_hashed_and_no_number_stands_in_a_key(read: Read, source: str) -> None:
    own = next(iter(ROWS[source]))
    record = only(read(source, [ROWS[source] | {own: NUMBER}])).record
    assert NUMBER not in record.source_key
    assert NUMBER not in msgspec.json.encode(record.claims).decode() + record.subject


def test_a_tf_number_is_one_of_its_organiser_and_two_organisers_children_are_two_persons(read: Read) -> None:
    row = ENROLMENT | {"civicNo": "20130101TF01"}
    one, other = (only(read("school", [row | {"companyId": company}])).record for company in ("kommun", "bolag"))
    assert one.identifier is not None
    assert (one.identifier.type, one.identifier.issuer) == (IdentifierType.TF, "kommun")
    assert one.subject != other.subject


@pytest.mark.parametrize(
    ("source", "field"), [("school", "civicNo"), ("politicians", "personNumber"), ("consultants", "personNumber")]
)
@pytest.mark.parametrize("number", ["20130101TF01", INTERIM])
def test_a_number_that_each_issuer_gives_out_by_itself_is_two_persons_at_two_employers(
    read: Read, source: str, field: str, number: str
) -> None:
    one, other = (
        only(read(source, [ROWS[source] | {field: number, "companyId": company}])).record
        for company in ("kommun", "bolag")
    )
    assert one.identifier is not None
    assert one.identifier.type in (IdentifierType.TF, IdentifierType.INTERIM)
    assert (one.identifier.issuer, one.subject == other.subject) == ("kommun", False)


def test_who_answers_for_a_role_is_named_within_the_employer_too(read: Read) -> None:
    for source, field in (("consultants", "sponsor"), ("robots", "owner")):
        row = ROWS[source] | {field: {"personNumber": "19800101TF01"}}
        bodies = [only(read(source, [row | {"companyId": one}])).record.claims[-1].body for one in ("kommun", "bolag")]
        managers = [body.segments[0].manager for body in bodies]  # type: ignore[union-attr]
        assert managers[0] != managers[1]


def test_a_robot_is_known_by_its_id_within_its_employer(read: Read) -> None:
    one = only(read("robots", [DUTY])).record
    again = only(read("robots", [DUTY | {"dutyId": "D2"}])).record
    elsewhere = only(read("robots", [DUTY | {"companyId": "bolag"}])).record
    assert one.identifier is not None
    assert one.identifier.type is IdentifierType.ROBOT
    assert one.subject == again.subject != elsewhere.subject


@pytest.mark.parametrize("source", ROWS)
def test_of_a_file_that_breaks_off_nothing_but_markings_is_published(context: Context, source: str) -> None:
    reader = SOURCES[source]
    marked = ROWS[source] | {"isClassified": True, "securityMarking": "Skyddad folkbokföring"}
    plain = ROWS[source] | {next(iter(ROWS[source])): "other"}
    whole = reader.write([marked, plain], context, 1, False)
    items, refused = until_refused(reader.read(io.BytesIO(whole.rpartition(b'{"end"')[0]), context))
    assert refused == "load.incomplete"
    assert not [item for item in items if isinstance(item, Post)]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert reject.spoken is not None
    assert [type(claim.body) for claim in reject.spoken.claims] == [Protection]


def until_refused(items: Iterator[Item]) -> tuple[list[Item], str]:
    """What comes before the file as a whole is refused, and the code."""
    found: list[Item] = []
    try:
        found.extend(items)
    except Rejected as error:
        return found, error.code
    return found, ""
