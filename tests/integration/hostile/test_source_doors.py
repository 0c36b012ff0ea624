"""Bad files through the real edge: told in the report, kept sealed, and the good record behind a bad one is published."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sources.registry import SOURCES, load
from connectors.sources.report import LoadReport, LoadState
from streams.contracts.errors import TEXTS
from tests.integration.hostile.conftest import Pool
from tests.integration.sources.bench import Bench, make_bench
from tests.unit.hostile.case import CANARY
from tests.unit.hostile.navet_files import FIRST, SECOND
from tests.unit.hostile.test_source_files import FILES, RECORDS, second


@pytest.fixture(scope="module")
def bench(pool: Pool) -> Bench:
    return make_bench(pool)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Nothing of the input reaches a log."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    for text in (CANARY, FIRST, SECOND):
        assert text not in caplog.text


def load_bytes(bench: Bench, source: str, content: bytes, folder: Path) -> LoadReport:
    path = folder / "given"
    path.write_bytes(content)
    return load(source, path, bench.edge)


def in_clear(pool: Pool) -> str:
    """Everything that the connectors keep, as text."""
    with pool.connection() as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'connectors'"
        ).fetchall()
        return " ".join(
            str(connection.execute(f"select * from connectors.{name}".encode()).fetchall()) for (name,) in names
        )


@pytest.mark.parametrize("source", sorted(FILES))
def test_every_bad_file_is_told_in_its_report(
    source: str, bench: Bench, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    for case in FILES[source]:
        report = load_bytes(bench, source, case.make(), tmp_path)
        assert report.state is LoadState.ABORTED, case.name
        assert report.reason in case.code.split("|"), case.name
        assert TEXTS[report.reason].sv
        assert CANARY not in report.detail


@pytest.mark.parametrize("source", sorted(RECORDS))
def test_behind_every_bad_record_the_good_one_is_published_and_nothing_is_kept_in_clear(
    source: str, bench: Bench, pool: Pool, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    for case in RECORDS[source]:
        with pool.connection() as connection:
            connection.execute("delete from connectors.snapshot")
        report = load_bytes(bench, source, case.make(), tmp_path)
        assert (report.state, report.rejected, report.posts) == (LoadState.COMMITTED, 1, 1), case.name
        assert [code for code, _ in report.alarms if code == case.code], case.name
        assert second(source) in {one.source_key for one in bench.records(SOURCES[source].topic)[-2:]}
    kept = in_clear(pool)
    for text in (CANARY, CANARY.encode().hex(), FIRST, SECOND):
        assert text not in kept


def test_what_cannot_be_opened_or_read_is_told_in_the_report(bench: Bench, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (tmp_path / "missing", tmp_path, loop, Path("/proc/self/mem")):  # the last one opens, and fails to read
        for source in FILES:
            report = load(source, path, bench.edge)
            assert (report.state, report.reason) == (LoadState.ABORTED, "input.unreadable"), path
            assert str(tmp_path) not in report.detail
