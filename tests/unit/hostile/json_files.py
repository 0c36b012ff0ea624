"""Bad files of our own export formats. The first row of a good file is made bad; the second is somebody else's."""

import gzip
import json
from collections.abc import Callable
from typing import Any

from tests.unit.hostile.case import CANARY, Case
from tests.unit.hostile.navet_files import FIRST, SECOND

_ROLE = {"startDate": "2026-01-01", "endDate": "2026-12-31", "orgId": "10"}
_CONSULTANT = _ROLE | {"organisationNumber": "5599999991", "sponsor": {"personNumber": SECOND}}
_DUTY = _ROLE | {"owner": {"personNumber": SECOND}}
_PUPIL = {"schoolType": "GR", "startDate": "2026-01-01", "endDate": "2026-12-31"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "hr": [
        {"employmentId": "E1", "personNumber": FIRST, "startDate": "2020-01-01", "orgId": "10", "title": CANARY},
        {"employmentId": "E2", "personNumber": SECOND, "startDate": "2020-01-01", "orgId": "10", "title": "kock"},
    ],
    "consultants": [
        {"consultancyId": "C1", "personNumber": FIRST, "title": CANARY} | _CONSULTANT,
        {"consultancyId": "C2", "personNumber": SECOND, "title": "testare"} | _CONSULTANT,
    ],
    "politicians": [
        {"mandateId": "M1", "personNumber": FIRST, "office": CANARY} | _ROLE,
        {"mandateId": "M2", "personNumber": SECOND, "office": "ledamot"} | _ROLE,
    ],
    "robots": [
        {"dutyId": "D1", "robotId": "R1", "title": CANARY} | _DUTY,
        {"dutyId": "D2", "robotId": "R2", "title": "intyg"} | _DUTY,
    ],
    "school": [  # no text of it is read but ids and codes
        {"enrolmentId": "N1", "civicNo": FIRST, "enroledAt": "21", "givenName": CANARY} | _PUPIL,
        {"enrolmentId": "N2", "civicNo": SECOND, "enroledAt": "22"} | _PUPIL,
    ],
    "places": [
        {"placeId": "P1", "placeName": CANARY, "placeFrom": "2020-01-01"},
        {"placeId": "P2", "placeName": "Ekskolan", "placeFrom": "2020-01-01"},
    ],
    "groups": [
        {"groupId": "4A", "groupName": CANARY, "groupFrom": "2020-01-01"},
        {"groupId": "4B", "groupName": "4B", "groupFrom": "2020-01-01"},
    ],
    "companies": [
        {"organisationNumber": "5569999997", "companyName": CANARY, "registeredFrom": "2020-01-01"},
        {"organisationNumber": "5599999991", "companyName": "Ek AB", "registeredFrom": "2020-01-01"},
    ],
    "organisation": [
        {"orgId": "10", "orgName": CANARY, "nodeFrom": "2020-01-01"},
        {"orgId": "11", "orgName": "Kök", "nodeFrom": "2020-01-01"},
    ],
}
FORMATS = {
    "hr": "hr-export.v1",
    "organisation": "org-export.v1",
    "consultants": "consultant-export.v1",
    "politicians": "mandate-export.v1",
    "robots": "robot-export.v1",
    "school": "school-export.v1",
    "places": "place-export.v1",
    "groups": "group-export.v1",
    "companies": "company-export.v1",
}
NAME = {
    "hr": "title",
    "organisation": "orgName",
    "consultants": "title",
    "politicians": "office",
    "robots": "title",
    "school": "enroledAt",
    "places": "placeName",
    "groups": "groupName",
    "companies": "companyName",
}
KEY = {
    "hr": "employmentId",
    "organisation": "orgId",
    "consultants": "consultancyId",
    "politicians": "mandateId",
    "robots": "dutyId",
    "school": "enrolmentId",
    "places": "placeId",
    "groups": "groupId",
    "companies": "organisationNumber",
}
"""By source the field of a text, and the one of the id."""
AXIS = {"organisation": "node", "places": "place", "groups": "group", "companies": "registered"}
"""What the first and the last day are called after; else they are `startDate` and `endDate`."""


