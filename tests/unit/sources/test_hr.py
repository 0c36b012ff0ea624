"""The HR export: rows of an employment to one claim, and what is wrong told by field."""

import datetime as dt
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sources.hr.reader import HrReader
from connectors.sources.posts import Alarm, Context, Header, Item, Post, Reject
from streams.contracts.claims import Absent, AgreedName, Employment, Leave, Name, Protection, WorkContact
from streams.contracts.errors import TEXTS, Rejected
from streams.contracts.testnumbers import test_number

Read = Callable[..., list[Item]]
NUMBER = test_number(dt.date(1988, 7, 1), "female")
BOSS = test_number(dt.date(1977, 7, 1), "male")
ROW: dict[str, Any] = {
    "employmentId": "E1",
    "empRowId": "1",
    "personNumber": NUMBER,
    "givenname": "Karin",
    "lastname": "Wallin",
    "startDate": "2024-01-01",
    "endDate": None,
    "title": "undersköterska",
    "aid": "207008",
    "orgId": "1031",
    "extentPercent": 75,
    "manager": {"personNumber": BOSS},
}


def only(items: list[Item]) -> Post:
    posts = [item for item in items if isinstance(item, Post)]
    assert len(posts) == 1, items
    return posts[0]


def employment(items: list[Item]) -> Employment:
    return next(c.body for c in only(items).record.claims if isinstance(c.body, Employment))


def rejects(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.code, item.detail) for item in items if isinstance(item, Reject)]


def test_the_rows_of_one_employment_become_one_claim_wherever_they_stand(read: Read) -> None:
    other = ROW | {"employmentId": "E2", "orgId": "1032"}
    later = ROW | {"empRowId": "2", "startDate": "2025-01-01", "orgId": "1033"}
    items = read("hr", [ROW | {"endDate": "2024-12-31"}, other, later])
    posts = [item.record for item in items if isinstance(item, Post)]
    assert [record.source_key for record in posts] == ["kommun:E1", "kommun:E2"]
    body = next(c.body for c in posts[0].claims if isinstance(c.body, Employment))
    assert [(s.valid_from, s.valid_to, s.unit) for s in body.segments] == [
        (dt.date(2024, 1, 1), dt.date(2024, 12, 31), "unit:kommun:1031"),
        (dt.date(2025, 1, 1), None, "unit:kommun:1033"),
    ]
    assert NUMBER not in repr(posts)
    assert BOSS not in repr(posts)


def test_the_version_is_the_extraction_time_and_the_sequence(read: Read) -> None:
    items = read("hr", [ROW])
    assert isinstance(items[0], Header)
    assert only(items).record.version == items[0].stamp == "20260115080000|00000001"


def test_the_register_name_of_hr_is_sent_so_that_the_conflict_shows(read: Read) -> None:
    names = [c.body for c in only(read("hr", [ROW])).record.claims if isinstance(c.body, Name)]
    assert names == [Name("Karin", "", "Wallin", "")]


@pytest.mark.parametrize(
    ("fields", "claim"),
    [
        ({"agreedDisplayName": "K. W."}, AgreedName("K. W.")),
        ({"customFriendlyGivenname": "Kajsa"}, AgreedName("Kajsa")),
        ({"agreedDisplayName": None}, Absent(of="agreed-name")),
        ({"workPhone": "031-3900600"}, WorkContact("031-3900600")),
        ({"workPhone": None}, Absent(of="work-contact")),
    ],
)
def test_null_says_that_there_is_none_and_a_missing_field_says_nothing(
    read: Read, fields: dict[str, Any], claim: object
) -> None:
    with_fields = [c.body for c in only(read("hr", [ROW | fields])).record.claims]
    assert claim in with_fields
    kinds = {c.kind for c in only(read("hr", [ROW])).record.claims}
    assert kinds == {"employment", "name"}


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        (True, Protection(sekretessmarkering=True)),
        ("ja", Protection(unknown_token=True)),
        (1, Protection(unknown_token=True)),
        (False, None),
        (None, None),
    ],
)
def test_hr_can_raise_protection_and_never_lower_it(read: Read, value: object, claim: Protection | None) -> None:
    found = [
        c.body
        for c in only(read("hr", [ROW | {"isClassified": value}])).record.claims
        if isinstance(c.body, Protection)
    ]
    assert found == ([] if claim is None else [claim])


