"""Deltas: published as they are read; what is bad is set aside, sealed, and stops nothing."""

import datetime as dt
import threading
from itertools import islice
from typing import Any

import psycopg
import pytest

from connectors.sources.registry import load, load_records, load_stream, reader_of
from connectors.sources.report import LoadState
from connectors.store.tables import METADATA
from streams.catalogue import SOURCE_EMPLOYMENT, SOURCE_ORGANISATION, SOURCE_PERSON, SOURCE_URGENT
from streams.contracts.claims import Name, Protection, Registration
from streams.contracts.errors import Rejected
from streams.contracts.testnumbers import all_test_numbers
from tests.integration.sources.bench import Bench, stream

NUMBERS = list(islice(all_test_numbers(), 30))
CANARY = "Kanariesson"


def post(number: int, **other: Any) -> dict[str, Any]:
    return {"PersonNr": NUMBERS[number], "Fornamn": "Anna", "Efternamn": "Holm"} | other


def test_every_bulk_record_of_a_post_carries_its_protection_claim_and_a_raise_goes_ahead(bench: Bench) -> None:
    report = load_records(
        "navet", [post(1), post(2, Sekretessmarkering="J"), post(3, Sekretessmarkering="?")], bench.edge
    )
    assert (report.published, report.urgent) == (3, 2)
    bulk = [r for r in bench.records(SOURCE_PERSON) if any(isinstance(c.body, Protection) for c in r.claims)]
    assert len(bulk) == 2
    for urgent in bench.records(SOURCE_URGENT):
        assert [type(claim.body) for claim in urgent.claims] == [Protection]
    assert len({message.key for message in bench.bus.log(SOURCE_URGENT)}) == 2


def test_the_same_file_again_publishes_nothing(bench: Bench) -> None:
    content = reader_of("navet").write([post(n) for n in range(20)], bench.edge.context(), 1, False)
    assert load_stream("navet", stream(content), bench.edge).published == 20
    again = load_stream("navet", stream(content), bench.edge)
    assert (again.published, again.unchanged) == (0, 20)


def test_a_bad_post_is_kept_sealed_with_code_and_field_and_the_others_go_on(bench: Bench) -> None:
    bad = post(1, Fodelsedatum="banan", Efternamn=CANARY, Sekretessmarkering="J")
    report = load_records("navet", [bad, post(2)], bench.edge)
    assert (report.state, report.posts, report.rejected, report.urgent) == (LoadState.COMMITTED, 1, 1, 1)
    assert report.alarms["input.invalid", "Fodelsedatum"] == 1
    with bench.pool.connection() as connection:
        rows = connection.execute("select code, detail, body, key_id from connectors.rejected").fetchall()
        everything = connection.execute("select r::text from connectors.rejected r").fetchall()
    assert [(row[0], row[1]) for row in rows] == [("input.invalid", "Fodelsedatum")]
    assert rows[0][3].startswith("system/")
    assert CANARY not in repr(everything)
    assert CANARY.encode().hex() not in repr(everything)
    assert NUMBERS[1] not in repr(everything)


def test_rejected_records_go_with_the_first_load_after_their_time(bench: Bench) -> None:
    load_records("navet", [post(1, Fodelsedatum="banan")], bench.edge)
    for days, left in ((29, 1), (2, 0)):
        bench.clock.instant += dt.timedelta(days=days)
        load_records("organisation", [{"orgId": "1", "orgName": "Ekskolan", "nodeFrom": "2015-01-01"}], bench.edge)
        with bench.pool.connection() as connection:
            assert connection.execute("select count(*) from connectors.rejected").fetchone() == (left,)


def test_the_marking_of_a_post_without_a_stamp_is_sent_and_the_rest_is_not(bench: Bench) -> None:
    load_records("navet", [post(1, andringstidpunkt=None, Sekretessmarkering="J")], bench.edge)
    for topic in (SOURCE_URGENT, SOURCE_PERSON):
        records = bench.records(topic)
        assert [(r.version, [type(c.body) for c in r.claims]) for r in records] == [("", [Protection])]


def test_the_death_in_a_post_that_is_rejected_goes_ahead(bench: Bench) -> None:
    report = load_records("navet", [post(1, AvregistreringsorsakKod="AV", Fodelsedatum="banan")], bench.edge)
    assert (report.rejected, report.urgent, report.published) == (1, 1, 1)
    for topic in (SOURCE_URGENT, SOURCE_PERSON):
        assert [claim.body for r in bench.records(topic) for claim in r.claims] == [Registration("AV")]