def written(source: str, *first: str | dict[str, Any], head: dict[str, Any] | None = None, end: object = None) -> bytes:
    """A file whose first rows are these (texts as they stand), followed by the good second one."""
    rows = [*(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in first)]
    rows.append(json.dumps(ROWS[source][1], ensure_ascii=False))
    header = {"format": FORMATS[source], "extractedAt": "2026-01-15T07:00:00Z", "total": False, "sequence": 1}
    last = {"end": True, "count": len(rows)} if end is None else end
    whole = [json.dumps(header | {"employer": "kommun", "count": len(rows)} | (head or {}))]
    return "\n".join([*whole, *rows, json.dumps(last), ""]).encode("utf-8", "surrogatepass")


def good(source: str) -> bytes:
    return written(source, ROWS[source][0])


def _row(source: str, **changed: Any) -> Callable[[], bytes]:
    return lambda: written(source, ROWS[source][0] | changed)


def _text(source: str, tail: str) -> Callable[[], bytes]:
    """The first row with more JSON at its end, as it stands."""
    return lambda: written(source, json.dumps(ROWS[source][0], ensure_ascii=False)[:-1] + tail)


def _head(source: str, **changed: Any) -> Callable[[], bytes]:
    return lambda: written(source, ROWS[source][0], head=changed)


