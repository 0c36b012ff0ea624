"""Bad source files: a file is refused with a code, a record alone is rejected, and what is said tells nothing of them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from connectors.sources.posts import Alarm, Context, Item, Post, Reject
from connectors.sources.registry import SOURCES
from streams.contracts.claims import Protection
from streams.contracts.errors import TEXTS, Rejected
from streams.contracts.time import local_date
from streams.hashing import keyed_digest, subject_of
from tests.unit.hostile import json_files, navet_files
from tests.unit.hostile.case import CANARY, Case
from tests.unit.hostile.navet_files import NOW, SECOND

CONTEXT = Context(
    NOW, local_date(NOW), lambda one: subject_of(b"s" * 32, one), lambda one: keyed_digest(b"s" * 32, "id", one)
)
FILES = {"navet": list(navet_files.FILE_CASES)} | {source: json_files.file_cases(source) for source in json_files.ROWS}
RECORDS = {"navet": list(navet_files.POST_CASES)} | {source: json_files.row_cases(source) for source in json_files.ROWS}


def every(tables: dict[str, list[Case]]) -> list[object]:
    return [pytest.param(source, case, id=f"{source}-{case}") for source, cases in tables.items() for case in cases]


def read(source: str, content: bytes) -> tuple[list[Item], Rejected | None]:
    """What came before the file was refused, and why it was."""
    found: list[Item] = []
    items: Iterator[Item] = SOURCES[source].read(io.BytesIO(content), CONTEXT)
    try:
        for item in items:
            found.append(item)
    except Rejected as error:
        return found, error
    return found, None


def said(items: list[Item], error: Rejected | None) -> str:
    """All that leaves besides records and what is kept sealed."""
    told = [(one.code, one.detail) for one in items if isinstance(one, Reject | Alarm)]
    return f"{told} {error}"


@pytest.mark.parametrize(("source", "case"), every(FILES))
def test_a_bad_file_is_refused_with_a_code(source: str, case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    items, error = read(source, case.make())
    assert error is not None
    assert error.code in case.code.split("|")
    assert TEXTS[error.code].sv
    assert CANARY not in said(items, error) + caplog.text


@pytest.mark.parametrize(("source", "case"), every(RECORDS))
def test_a_bad_record_is_rejected_alone(source: str, case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    items, error = read(source, case.make())
    assert error is None
    (reject,) = [one for one in items if isinstance(one, Reject)]
    assert reject.code == case.code
    assert case.detail in reject.detail
    assert [one.record.source_key for one in items if isinstance(one, Post)] == [second(source)]
    assert CANARY not in said(items, error) + caplog.text
    assert SECOND not in said(items, error)


@pytest.mark.parametrize("case", navet_files.POST_CASES, ids=str)
def test_the_marking_of_a_rejected_post_is_told_if_it_tells_whose(case: Case) -> None:
    items, _ = read("navet", case.make())
    (reject,) = [one for one in items if isinstance(one, Reject)]
    if case.code.startswith("identifier") and not case.name.startswith("a reference") or case.detail == "PersonId":
        assert reject.spoken is None
        assert ("identifier.invalid", "a marked post names no person") in [
            (one.code, one.detail) for one in items if isinstance(one, Alarm)
        ]
    else:
        assert reject.spoken is not None
        assert [one.body for one in reject.spoken.claims] == [Protection(skyddad_folkbokforing=True)]


@pytest.mark.parametrize("source", sorted(FILES))
def test_a_good_file_is_read_whole(source: str) -> None:
    content = navet_files.WHOLE if source == "navet" else json_files.good(source)
    items, error = read(source, content)
    assert error is None
    assert len([one for one in items if isinstance(one, Post)]) == 2
    assert not [one for one in items if isinstance(one, Reject)]


def test_a_classification_that_stands_twice_counts_as_raised() -> None:
    first = json_files.ROWS["hr"][0]
    line = str(json.dumps(first))[:-1] + ', "isClassified": true, "isClassified": false}'
    items, _ = read("hr", json_files.written("hr", line))
    (reject,) = [one for one in items if isinstance(one, Reject)]
    assert reject.spoken is not None
    assert [one.body for one in reject.spoken.claims] == [Protection(unknown_token=True)]


def test_of_an_employment_that_has_ended_the_end_is_told_whatever_stands_twice_beside_it() -> None:
    first = json_files.ROWS["hr"][0] | {"endDate": "2020-06-30"}
    line = str(json.dumps(first))[:-1] + ', "title": "a"}'
    items, _ = read("hr", json_files.written("hr", line))
    assert len([one for one in items if isinstance(one, Post)]) == 2
    again = str(json.dumps(first))[:-1] + ', "endDate": "2021-06-30"}'
    items, _ = read("hr", json_files.written("hr", again))
    assert [one.code for one in items if isinstance(one, Reject)] == ["input.invalid"]


def second(source: str) -> str:
    """The key of the good record behind the bad one."""
    content = navet_files.WHOLE if source == "navet" else json_files.good(source)
    return [one.record.source_key for one in read(source, content)[0] if isinstance(one, Post)][1]
