"""What a run answers: the JSON has its shape, the table tells machine, command, versions, date and every ratio."""

import datetime as dt
import io
import json

import pytest
from rich.console import Console

from deploy.bench.figures import Bound, Figure, Series, limit
from deploy.bench.machine import Machine
from deploy.bench.report import FORMAT, Report, as_json, measured_text, ratio_text, show

RATE = Figure(
    "ingest",
    "source events",
    "events/s",
    Series((1000.0, 1200.0, 1100.0)),
    Bound("null agent", Series((4400.0,))),
    note="3 repeats",
    others=0.25,
    details={"mean bytes": 812.123456},
)
TAIL = Figure("latency", "a revocation", "s", Series((0.5, 0.25, 6.0)), limit("required", 5), tail=True)
REPORT = Report(
    command="kallan bench --quick",
    size="quick",
    date=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    seconds=91.26,
    commit="abcdef123456",
    machine=Machine("Example CPU", 2, 8.0, "Linux"),
    versions={"python": "3.11.2", "kafka_2.13": "4.1.0"},
    others=0.4,
    figures=(RATE, TAIL),
)


def shown() -> str:
    text = io.StringIO()
    show(REPORT, Console(file=text, width=180))
    return text.getvalue()


def test_the_json_says_where_when_and_how_it_was_measured() -> None:
    data = json.loads(as_json(REPORT))
    assert data["format"] == FORMAT
    assert data["command"] == "kallan bench --quick"
    assert data["date"] == "2026-01-02T03:04:05+00:00"
    assert data["machine"] == {"processor": "Example CPU", "processors": 2, "memory_gb": 8.0, "system": "Linux"}
    assert data["versions"]["kafka_2.13"] == "4.1.0"
    assert (data["size"], data["seconds"], data["commit"], data["others"]) == ("quick", 91.3, "abcdef123456", 0.4)


def test_the_json_has_every_repeat_and_the_bound_of_the_same_run() -> None:
    rate, tail = json.loads(as_json(REPORT))["figures"]
    assert rate["measured"] == {"median": 1100, "low": 1000, "high": 1200, "values": [1000, 1200, 1100]}
    assert (rate["bound"]["kind"], rate["bound"]["median"], rate["ratio"]) == ("measured", 4400, 0.25)
    assert rate["details"] == {"mean bytes": 812.1}
    assert rate["within"] is None
    assert (tail["bound"]["kind"], tail["counted"], tail["within"]) == ("limit", 6, False)
    assert (tail["measured"]["p95"], tail["measured"]["p99"]) == (6, 6)


def test_a_figure_without_a_bound_has_none_in_the_json() -> None:
    alone = Report(**{**_fields(REPORT), "figures": (Figure("a", "a", "s", Series((1.0,))),)})  # type: ignore[arg-type]
    only = json.loads(as_json(alone))["figures"][0]
    assert (only["bound"], only["ratio"], only["within"]) == (None, None, None)


def _fields(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__slots__}


@pytest.mark.parametrize(
    "told",
    [
        *("kallan bench --quick", "Example CPU", "kafka_2.13 4.1.0", "abcdef123456", "2026-01-02 03:04", "40% of the"),
        *("1,100 events/s (1,000 to 1,200)", "4,400 events/s: null agent", "0.25", "25%", "NOT KEPT"),
    ],
)
def test_the_table_tells(told: str) -> None:
    assert told in shown()


def test_durations_are_shown_as_median_95th_and_99th_percentile_and_worst() -> None:
    assert measured_text(TAIL) == "0.50 / 6.00 / 6.00 / 6.00 s (n=3)"
    assert ratio_text(TAIL) == "1.20 NOT KEPT"


def test_a_single_repeat_has_no_spread() -> None:
    assert measured_text(Figure("a", "a", "reads/s", Series((12.34,)))) == "12.3 reads/s"