def _cut(source: str, tenth: int) -> Callable[[], bytes]:
    return lambda: good(source)[: len(good(source)) * tenth // 10]


CUT = "load.incomplete|input.not-decodable"


def file_cases(source: str) -> list[Case]:
    """The file is refused; of an export that breaks off nothing but markings is published."""
    first = ROWS[source][0]
    return [
        Case("an empty file", lambda: b"", "input.empty"),
        Case("an empty first line", lambda: b"\n" + good(source), "input.empty"),
        Case("a byte order mark", lambda: b"\xef\xbb\xbf" + good(source), "input.not-decodable"),
        Case("UTF-16", lambda: good(source).decode().encode("utf-16"), "input.not-decodable"),
        Case("gzip", lambda: gzip.compress(good(source)), "input.not-decodable"),
        Case("a binary file", lambda: bytes(range(256)) * 100, "input.not-decodable"),
        Case("old Macintosh line ends", lambda: good(source).replace(b"\n", b"\r"), "input.not-decodable"),
        Case("a header that is a list", lambda: b'["' + CANARY.encode() + b'"]\n', "input.invalid"),
        Case("a later format", _head(source, format=f"{FORMATS[source]}9"), "input.unknown-schema"),
        Case("an extraction time without a zone", _head(source, extractedAt="2026-01-15T07:00:00"), "input.invalid"),
        Case("an extraction time of next year", _head(source, extractedAt="2027-01-15T07:00:00Z"), "input.invalid"),
        Case(
            "an extraction time past the last year",
            _head(source, extractedAt="9999-12-31T23:59:59-14:00"),
            "input.invalid",
        ),
        Case("a sequence of thirty digits", _head(source, sequence=10**30), "input.invalid"),
        Case("a total that is a text", _head(source, total=CANARY), "input.invalid"),
        Case("an employer that is a number of a person", _head(source, employer=FIRST), "input.invalid"),
        Case("an employer of no form", _head(source, employer=f"{CANARY}:1"), "input.invalid"),
        Case("no end line", lambda: good(source).rpartition(b'{"end"')[0], "load.incomplete"),
        Case(
            "an end line that counts otherwise",
            lambda: written(source, first, end={"end": True, "count": 7}),
            "load.incomplete",
        ),
        Case("an end line that does not count", lambda: written(source, first, end={"end": True}), "load.incomplete"),
        Case("more behind the end line", lambda: good(source) + CANARY.encode(), "load.incomplete"),
        *(Case(f"cut off at {tenth}/10", _cut(source, tenth), CUT) for tenth in range(1, 10)),
    ]


def _of_employments() -> list[Case]:
    """What only a row of the HR export can have wrong."""
    return [
        Case("no number", _row("hr", personNumber=""), "input.missing", "personNumber"),
        Case("letters in the number", _row("hr", personNumber=CANARY), "identifier.invalid"),
        Case("ten digits", _row("hr", personNumber=FIRST[2:]), "identifier.ambiguous"),
        Case("digits of another script", _row("hr", personNumber="١٩٩٢٠٩٠٩٢٣٨٧"), "identifier.invalid"),
        Case("a number twice", _text("hr", f', "personNumber": "{SECOND}"}}'), "input.invalid", "a field twice"),
        Case(
            "a field twice in the manager",
            _text("hr", ', "manager": {"a": 1, "a": 2}}'),
            "input.invalid",
            "a field twice",
        ),
        Case("text in a number", _row("hr", extentPercent=CANARY), "input.invalid", "extentPercent"),
        Case("more than whole time", _row("hr", extentPercent=101), "input.invalid", "extentPercent"),
        Case("leave that is a text", _row("hr", leave=CANARY), "input.invalid", "leave"),
        Case(
            "leave that ends before it starts",
            _row("hr", leave=[{"fromDate": "2021-01-02", "toDate": "2021-01-01"}]),
            "input.end-before-start",
        ),
        Case("cancelled that is a text", _row("hr", cancelled=CANARY), "input.invalid", "cancelled"),
    ]


def row_cases(source: str) -> list[Case]:
    """One row is rejected; the other one is published."""
    name, key = NAME[source], KEY[source]
    axis = AXIS.get(source)
    start, last = (f"{axis}From", f"{axis}To") if axis else ("startDate", "endDate")
    found = [
        Case("a list for a row", lambda: written(source, f'["{CANARY}"]'), "input.invalid"),
        Case("no JSON", lambda: written(source, CANARY), "input.not-decodable"),
        Case(
            "Latin-1", lambda: written(source, "XX").replace(b"XX", '{"å": 1}'.encode("latin-1")), "input.not-decodable"
        ),
        Case("a NUL byte as it stands", lambda: good(source).replace(CANARY.encode(), b"A\0B"), "input.not-decodable"),
        Case("an escaped NUL byte", _row(source, **{name: f"{CANARY}\0"}), "input.nul-byte", name),
        Case("half a surrogate pair", _text(source, ', "x": "\\ud800"}'), "input.not-decodable"),
        Case("NaN", _text(source, ', "extentPercent": NaN}'), "input.not-decodable"),
        Case("a number without end", _text(source, ', "extentPercent": 1e999}'), "input.not-decodable"),
        Case("a number of 5,000 digits", _text(source, f', "x": {"9" * 5000}}}'), "input.not-decodable"),
        Case("brackets fifty thousand deep", _text(source, f', "x": {"[" * 50_000}'), "input.not-decodable"),
        Case("a line of two megabytes", _row(source, x="y" * 2_000_000), "input.too-large", "line"),
        Case(
            "a hundred thousand fields",
            _row(source, **{f"f{one}": one for one in range(100_000)}),
            "input.too-large",
            "line",
        ),
        Case("a text of 5,000 characters", _row(source, **{name: "x" * 5000}), "input.too-large", name),
        Case("a list for a text", _row(source, **{name: [CANARY]}), "input.invalid", name),
        Case("an escape sequence of a terminal", _row(source, **{name: f"{CANARY}\x1b[2J"}), "input.invalid", name),
        Case("a turned direction of writing", _row(source, **{name: f"{CANARY}\u202e"}), "input.invalid", name),
        Case("UTF-8 that was read as Latin-1", _row(source, **{name: "KanariefÃ¥gel"}), "input.not-decodable", name),
        Case("UTF-8 that was read as Windows-1252", _row(source, **{name: "Ã…kesson"}), "input.not-decodable", name),
        Case("no id", _row(source, **{key: ""}), "input.missing", key),
        Case("an id that is a list", _row(source, **{key: [CANARY]}), "input.invalid", key),
        Case("no start", _row(source, **{start: None}), "input.missing", start),
        Case("the end before the start", _row(source, **{last: "2019-12-31"}), "input.end-before-start", last),
        Case("a date that there is not", _row(source, **{start: "2020-02-30"}), "input.invalid", start),
        Case("a date that is a number", _row(source, **{start: 20200101}), "input.invalid", start),
        Case("a field twice", _text(source, f', "{name}": "{CANARY}"}}'), "input.invalid", "a field twice"),
        Case(
            "a field twice, with a space before the colon",
            _text(source, f', "{name}" : "{CANARY}"}}'),
            "input.invalid",
            "a field twice",
        ),
        Case("an id twice", _text(source, f', "{key}": "{CANARY}"}}'), "input.invalid", "a field twice"),
    ]
    return [*found, *_of_employments()] if source == "hr" else found