def test_a_truncated_file_publishes_what_came_before_and_says_so(bench: Bench) -> None:
    content = reader_of("navet").write([post(n) for n in range(20)], bench.edge.context(), 1, False)
    report = load_stream("navet", stream(content[: len(content) // 2]), bench.edge)
    assert (report.state, report.reason) == (LoadState.ABORTED, "input.not-decodable")
    assert 0 < report.published < 20
    whole = load_stream("navet", stream(content), bench.edge)
    assert whole.published + report.published == 20


def test_a_file_that_cannot_be_read_at_all_is_told_and_not_raised(bench: Bench) -> None:
    report = load_stream("navet", stream(b"\x00\x01 no xml"), bench.edge)
    assert (report.state, report.reason) == (LoadState.ABORTED, "input.not-decodable")
    with pytest.raises(Rejected, match="resource.unknown"):
        load_stream("payroll", stream(b""), bench.edge)


def test_a_text_with_a_nul_byte_is_set_aside(bench: Bench) -> None:
    row = {"employmentId": "E1", "personNumber": NUMBERS[1], "startDate": "2020-01-01", "orgId": "1"}
    report = load_records("hr", [row | {"title": "a\0b"}, row | {"employmentId": "E2"}], bench.edge)
    assert (report.posts, report.rejected) == (1, 1)
    assert [r.source_key for r in bench.records(SOURCE_EMPLOYMENT)] == ["kommun:E2"]


def test_a_delta_older_than_the_last_total_load_only_protects(bench: Bench) -> None:
    row = {"employmentId": "E1", "personNumber": NUMBERS[1], "startDate": "2020-01-01", "orgId": "1"}
    old = reader_of("hr").write([row | {"title": "old", "isClassified": True}], bench.edge.context(), 1, False)
    bench.clock.instant += dt.timedelta(hours=1)
    load_records("hr", [row], bench.edge, total=True)
    report = load_stream("hr", stream(old), bench.edge)
    assert (report.state, report.reason) == (LoadState.VOID, "load.superseded")
    assert (report.published, report.urgent) == (0, 1)


def test_units_travel_in_clear_and_persons_never(bench: Bench) -> None:
    load_records("organisation", [{"orgId": "1", "orgName": "Ekskolan", "nodeFrom": "2015-01-01"}], bench.edge)
    load_records("navet", [post(1, Efternamn=CANARY)], bench.edge)
    assert b"Ekskolan" in (bench.bus.log(SOURCE_ORGANISATION)[0].value or b"")
    message = bench.bus.log(SOURCE_PERSON)[0]
    assert CANARY.encode() not in (message.value or b"")
    assert NUMBERS[1] not in repr((message.key, dict(message.headers)))
    assert any(isinstance(c.body, Name) and c.body.family == CANARY for c in bench.records(SOURCE_PERSON)[0].claims)


def test_no_table_of_the_edge_holds_a_number_or_a_name_in_clear(bench: Bench) -> None:
    row = {
        "employmentId": "E1",
        "personNumber": NUMBERS[1],
        "startDate": "2020-01-01",
        "orgId": "1",
        "lastname": CANARY,
    }
    load_records("hr", [row], bench.edge, total=True)
    load_records("navet", [post(1, Efternamn=CANARY)] + [post(2, Fodelsedatum="x", Efternamn=CANARY)], bench.edge)
    with bench.pool.connection() as connection:
        for table in METADATA.sorted_tables:
            content = repr(connection.execute(f"select t::text from {table.fullname} t").fetchall())
            for value in (CANARY, CANARY.encode().hex(), NUMBERS[1], NUMBERS[2], NUMBERS[1].encode().hex()):
                assert value not in content, table.name


def test_progress_is_told_and_a_file_is_loaded_by_its_path(bench: Bench, tmp_path: Any) -> None:
    path = tmp_path / "navet.xml"
    path.write_bytes(reader_of("navet").write([post(n) for n in range(15)], bench.edge.context(), 1, False))
    seen: list[tuple[int, int | None]] = []
    load("navet", path, bench.edge, lambda done, declared: seen.append((done, declared)))
    assert seen == [(7, 15), (14, 15), (15, 15)]


def test_inline_records_get_rising_versions_while_the_clock_stands(bench: Bench) -> None:
    row = {"employmentId": "E1", "personNumber": NUMBERS[1], "startDate": "2020-01-01", "orgId": "1"}
    load_records("hr", [row], bench.edge)
    load_records("hr", [row | {"endDate": "2026-06-30"}], bench.edge)
    load_records("navet", [post(1)], bench.edge)
    load_records("navet", [post(1, Efternamn="Ny")], bench.edge)
    for topic in (SOURCE_EMPLOYMENT, SOURCE_PERSON):
        first, second = (r.version for r in bench.records(topic))
        assert first < second


def test_two_processes_with_the_same_file_at_once_publish_each_record_once(bench: Bench) -> None:
    content = reader_of("navet").write([post(n) for n in range(20)], bench.edge.context(), 1, False)
    other = bench.edge_over(bench.pool, bench.bus)
    workers = [
        threading.Thread(target=load_stream, args=("navet", stream(content), edge)) for edge in (bench.edge, other)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(bench.ids(SOURCE_PERSON)) == 20


def test_the_described_tables_are_the_migrated_ones(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select table_name, column_name, is_nullable = 'YES' from information_schema.columns "
            "where table_schema = 'connectors' and table_name <> 'alembic_version'"
        ).fetchall()
    described = {
        (table.name, column.name, bool(column.nullable)) for table in METADATA.sorted_tables for column in table.columns
    }
    assert set(rows) == described
