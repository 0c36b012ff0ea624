"""The synthetic municipality through the edge: every file committed, nothing alarms, the same again changes nothing."""

import datetime as dt
from pathlib import Path

from connectors.sources.registry import load
from connectors.sources.report import LoadState
from deploy.municipality import Changes, generate
from streams.catalogue import SOURCE_URGENT
from streams.contracts.claims import Employment, Protection
from tests.integration.sources.bench import NOW, Bench


def test_the_municipality_is_loaded_whole_and_a_second_time_publishes_nothing(bench: Bench, tmp_path: Path) -> None:
    cast = generate(tmp_path, seed=5, persons=150, units=24)
    for again in (False, True):
        reports = [load(file.source, file.path, bench.edge) for file in cast.files]
        assert [r.state for r in reports if r.source != "navet"] == [LoadState.COMMITTED] * 2
        assert [r.state for r in reports if r.source == "navet"] == [LoadState.OPENED] * 2 + [LoadState.COMMITTED]
        assert not any(report.alarms or report.rejected for report in reports)
        assert (sum(report.published for report in reports) == 0) is again
        assert sum(report.rows for report in reports if report.source == "navet") == 150


def test_what_happens_to_the_cast_reaches_the_lanes_it_must(bench: Bench, tmp_path: Path) -> None:
    cast = generate(tmp_path, seed=5, persons=60, units=12)
    for file in cast.files:
        load(file.source, file.path, bench.edge)
    changes = Changes(cast)
    before = len(bench.records(SOURCE_URGENT))
    later = NOW + dt.timedelta(minutes=1)
    for change in (changes.joiner, changes.mover, changes.leaver, changes.name_change, changes.sekretessmarkering):
        for file in change(later):
            report = load(file.source, file.path, bench.edge)
            assert (report.state, report.published, dict(report.alarms)) == (LoadState.COMMITTED, 1, {})
    for file in changes.skyddad_folkbokforing(later):
        assert not load(file.source, file.path, bench.edge).alarms
    urgent = bench.records(SOURCE_URGENT)[before:]
    kinds = sorted(type(record.claims[-1].body).__name__ for record in urgent)
    assert kinds == [Employment.__name__, Protection.__name__, Protection.__name__]
