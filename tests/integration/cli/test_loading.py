"""`kallan load`, `loads` and `dlq` over the direct world; over a broker they are run with the documentation's commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from connectors.sources.edge import Edge
from connectors.sources.registry import reader_of
from connectors.sources.report import LoadReport, LoadState
from deploy.cli.connection import connected
from deploy.cli.sources import as_data, is_bad, load_files, told
from deploy.replay.direct import DirectWorld
from deploy.wiring import sources
from deploy.wiring.handlers import handler_of
from streams.contracts.errors import Rejected
from streams.contracts.testnumbers import all_test_numbers
from streams.dead_letters import LetterState
from streams.envelope import Message

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Kallan, Town

QUIET = Console(quiet=True)
PEOPLE = 30


def edge_of(world: DirectWorld) -> Edge:
    return sources.edge(world.base, world.bus)


def export(world: DirectWorld, path: Path, employments: int, number: int, *, total: bool = True, **more: Any) -> Path:
    numbers = list(all_test_numbers())[:employments]
    rows: Sequence[dict[str, Any]] = [
        {"employmentId": f"T{n}", "personNumber": who, "startDate": "2024-02-01", "orgId": "1100"} | more
        for n, who in enumerate(numbers)
    ]
    path.write_bytes(reader_of("hr").write(rows, edge_of(world).context(), number, total))
    return path


def load(world: DirectWorld, *files: Path) -> list[LoadReport]:
    return [report for _, report in load_files(edge_of(world), "hr", files, QUIET)]


def test_a_file_is_reported_with_its_counts(town: Town, tmp_path: Path) -> None:
    (report,) = load(town.world, export(town.world, tmp_path / "hr.jsonl", PEOPLE, 2))
    lines = "\n".join(told("hr.jsonl", report))
    assert not is_bad(report)
    assert "hr.jsonl: published (load 1)" in lines
    assert "30 records read, 0 rejected" in lines
    assert as_data(Path("hr.jsonl"), report)["added"] == PEOPLE


def test_rejected_records_are_told_by_code_and_field(town: Town, tmp_path: Path) -> None:
    (report,) = load(town.world, export(town.world, tmp_path / "hr.jsonl", 3, 2, total=False, extentPercent=900))
    assert report.rejected == 3
    assert "  alarm: input.invalid extentPercent, 3 times" in told("hr.jsonl", report)
    assert not is_bad(report)  # a delta goes on without them


def test_what_follows_a_refused_file_is_not_loaded(town: Town, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("no export")
    reports = load(town.world, broken, export(town.world, tmp_path / "hr.jsonl", 3, 2))
    assert [report.state for report in reports] == [LoadState.ABORTED]
    assert is_bad(reports[0])
    assert "broken.jsonl: refused" in told("broken.jsonl", reports[0])


def test_a_load_that_loses_too_many_is_held_shown_and_thrown_away(town: Town, kallan: Kallan, tmp_path: Path) -> None:
    first, second = load(
        town.world,
        export(town.world, tmp_path / "all.jsonl", PEOPLE, 2),
        export(town.world, tmp_path / "few.jsonl", 5, 3),
    )
    assert not is_bad(first)
    assert is_bad(second)
    held = str(second.load_id)
    assert "held" in kallan("loads", "list").out
    shown = kallan("loads", "show", held, "--json").data
    assert (shown["reason"], shown["absent"]) == ("load.threshold", PEOPLE - 5)
    assert "changes too much" in kallan("loads", "show", held).out
    assert f"kallan loads release {held}" in kallan("loads", "show", held).out
    assert kallan("loads", "void", held, "--by", "the officer").code == 0
    decided = kallan("loads", "show", held).out
    assert "decided by the officer" in decided
    assert "to decide" not in decided
    again = kallan("loads", "void", held)
    assert (again.code, again.err.split(":")[0]) == (2, "load.state")


def test_a_load_that_was_cut_off_is_taken_up(town: Town, kallan: Kallan, tmp_path: Path) -> None:
    assert kallan("loads", "resume").out == "No load was cut off.\n"
    (report,) = load(town.world, export(town.world, tmp_path / "hr.jsonl", PEOPLE, 2))
    with town.world.base.pool.connection() as connection:
        connection.execute("update connectors.load set state = 'published'")
    assert "kallan loads resume" in kallan("loads", "show", str(report.load_id)).out
    (resumed,) = kallan("loads", "resume", "--json").data
    assert (resumed["load_id"], resumed["state"]) == (report.load_id, "committed")
    assert "committed" in kallan("loads", "list").out


@pytest.mark.parametrize("what", [("loads", "show"), ("loads", "void"), ("dlq", "show"), ("dlq", "discard")])
@pytest.mark.parametrize("number", ["0", "-1", "one", str(2**63), "99999999999999999999999"])
def test_what_no_load_or_letter_can_be_called_is_wrong_use(kallan: Kallan, what: tuple[str, str], number: str) -> None:
    assert kallan(*what, number).code == 2


def test_what_is_decided_is_somebodys(town: Town, kallan: Kallan, letter: str) -> None:
    ran = kallan("dlq", "discard", letter, "--by", "  ")
    assert (ran.code, "--by NAME" in ran.err) == (2, True)
    assert json.loads(kallan("dlq", "show", letter, "--json").out)["state"] == "open"


def test_an_unknown_load_or_source_is_wrong_use(town: Town, kallan: Kallan) -> None:
    assert kallan("loads", "show", "7").code == 2
    assert kallan("dlq", "list", "--limit", str(10**30)).code == 2
    ran = kallan("loads", "list", "--source", "payroll")
    assert (ran.code, ran.err.split(":")[0]) == (2, "resource.unknown")
    assert kallan("load", "navet").code == 2
    assert kallan("load", "navet", "not-there.xml").code == 2


@pytest.fixture
def letter(town: Town) -> str:
    """A dead letter: an account fact of somebody whom the source may not speak of."""
    message = next(iter(town.world.bus.log("source.employment.v1")))
    town.world.base.dead_letters.add("ingest-bulk", message, Rejected("stamp.missing", "name"))
    return "1"


def test_dead_letters_are_listed_shown_and_discarded_without_the_record(
    town: Town, kallan: Kallan, letter: str
) -> None:
    listed = kallan("dlq", "list")
    assert "stamp.missing" in listed.out
    assert "source.employment.v1/0/0" in listed.out
    shown = kallan("dlq", "show", letter)
    assert "The record has no version stamp." in shown.out
    assert "Posten saknar ändringstidpunkt." in shown.out
    closed = kallan("dlq", "discard", letter, "--by", "the officer", "--json").data
    assert (closed["state"], closed["closed_by"]) == ("discarded", "the officer")
    assert kallan("dlq", "list").out.startswith("No dead letters.")
    assert kallan("dlq", "list", "--all", "--json").data["letters"][0]["state"] == "discarded"
    assert kallan("dlq", "retry", letter).code == 2
    assert kallan("dlq", "show", "99").code == 2


def test_a_retry_runs_what_the_workers_run(town: Town, letter: str) -> None:
    def read_at(topic: str, partition: int, offset: int) -> Message:
        assert partition == 0
        return town.world.bus.log(topic)[offset]

    with connected(None) as connection:
        settings = connection.master, connection.provisioning
        handler = handler_of("ingest-bulk", connection.base, *settings)
        found = connection.base.dead_letters.retry(int(letter), "the officer", read_at, handler)
        assert found.state is LetterState.RETRIED
        assert handler_of("evaluate-urgent", connection.base, *settings)
        with pytest.raises(Rejected, match=r"resource\.unknown"):
            handler_of("nobody", connection.base, *settings)


def test_what_the_edge_refused_is_listed_by_reason(town: Town, kallan: Kallan, tmp_path: Path) -> None:
    load(town.world, export(town.world, tmp_path / "hr.jsonl", 3, 2, total=False, extentPercent=900))
    refused = kallan("dlq", "list", "--json").data["refused_at_sources"]
    assert [(one["source"], one["code"], one["field"], one["count"]) for one in refused] == [
        ("hr", "input.invalid", "extentPercent", 3)
    ]
    assert "refused by hr: 3 of input.invalid" in kallan("dlq", "list").out


def test_the_broker_being_away_is_told_and_the_answer_is_no(town: Town, kallan: Kallan, letter: str) -> None:
    ran = kallan("dlq", "retry", letter)
    assert (ran.code, ran.err.split(":")[0]) == (1, "service.unavailable")
    assert json.loads(kallan("dlq", "show", letter, "--json").out)["state"] == "open"
