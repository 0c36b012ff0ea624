"""The side-by-side report as text: times a person reads, nothing broken at 100 columns."""

import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from deploy.report import Row, source_time
from deploy.report_table import table_of
from streams.contracts.time import STOCKHOLM

ROWS = [
    Row("name", "Tindra Nyhamre", "Tindra Nyhamre", {"directory": "Tindra Nyhamre"}, "navet 2026-09-01 10:00"),
    Row("marking", "skyddad-folkbokforing", "skyddad-folkbokforing", {}, "navet 2026-09-01 10:00"),
    Row("address", "Karyatidgränd 3", "Karyatidgränd 3", {}, "navet 2026-09-01 10:00"),
    Row("title", "undersköterska", "undersköterska", {"directory": "undersköterska"}, "hr 2026-09-01 10:00"),
    Row("unit", "unit:kommun:1104", "Äldreboendet Solgläntan avdelning 2", {"directory": "Äldreboendet Solgläntan"}),
    Row("state", "2026-09-01 to further notice", "active", {"directory": "enabled", "collaboration": "enabled"}),
    Row("groups", "", "", dict.fromkeys(("directory", "collaboration"), "org:unit:kommun:1104, role:usk")),
]


@pytest.mark.parametrize(
    ("source", "version", "shown"),
    [
        ("navet", "20260901100000|00001.001|00000007", "2026-09-01 10:00"),
        ("navet", "20260115235959", "2026-01-15 23:59"),
        ("hr", "20260901080000|00000002", "2026-09-01 10:00"),
        ("organisation", "20260115235959|00000002", "2026-01-16 00:59"),
        ("ruling", "7", "7"),
        ("hr", "not a time|3", "not a time"),
        ("hr", "99999999999999|3", "99999999999999"),
        ("iam", "", ""),
    ],
)
def test_the_stamp_of_a_source_is_shown_in_swedish_local_time(source: str, version: str, shown: str) -> None:
    assert source_time(source, version) == shown


@given(st.integers(-600_000_000, 4_000_000_000).map(lambda second: dt.datetime.fromtimestamp(second, dt.UTC)))
def test_every_instant_in_utc_is_shown_as_its_swedish_minute(instant: dt.datetime) -> None:
    assert source_time("hr", f"{instant:%Y%m%d%H%M%S}") == f"{instant.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"


def printed(width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(table_of("A joiner", ROWS, ["collaboration", "directory"]))
    return out.getvalue()


def test_at_100_columns_no_word_of_the_report_is_broken() -> None:
    text = printed(100)
    assert max(map(len, text.splitlines())) <= 100
    for row in ROWS:
        for cell in (row.source, row.master, row.origin, *row.targets.values()):
            for word in cell.replace(",", " ").split():
                assert text.count(word) >= sum(word in one for one in (row.source, row.master, *row.targets.values()))


def test_the_source_stands_under_what_it_says() -> None:
    lines = printed(100).splitlines()
    said = next(index for index, line in enumerate(lines) if "Karyatidgränd 3" in line)
    assert "navet 2026-09-01 10:00" in lines[said + 1]