@pytest.mark.parametrize(
    ("fields", "code", "detail"),
    [
        ({"endDate": "2023-12-31"}, "input.end-before-start", "endDate"),
        ({"startDate": None}, "input.missing", "startDate"),
        ({"startDate": "2024-02-30"}, "input.invalid", "startDate"),
        ({"startDate": "01/02/2024"}, "input.invalid", "startDate"),
        ({"extentPercent": "heltid"}, "input.invalid", "extentPercent"),
        ({"extentPercent": 130}, "input.invalid", "extentPercent"),
        ({"aid": "2070"}, "input.invalid", "aid"),
        ({"orgId": None}, "input.missing", "orgId"),
        ({"personNumber": None}, "input.missing", "personNumber"),
        ({"personNumber": NUMBER[2:]}, "identifier.ambiguous", "ten digits"),
        ({"personNumber": NUMBER[:-1] + "x"}, "identifier.invalid", "form"),
        ({"employmentId": ""}, "input.missing", "employmentId"),
        ({"title": "x" * 5000}, "input.too-large", "title"),
        ({"title": "a\0b"}, "input.nul-byte", "title"),
        ({"leave": [{"fromDate": "2026-02-01", "toDate": "2026-01-01"}]}, "input.end-before-start", "leave.toDate"),
        ({"leave": "yes"}, "input.invalid", "leave"),
        ({"cancelled": "yes"}, "input.invalid", "cancelled"),
        ({"orgId": "a:b"}, "input.invalid", "orgId"),
        ({"workPhone": 31.5}, "input.invalid", "workPhone"),
    ],
)
def test_a_bad_row_is_rejected_by_field_and_its_marking_is_sent(
    read: Read, fields: dict[str, Any], code: str, detail: str
) -> None:
    items = read("hr", [ROW | {"isClassified": True} | fields, ROW | {"employmentId": "E9"}])
    assert rejects(items) == [(code, detail)]
    assert only(items).record.source_key == "kommun:E9"
    reject = next(item for item in items if isinstance(item, Reject))
    if "personNumber" not in fields and "employmentId" not in fields:
        assert reject.spoken is not None
        assert reject.source_key == "kommun:E1"


def test_an_employment_of_two_persons_is_rejected(read: Read) -> None:
    assert rejects(read("hr", [ROW, ROW | {"personNumber": BOSS}])) == [
        ("input.invalid", "personNumber: two in one employment")
    ]


def test_a_number_with_and_without_hyphen_is_one_persons(read: Read) -> None:
    written = NUMBER[:8] + "-" + NUMBER[8:]
    items = read("hr", [ROW, ROW | {"empRowId": "2", "personNumber": written, "startDate": "2025-01-01"}])
    assert len(employment(items).segments) == 2


def test_a_slip_in_a_field_never_keeps_somebody_who_has_ended(read: Read) -> None:
    bad = {"extentPercent": "heltid", "orgId": None, "leave": "yes", "workPhone": 31.5, "cancelled": "yes"}
    items = read("hr", [ROW | bad | {"endDate": "2025-12-31"}])
    segment = employment(items).segments[0]
    assert (segment.valid_from, segment.valid_to, segment.unit) == (dt.date(2024, 1, 1), dt.date(2025, 12, 31), "")
    assert [item.code for item in items if isinstance(item, Alarm)]


def test_a_manager_who_cannot_be_read_costs_the_employee_nothing(read: Read) -> None:
    items = read("hr", [ROW | {"manager": {"personNumber": BOSS[2:]}}])
    assert employment(items).segments[0].manager == ""
    assert Alarm("identifier.ambiguous", "manager.personNumber") in items


def test_hourly_staff_without_form_or_extent_are_taken(read: Read) -> None:
    segment = employment(read("hr", [ROW | {"formOfEmploymentId": None, "extentPercent": None}])).segments[0]
    assert (segment.form, segment.extent_percent) == ("", None)


def test_leaves_of_all_rows_are_kept_once(read: Read) -> None:
    leave = [{"code": "FL", "fromDate": "2026-01-01", "toDate": "2026-06-30"}]
    body = employment(read("hr", [ROW | {"leave": leave}, ROW | {"empRowId": "2", "leave": leave}]))
    assert body.leaves == (Leave(dt.date(2026, 1, 1), dt.date(2026, 6, 30), "FL"),)


def test_an_employment_id_that_is_or_holds_a_personnummer_is_hashed(read: Read) -> None:
    short = NUMBER[2:]
    numbers = (NUMBER, NUMBER[:8] + "-" + NUMBER[8:], short, short[:6] + "-" + short[6:], short[:6] + "+" + short[6:])
    for value in (
        *numbers,
        f"E{NUMBER}",
        f"{NUMBER}-1",
        f"{NUMBER}01",
        f"7.{short}",
        f"kommun_{short[:6]}-{short[6:]}_2",
    ):
        record = only(read("hr", [ROW | {"employmentId": value}])).record
        assert record.source_key.startswith("kommun:h")
        assert value not in repr(record)


