"""Total loads (SM8, S-20, S-21): an incomplete or held load takes nothing away, and only differences are published."""

import datetime as dt
from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest

from connectors.sources.loads import list_loads, release_load, show_load, void_load
from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.registry import load_records, load_stream
from connectors.sources.report import LoadReport, LoadState
from streams.catalogue import SOURCE_EMPLOYMENT, SOURCE_PERSON, SOURCE_URGENT
from streams.contracts.claims import Absent, Protection
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import parse_identifier
from streams.contracts.testnumbers import all_test_numbers
from tests.integration.sources.bench import NOW, Bench, stream

NUMBERS = list(islice(all_test_numbers(), 60))


def rows(*numbers: int, **other: Any) -> list[dict[str, Any]]:
    return [
        {
            "employmentId": f"E{n}",
            "personNumber": NUMBERS[n],
            "startDate": "2020-01-01",
            "orgId": "1",
            "title": "lärare",
        }
        | other
        for n in numbers
    ]


def posts(*numbers: int, **other: Any) -> list[dict[str, Any]]:
    return [
        {
            "PersonNr": NUMBERS[n],
            "totalpost": True,
            "Fornamn": "Anna",
            "Efternamn": f"Holm{n}",
            "andringstidpunkt": "20250601080000",
        }
        | other
        for n in numbers
    ]


def load(bench: Bench, native: Sequence[dict[str, Any]], source: str = "hr", *, total: bool = True) -> LoadReport:
    """Each file an hour after the one before."""
    bench.clock.instant += dt.timedelta(hours=1)
    return load_records(source, native, bench.edge, total=total)


def absent(bench: Bench, topic: str = SOURCE_EMPLOYMENT) -> list[str]:
    return [
        r.source_key
        for r in bench.records(topic)
        for c in r.claims
        if isinstance(c.body, Absent) and c.kind == "employment"
    ]


def test_the_first_load_publishes_everything_and_the_same_again_nothing(bench: Bench) -> None:
    first = load(bench, rows(*range(40)))
    assert (first.state, first.added, first.published) == (LoadState.COMMITTED, 40, 40)
    again = load(bench, rows(*range(40)))
    assert (again.state, again.published, again.urgent, again.unchanged) == (LoadState.COMMITTED, 0, 0, 40)


def test_only_differences_are_published_and_an_absence_is_urgent(bench: Bench) -> None:
    load(bench, rows(*range(40)))
    report = load(bench, rows(*range(39))[1:] + rows(41) + rows(0, title="rektor"))
    assert (report.added, report.changed, report.absent, report.published) == (1, 1, 1, 3)
    assert absent(bench) == absent(bench, SOURCE_URGENT) == ["kommun:E39"]
    assert load(bench, rows(*range(1, 39)) + rows(41) + rows(0, title="rektor")).published == 0


def test_a_load_with_far_fewer_rows_is_held_and_takes_nothing_away_but_its_raises_go(bench: Bench) -> None:
    load(bench, rows(*range(50)))
    report = load(bench, rows(*range(29)) + rows(29, isClassified=True))
    assert (report.state, report.reason, report.published, report.absent) == (LoadState.HELD, "load.threshold", 0, 20)
    assert absent(bench) == []
    raised = bench.records(SOURCE_URGENT)
    assert [[claim.body for claim in one.claims] for one in raised] == [[Protection(sekretessmarkering=True)]]


def test_a_first_total_load_after_many_deltas_takes_no_more_away_than_any_other(bench: Bench) -> None:
    load(bench, rows(*range(30)), total=False)
    report = load(bench, rows(*range(5)))
    assert (report.state, report.reason, report.absent, absent(bench)) == (LoadState.HELD, "load.threshold", 25, [])


def test_a_first_total_load_after_few_deltas_may_add_as_many_as_there_are(bench: Bench) -> None:
    load(bench, rows(0, 1), total=False)
    report = load(bench, rows(*range(60)))
    assert (report.state, report.added) == (LoadState.COMMITTED, 58)


def test_deltas_go_on_while_a_load_is_held(bench: Bench) -> None:
    load(bench, rows(*range(50)))
    load(bench, rows(*range(20)))
    report = load(bench, rows(45, endDate="2026-01-14"), total=False)
    assert (report.state, report.published, report.urgent) == (LoadState.COMMITTED, 1, 1)


def test_a_released_load_publishes_what_it_held_and_remembers_who(bench: Bench) -> None:
    load(bench, rows(*range(50)))
    held = load(bench, rows(*range(20)))
    load(bench, rows(45, title="rektor"), total=False)  # newer than the held load: not taken away by it
    assert held.load_id is not None
    report = release_load(bench.edge, held.load_id, "karin")
    assert report.state is LoadState.COMMITTED
    assert sorted(absent(bench)) == sorted(f"kommun:E{n}" for n in range(20, 50) if n != 45)
    assert show_load(bench.pool, held.load_id).decided_by == "karin"
    with pytest.raises(Rejected, match="load.state"):
        release_load(bench.edge, held.load_id, "karin")


