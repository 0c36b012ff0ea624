"""Loads of the registers of roles, through the edge that every source has: differences, ends, truncated and held."""

import datetime as dt
from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest

from connectors.sources.registry import SOURCES, load_records, load_stream
from connectors.sources.report import LoadReport, LoadState
from streams.catalogue import SOURCE_ENROLMENT, SOURCE_URGENT
from streams.contracts.claims import Absent, Protection
from streams.contracts.testnumbers import all_test_numbers
from tests.integration.sources.bench import Bench, stream

NUMBERS = list(islice(all_test_numbers(), 60))
DATES = {"startDate": "2025-08-18", "endDate": "2026-06-30", "orgId": "1"}
OTHER = {"personNumber": NUMBERS[59]}


def rows(source: str, *numbers: int, **more: Any) -> list[dict[str, Any]]:
    fields: dict[str, dict[str, Any]] = {
        "school": {"schoolType": "GR", "enroledAt": "1"},
        "consultants": {"organisationNumber": "5599999991", "sponsor": OTHER},
        "politicians": {"office": "ledamot"},
        "robots": {"robotId": "r", "owner": OTHER},
    }
    key = {"school": "enrolmentId", "consultants": "consultancyId", "politicians": "mandateId", "robots": "dutyId"}[
        source
    ]
    return [
        {key: f"R{n}", "civicNo": NUMBERS[n], "personNumber": NUMBERS[n]} | DATES | fields[source] | more
        for n in numbers
    ]


def load(bench: Bench, source: str, native: Sequence[dict[str, Any]], *, total: bool = True) -> LoadReport:
    """Each file an hour after the one before."""
    bench.clock.instant += dt.timedelta(hours=1)
    return load_records(source, native, bench.edge, total=total)


def absent(bench: Bench, topic: str) -> list[tuple[str, str]]:
    found = [(record.source_key, claim) for record in bench.records(topic) for claim in record.claims]
    return [(key, claim.kind) for key, claim in found if isinstance(claim.body, Absent)]


@pytest.mark.parametrize("source", ["school", "consultants", "politicians", "robots"])
def test_a_total_load_publishes_differences_and_who_is_gone_from_it_goes_urgently(bench: Bench, source: str) -> None:
    first = load(bench, source, rows(source, *range(20)))
    assert (first.state, first.added, first.published) == (LoadState.COMMITTED, 20, 20)
    assert load(bench, source, rows(source, *range(20))).published == 0
    report = load(bench, source, rows(source, *range(19)))
    assert (report.absent, report.published) == (1, 1)
    kind = SOURCES[source].absence_kinds[0]
    gone = [(f"{kind}:kommun:R19", kind)]
    assert absent(bench, SOURCES[source].topic) == absent(bench, SOURCE_URGENT) == gone


def test_an_enrolment_and_a_placement_in_one_load_end_each_by_its_own_kind(bench: Bench) -> None:
    place = {"enrolmentId": None, "placementId": "P1", "schoolType": "FTH", "placedAt": "1"}
    both = rows("school", *range(10)) + rows("school", 10, **place)
    load(bench, "school", both)
    load(bench, "school", rows("school", *range(10)))
    assert absent(bench, SOURCE_ENROLMENT) == [("placement:kommun:P1", "placement")]


def test_a_truncated_load_of_pupils_takes_nobody_away_and_its_raises_go(bench: Bench) -> None:
    load(bench, "school", rows("school", *range(20)))
    bench.clock.instant += dt.timedelta(hours=1)
    marked = rows("school", 0, securityMarking="Skyddad folkbokföring") + rows("school", *range(1, 5))
    content = SOURCES["school"].write(marked, bench.edge.context(), 2, True).rpartition(b'{"end"')[0]
    report = load_stream("school", stream(content), bench.edge)
    assert report.state is LoadState.ABORTED
    for sent in (bench.records(SOURCE_URGENT), bench.records(SOURCE_ENROLMENT)[20:]):
        said = [claim.body for record in sent for claim in record.claims]
        assert said == [Protection(skyddad_folkbokforing=True)]


def test_a_school_year_in_which_half_of_the_pupils_are_missing_is_held(bench: Bench) -> None:
    load(bench, "school", rows("school", *range(50)))
    report = load(bench, "school", rows("school", *range(25)))
    assert (report.state, report.reason, report.published) == (LoadState.HELD, "load.threshold", 0)


def test_a_withdrawn_or_ended_role_goes_urgently_in_a_delta(bench: Bench) -> None:
    load(bench, "school", rows("school", *range(3)), total=False)
    withdrawn, ended = rows("school", 0, cancelled=True), rows("school", 1, endDate="2025-12-31")
    report = load(bench, "school", withdrawn + ended, total=False)
    assert (report.published, report.urgent) == (2, 2)