def test_an_employer_or_unit_of_a_sole_trader_is_hashed_the_same_in_both_exports(read: Read) -> None:
    record = only(read("hr", [ROW | {"companyId": NUMBER, "orgId": f"{NUMBER[2:]}1"}])).record
    unit = {"orgId": f"{NUMBER[2:]}1", "companyId": NUMBER, "orgName": "Solstugan", "nodeFrom": "2020-01-01"}
    key = only(read("organisation", [unit])).record.subject
    assert key == employment(read("hr", [ROW | {"companyId": NUMBER, "orgId": f"{NUMBER[2:]}1"}])).segments[0].unit
    assert NUMBER[2:] not in repr(record) + key


def test_of_a_file_that_breaks_off_only_markings_are_read(context: Context) -> None:
    first, second = ROW | {"endDate": "2025-12-31"}, ROW | {"empRowId": "2", "startDate": "2026-01-01"}
    marked = ROW | {"employmentId": "E2", "personNumber": BOSS, "isClassified": True}
    whole = HrReader().write([marked, first, second], context, 1, total=False)
    found: list[Item] = []
    with pytest.raises(Rejected) as refused:
        found.extend(HrReader().read(io.BytesIO(whole[: whole.index(b"2026-01-01")]), context))
    assert refused.value.code == "load.incomplete"
    assert not [item for item in found if isinstance(item, Post)]
    (reject,) = (item for item in found if isinstance(item, Reject) and item.source_key)
    assert reject.spoken is not None
    assert [claim.body for claim in reject.spoken.claims] == [Protection(sekretessmarkering=True)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "input.empty"),
        (b"<xml/>", "input.not-decodable"),
        (b'{"format": "hr-export.v2", "extractedAt": "2026-01-01T00:00:00Z", "total": true}', "input.unknown-schema"),
        (b'{"format": "hr-export.v1", "extractedAt": "2026-01-01T00:00:00", "total": true}', "input.invalid"),
        (b'{"format": "hr-export.v1", "extractedAt": "2030-01-01T00:00:00Z", "total": true}', "input.invalid"),
        (b'{"format": "hr-export.v1", "total": true}', "input.invalid"),
        (b'{"format": "hr-export.v1", "extractedAt": "2026-01-01T00:00:00Z", "total": true}\n', "load.incomplete"),
        (
            b'{"format": "hr-export.v1", "extractedAt": "2026-01-01T00:00:00Z", "total": true}\n{"end": true, "count": 5}',
            "load.incomplete",
        ),
        (
            b'{"format": "hr-export.v1", "extractedAt": "2026-01-01T00:00:00Z", "total": true}\n{"end": true, "count": 0}\n'
            b'{"format": "hr-export.v1"}\n',
            "load.incomplete",
        ),
        (
            b'{"format": "hr-export.v1", "extractedAt": "2026-01-01T00:00:00Z", "total": true, "employer": "a\\u0000"}\n',
            "input.invalid",
        ),
    ],
)
def test_what_is_no_whole_export_is_refused_by_code(read: Read, content: bytes, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        read("hr", content)
    assert refused.value.code == code


def test_a_line_that_cannot_be_read_is_rejected_alone(read: Read, context: Context) -> None:
    lines = HrReader().write([ROW], context, 1, total=False).splitlines(keepends=True)
    end = json.dumps({"end": True, "count": 4}).encode()
    items = read("hr", lines[0] + b"{broken\n" + b"[1]\n" + b'"' + b"x" * 1_100_000 + b'"\n' + lines[1] + end)
    assert rejects(items) == [
        ("input.not-decodable", "JSON"),
        ("input.invalid", "not an object"),
        ("input.too-large", "line"),
    ]
    assert only(items).record.source_key == "kommun:E1"


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.lists(st.text(max_size=3), max_size=2)
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(st.sampled_from(sorted([*ROW, "leave", "isClassified", "workPhone", "companyId"])), _VALUES)
)
def test_any_row_gives_a_record_or_a_reject(fields: dict[str, Any], context: Context, read: Read) -> None:
    items = read("hr", [ROW | fields]) if fields.get("end") is not True else []
    assert len([item for item in items if isinstance(item, Post | Reject)]) == 1
    assert all(item.code in TEXTS for item in items if isinstance(item, Reject | Alarm))


def test_a_number_that_the_employer_itself_gave_out_is_another_person_at_another_employer(read: Read) -> None:
    """TF and interim numbers are unique within their issuer only: the same one at a company of the municipality is nobody
    that the municipality employs, and neither is a manager who is named by one."""
    row = ROW | {"personNumber": "19800101TF01", "manager": {"personNumber": "19800102TF01"}}
    one, other = (only(read("hr", [row | {"companyId": company}])).record for company in ("kommun", "bolag"))
    assert one.identifier is not None
    assert (one.identifier.issuer, one.subject == other.subject) == ("kommun", False)
    managers = {
        claim.body.segments[0].manager
        for record in (one, other)
        for claim in record.claims
        if isinstance(claim.body, Employment)
    }
    assert len(managers) == 2