def test_a_newer_load_that_is_committed_voids_the_held_one(bench: Bench) -> None:
    load(bench, rows(*range(50)))
    held = load(bench, rows(*range(20)))
    load(bench, rows(*range(50)))
    assert [(one.state, one.reason) for one in list_loads(bench.pool, "hr")][1] == ("void", "load.superseded")
    assert held.load_id is not None
    with pytest.raises(Rejected, match="load.state"):
        release_load(bench.edge, held.load_id, "karin")
    assert absent(bench) == []


def test_a_load_can_be_thrown_away_by_somebody_with_a_name(bench: Bench) -> None:
    load(bench, rows(*range(50)))
    held = load(bench, rows(*range(20)))
    assert held.load_id is not None
    with pytest.raises(Rejected, match="input.missing"):
        void_load(bench.edge, held.load_id, " ")
    void_load(bench.edge, held.load_id, "karin")
    assert show_load(bench.pool, held.load_id).state == "void"
    with pytest.raises(Rejected, match="resource.unknown"):
        void_load(bench.edge, 999, "karin")


def test_a_rejected_row_is_not_absent(bench: Bench) -> None:
    load(bench, rows(*range(20)))
    report = load(bench, rows(*range(19)) + rows(19, extentPercent="heltid"))
    assert (report.rejected, report.absent, absent(bench)) == (1, 0, [])


def test_a_row_that_does_not_tell_its_key_holds_the_absences_and_nothing_else(bench: Bench) -> None:
    load(bench, rows(*range(20)))
    report = load(bench, rows(*range(18)) + rows(25) + rows(26, employmentId=""))
    assert (report.state, report.reason, report.published) == (LoadState.HELD, "load.incomplete", 1)
    assert absent(bench) == []
    assert report.load_id is not None
    release_load(bench.edge, report.load_id, "karin")
    assert absent(bench) == ["kommun:E18", "kommun:E19"]


def test_a_lost_snapshot_holds_absences_and_not_additions(bench: Bench) -> None:
    load(bench, rows(*range(20)))
    with bench.pool.connection() as connection:
        connection.execute("delete from connectors.snapshot where source_key in ('kommun:E1', 'kommun:E2')")
    report = load(bench, rows(*range(19)) + rows(30))
    assert (report.state, report.reason) == (LoadState.HELD, "load.snapshot-lost")
    assert (report.added, report.absent, absent(bench)) == (3, 1, [])
    after = load(bench, rows(*range(19)) + rows(30))
    assert (after.state, absent(bench)) == (LoadState.COMMITTED, ["kommun:E19"])


def test_a_missing_file_number_alarms_and_holds_absences_while_deltas_go_on(bench: Bench) -> None:
    header = FileHeader
    load_stream("navet", stream(file_bytes(posts(*range(20)), header(1, total=True), NOW)), bench.edge)
    gap = load_stream("navet", stream(file_bytes(posts(0, Efternamn="Ny"), header(3), NOW)), bench.edge)
    assert (gap.state, gap.reason, gap.published) == (LoadState.COMMITTED, "load.gap", 1)
    report = load_stream("navet", stream(file_bytes(posts(*range(1, 19)), header(4, total=True), NOW)), bench.edge)
    assert (report.state, report.reason, report.absent) == (LoadState.HELD, "load.gap", 2)
    found = load_stream("navet", stream(file_bytes(posts(5, Efternamn="Sen"), header(2), NOW)), bench.edge)
    assert found.reason == ""
    assert not found.alarms[("load.gap", "file numbers")]


