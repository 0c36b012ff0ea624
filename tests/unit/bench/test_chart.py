"""Charts for a page: what was measured, nothing else."""

import dataclasses

from deploy.bench.chart import markdown
from deploy.bench.figures import Figure, Series
from tests.unit.bench.test_report import REPORT, TAIL

SCALED = Figure("i", "ingest", "events/s", Series((900.0, 1100.0)), details={"partitions": 4.0, "workers": 2.0})


def test_durations_are_a_line_of_percentiles_each() -> None:
    text = markdown(dataclasses.replace(REPORT, figures=(TAIL, dataclasses.replace(TAIL, name="other"))))
    assert text.startswith("```mermaid\nxychart-beta\n")
    assert 'x-axis ["p50", "p95", "p99", "worst"]' in text
    assert text.count("line [0.5, 6, 6, 6]") == 2
    assert "%% 1: a revocation" in text


def test_rates_are_a_bar_for_each_pair_of_partitions_and_workers() -> None:
    text = markdown(dataclasses.replace(REPORT, figures=(SCALED,)))
    assert 'x-axis ["4 x 2"]' in text
    assert "bar [1000]" in text


def test_what_was_not_measured_is_not_drawn() -> None:
    assert markdown(dataclasses.replace(REPORT, figures=())) == ""