def delivery(numbers: list[int], files: int, *, declared: int | None = None, number: int = 1) -> list[bytes]:
    size = -(-len(numbers) // files)
    parts = [posts(*numbers[start : start + size]) for start in range(0, len(numbers), size)]
    return [
        file_bytes(
            part,
            FileHeader(number, total=True, file=i, files=files, posts_in_all=declared or len(numbers), job=number),
            NOW,
        )
        for i, part in enumerate(parts, start=1)
    ]


def test_a_delivery_of_several_files_is_settled_with_its_last_one_in_any_order(bench: Bench) -> None:
    one, two, three = delivery(list(range(30)), 3)
    for part in (three, one):
        report = load_stream("navet", stream(part), bench.edge)
        assert (report.state, report.published) == (LoadState.OPENED, 0)
    report = load_stream("navet", stream(two), bench.edge)
    assert (report.state, report.added, report.published) == (LoadState.COMMITTED, 30, 30)


def test_a_truncated_last_file_takes_nobody_away(bench: Bench) -> None:
    for part in delivery(list(range(30)), 3):
        load_stream("navet", stream(part), bench.edge)
    one, two, three = delivery(list(range(30)), 3, number=2)
    load_stream("navet", stream(one), bench.edge)
    load_stream("navet", stream(two), bench.edge)
    report = load_stream("navet", stream(three[: len(three) // 2]), bench.edge)
    assert (report.state, report.reason) == (LoadState.ABORTED, "input.not-decodable")
    whole_but_fewer = delivery(list(range(25)), 3, declared=30, number=3)
    reports = [load_stream("navet", stream(part), bench.edge) for part in whole_but_fewer]
    assert (reports[-1].state, reports[-1].reason) == (LoadState.ABORTED, "load.incomplete")
    assert not [c for r in bench.records(SOURCE_PERSON)[30:] for c in r.claims]


def test_an_empty_total_load_is_no_load(bench: Bench) -> None:
    load(bench, rows(*range(5)))
    report = load(bench, [])
    assert (report.state, report.reason, absent(bench)) == (LoadState.ABORTED, "load.incomplete", [])


def test_an_older_total_load_changes_nothing_but_protects(bench: Bench) -> None:
    load(bench, rows(*range(5)))
    load(bench, rows(*range(4)))
    bench.clock.instant -= dt.timedelta(hours=2)
    report = load(bench, rows(*range(5), isClassified=True))
    assert (report.state, report.reason, report.published, report.urgent) == (LoadState.VOID, "load.superseded", 0, 5)


def test_what_was_missing_comes_back_when_it_returns(bench: Bench) -> None:
    load(bench, rows(*range(20)))
    load(bench, rows(*range(19)))
    report = load(bench, rows(*range(20)))
    assert (report.added, report.published) == (1, 1)
    newest = bench.records(SOURCE_EMPLOYMENT)[-1]
    assert newest.source_key == "kommun:E19"
    assert newest.version > bench.records(SOURCE_EMPLOYMENT)[-2].version


def test_a_change_by_delta_and_back_by_total_load_is_published_both_times(bench: Bench) -> None:
    load(bench, rows(*range(5)))
    load(bench, rows(2, title="rektor"), total=False)
    report = load(bench, rows(*range(5)))
    assert (report.changed, report.published) == (1, 1)


def test_a_navet_load_publishes_a_post_whose_stamp_is_newer_even_if_its_mapped_content_is_the_same(
    bench: Bench,
) -> None:
    load(bench, posts(*range(5)), "navet")
    same = load(bench, posts(*range(5)), "navet")
    newer = load(bench, posts(*range(4)) + posts(4, andringstidpunkt="20250701080000"), "navet")
    assert (same.published, newer.published) == (0, 1)


def test_what_a_delta_said_after_a_held_load_is_what_the_next_load_is_compared_with(bench: Bench) -> None:
    load(bench, rows(*range(50)))
    held = load(bench, rows(*range(19)) + rows(19, endDate="2026-01-31"))
    load(bench, rows(19, title="rektor"), total=False)  # newer than the held load: the end is taken back
    assert held.load_id is not None
    release_load(bench.edge, held.load_id, "karin")
    before = len(bench.records(SOURCE_EMPLOYMENT))
    report = load(bench, rows(*range(19)) + rows(19, endDate="2026-01-31"))  # it ends after all
    assert (report.changed, report.published) == (1, 1)
    assert [r.source_key for r in bench.records(SOURCE_EMPLOYMENT)[before:]] == ["kommun:E19"]


def versions_of(bench: Bench, key: str) -> list[tuple[str, bool]]:
    """Of one post: each version in the order published, and whether it said that the post was gone."""
    found = [r for r in bench.records(SOURCE_PERSON) if r.source_key == key]
    return [(r.version, isinstance(r.claims[0].body, Absent)) for r in found]


def test_a_post_that_was_missing_and_comes_back_unchanged_is_newer_than_its_absence(bench: Bench) -> None:
    everybody, without = posts(*range(20)), posts(*range(19))
    key = bench.edge.context().subject_of(parse_identifier(NUMBERS[19], NOW.date()))
    for native in (everybody, without, everybody, without, everybody):  # deliveries of one day
        assert load(bench, native, "navet").state is LoadState.COMMITTED
    found = versions_of(bench, key)
    assert [gone for _, gone in found] == [False, True, False, True, False]
    assert [version for version, _ in found] == sorted(version for version, _ in found)
    assert load(bench, everybody, "navet").published == 0


def test_a_held_load_that_is_released_buries_and_a_later_one_brings_back(bench: Bench) -> None:
    load(bench, posts(*range(40)), "navet")
    held = load(bench, posts(*range(20)), "navet")
    assert held.load_id is not None
    release_load(bench.edge, held.load_id, "karin")
    assert load(bench, posts(*range(40)), "navet").added == 20
    for number in range(20, 40):
        key = bench.edge.context().subject_of(parse_identifier(NUMBERS[number], NOW.date()))
        assert [gone for _, gone in sorted(versions_of(bench, key))] == [False, True, False]
