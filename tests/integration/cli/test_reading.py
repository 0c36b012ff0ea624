"""What an operator reads on the command line: whole sentences, stable codes, and never what is not to be shown."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import pytest
import yaml

from deploy.report import Row, rows_for, side_by_side
from deploy.settings import CONFIG
from mmd.domain.release import Release
from streams.clock_row import set_clock
from tests.integration.cli.conftest import AGREED, ANNA, BO, NOW, SECRET_NAME, SECRET_STREET, STRANGER

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Kallan, Ran, Town


def test_a_person_is_shown_by_id_with_source_and_stamp(town: Town, kallan: Kallan) -> None:
    ran = kallan("person", "show", town.anna)
    assert ran.code == 0
    assert "Anna Maria Ek" in ran.out
    assert "Storgatan 1" in ran.out
    assert "navet 2026-09-01 10:00" in ran.out  # Swedish time
    assert "employment:kommun:E1: active" in ran.out


def test_a_personnummer_is_taken_from_standard_input(town: Town, kallan: Kallan) -> None:
    assert kallan("person", "show", "-", "--json", stdin=f"{ANNA}\n").data["id"] == town.anna
    assert kallan("explain", "-", "--json", stdin=ANNA).data["person"] == town.anna


@pytest.mark.parametrize("command", [("person", "show"), ("explain",), ("report",), ("conflicts", "--person")])
def test_a_personnummer_as_an_argument_is_refused_and_not_repeated(
    town: Town, kallan: Kallan, command: tuple[str, ...]
) -> None:
    for written in (ANNA, f"{ANNA[:8]}-{ANNA[8:]}", ANNA[2:]):
        ran = kallan(*command, written)
        assert ran.code == 2
        assert "standard input" in ran.err
        assert written not in ran.out + ran.err


@pytest.mark.parametrize("command", [("person", "show"), ("explain",), ("report",), ("conflicts", "--person")])
def test_an_unknown_person_is_the_answer_no(town: Town, kallan: Kallan, command: tuple[str, ...]) -> None:
    assert kallan(*command, "-", stdin=STRANGER).code == 1


def test_what_is_no_id_and_no_number_is_wrong_use(town: Town, kallan: Kallan) -> None:
    ran = kallan("person", "show", "anna")
    assert (ran.code, ran.err.split(":")[0]) == (2, "input.invalid")
    assert kallan("person", "show", "-", stdin="12345\n").code == 2


def test_without_an_audience_a_protected_person_is_not_told_of(town: Town, kallan: Kallan) -> None:
    for more in ((), ("--json",), ("--known", "2026-09-02"), ("--audience", "e-services"), ("--audience", "intranet")):
        ran = kallan("person", "show", town.bo, *more)
        assert ran.code == 0
        assert AGREED in ran.out
        assert SECRET_NAME not in ran.out
        assert SECRET_STREET not in ran.out
        assert "sekretess" not in ran.out


def test_an_audience_that_is_cleared_sees_the_name_but_no_number(town: Town, kallan: Kallan) -> None:
    ran = kallan("person", "show", town.bo, "--audience", "payroll")
    assert SECRET_NAME in ran.out
    assert "(not printed), current" in ran.out
    data = kallan("person", "show", town.bo, "--audience", "payroll", "--json").data
    assert data["marking"] == "sekretessmarkering"
    assert [one["value"] for one in data["numbers"]] == ["(not printed)"]


def test_an_unknown_audience_is_wrong_use_and_told_which_there_are(town: Town, kallan: Kallan) -> None:
    ran = kallan("person", "show", town.anna, "--audience", "newspaper")
    assert ran.code == 2
    assert "payroll" in ran.err


def test_what_is_shown_is_logged_with_its_release(town: Town, kallan: Kallan) -> None:
    kallan("person", "show", town.bo, "--audience", "payroll")
    kallan("person", "show", town.anna)
    kallan("report", town.anna)
    account = kallan("explain", town.bo, "--json").data["accounts"][0]["account"]
    kallan("explain", account)
    kallan("explain", str(UUID(int=1)))  # nobody's
    with town.world.base.pool.connection() as connection:
        rows = connection.execute(
            "select release, person, occasion, restricted from mmd.disclosure order by id"
        ).fetchall()
    assert rows == [
        ("payroll", town.bo, "command", True),
        ("operator", town.anna, "command", False),
        ("operator", town.anna, "report", False),
        ("operator", town.bo, "explain", True),
        ("operator", town.bo, "explain", True),
    ]


def test_a_person_is_shown_as_it_was_and_as_it_was_known(town: Town, kallan: Kallan) -> None:
    later = NOW + dt.timedelta(days=1)
    town.world.set_clock(later)
    set_clock(town.world.base.keys_pool, later)
    post = {"PersonNr": ANNA, "totalpost": True, "Fornamn": "Anna Maria", "Efternamn": "Lund"}
    town.world.feed("navet", [post], total=False)
    town.world.settle()

    def family(*more: str) -> list[str]:
        names = kallan("person", "show", town.anna, "--json", *more).data["names"]
        return [name["family"] for name in names]

    assert family() == ["Lund"]
    assert family("--known", "2026-09-01T12:00") == ["Ek"]
    assert family("--valid", "2026-09-01") == ["Ek"]
    assert kallan("person", "show", town.anna, "--known", "2020-01-01").code == 1
    for unusable in ("soon", "0001-01-01", "9999-12-31T23:59-12:00"):
        assert kallan("person", "show", town.anna, "--known", unusable).code == 2


def test_why_somebody_has_what_they_have_in_two_languages(town: Town, kallan: Kallan) -> None:
    english, swedish = kallan("explain", town.anna), kallan("explain", town.anna, "--sv")
    assert english.code == swedish.code == 0
    assert "Because rule" in english.out
    assert "Därför att regel" in swedish.out
    account = kallan("explain", town.anna, "--json").data["accounts"][0]
    assert kallan("explain", account["account"], "--json").data["accounts"][0] == account
    assert "from the journal" in kallan("explain", town.anna, "--at", "2026-09-01T23:00").out


def test_the_report_puts_source_and_master_side_by_side(town: Town, kallan: Kallan) -> None:
    ran = kallan("report", town.anna)
    assert ran.code == 0
    assert "source says" in ran.out
    assert "hr 2026-09-01 10:00" in ran.out
    rows = {row["what"]: row for row in kallan("report", town.anna, "--json").data["persons"][0]["rows"]}
    assert (rows["title"]["source"], rows["title"]["master"]) == ("undersköterska", "undersköterska")


def test_the_report_of_a_protected_person_hides_name_and_address_but_for_the_cleared(
    town: Town, kallan: Kallan
) -> None:
    for more in ((), ("--audience", "intranet"), ("--audience", "e-services")):
        ran = kallan("report", town.bo, *more)
        assert "(protected)" in ran.out
        assert SECRET_NAME not in ran.out
        assert SECRET_STREET not in ran.out
        assert "sekretess" not in ran.out
    cleared = kallan("report", town.bo, "--audience", "payroll").out
    assert SECRET_NAME in cleared
    assert "sekretessmarkering" in cleared


def rows(ran: Ran) -> set[str]:
    return {row["what"] for person in ran.data["persons"] for row in person["rows"]}


def test_the_report_tells_an_audience_what_its_release_allows(
    town: Town, kallan: Kallan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert rows(kallan("report", town.anna, "--json")) == {"name", "address", "title", "unit", "state", "groups"}
    assert rows(kallan("report", town.anna, "--json", "--audience", "intranet")) == {"name", "title", "unit", "state"}
    assert rows(kallan("report", town.bo, "--json", "--audience", "payroll")) == {
        *("name", "marking", "title", "unit", "state")
    }
    releases = yaml.safe_load((CONFIG / "releases.yml").read_text())
    one = releases["releases"]["intranet"]
    releases["releases"] |= {
        "elsewhere": one | {"units": ["unit:kommun:9"]},
        "unmarked": one | {"marked": "nothing"},
    }
    (tmp_path / "releases.yml").write_text(yaml.safe_dump(releases))
    monkeypatch.setenv("KALLAN_RELEASES", str(tmp_path / "releases.yml"))
    for audience, person in (("elsewhere", town.anna), ("unmarked", town.bo)):
        ran = kallan("report", person, "--audience", audience)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("resource.unknown")
    with town.world.base.pool.connection() as connection:
        told = connection.execute(
            "select attribute_groups from mmd.disclosure where release = 'intranet' and occasion = 'report'"
        ).fetchall()
    assert [set(groups) for (groups,) in told] == [{"names", "personas"}]


def test_the_report_tells_an_audience_of_some_roles_nothing_of_what_targets_hold_for_all_of_them(town: Town) -> None:
    """Anna studies too, under an account of her own: the school is not told what she does at work, nor that she has an
    account there."""
    studies = {
        "enrolmentId": "EN1",
        "civicNo": ANNA,
        "schoolType": "VUX",
        "enroledAt": "2500",
        "startDate": "2026-08-17",
    }
    town.world.feed("school", [studies], total=False)
    town.world.settle()
    whole, of_pupils = (town.world.readings.releases[one] for one in ("e-services", "school-platform"))
    told = reported(town, msgspec.structs.replace(whole, attributes=whole.attributes | {"personas"}))
    assert told["title"].targets == {"directory": "undersköterska", "collaboration": "undersköterska"}
    told = reported(town, of_pupils)
    assert told["state"].master == "active"
    assert not any(row.targets for row in told.values())
    assert "undersköterska" not in repr(told)


def reported(town: Town, release: Release) -> dict[str, Row]:
    """The rows about Anna, as the command makes them for a reader."""
    readings = town.world.readings
    document = readings.document(town.anna)
    assert document is not None
    seen = readings.answer(document, release)
    assert seen is not None
    shown = msgspec.structs.replace(document, personas=seen.personas)
    return {row.what: row for row in rows_for(readings, shown, release)}


def test_the_report_says_which_target_does_not_answer_and_tells_the_rest(town: Town) -> None:
    town.world.targets["directory"].go_down()
    first, *others = side_by_side(town.world.readings, ANNA)
    assert first.targets == {"directory": "(does not answer)", "collaboration": "Anna Maria Ek"}
    assert next(row for row in others if row.what == "state").targets == {"collaboration": "enabled"}


def test_a_native_file_is_reported_person_by_person(town: Town, kallan: Kallan, tmp_path: Path) -> None:
    from connectors.sources.registry import reader_of
    from deploy.wiring import sources

    context = sources.edge(town.world.base, town.world.bus).context()
    row = {"startDate": "2024-02-01", "orgId": "1100"}
    known = [row | {"employmentId": f"E{n}", "personNumber": who} for n, who in enumerate((ANNA, BO, ANNA))]
    file = tmp_path / "hr.jsonl"
    file.write_bytes(reader_of("hr").write(known, context, 7, False))
    ran = kallan("report", str(file), "--json")
    assert ran.code == 0
    assert [one["person"] for one in ran.data["persons"]] == [town.anna, town.bo]

    posts = [{"PersonNr": who, "totalpost": True, "Fornamn": "X"} for who in (STRANGER, BO)]
    file.write_bytes(reader_of("navet").write(posts, context, 7, False))
    ran = kallan("report", str(file), "--json")
    assert (ran.code, ran.data["unknown"], len(ran.data["persons"])) == (1, 1, 1)

    file.write_text("something else")
    ran = kallan("report", str(file))
    assert (ran.code, ran.err.split(":")[0]) == (2, "input.unknown-schema")
    file.write_text('{"format": "hr-export.v1", "extractedAt": "2026-09-01", "total": true}')
    ran = kallan("report", str(file))
    assert (ran.code, ran.err.split(":")[0]) == (2, "input.invalid")  # its own fault, not another format
    assert "extractedAt" in ran.err
    assert (kallan("report", "hr-00002.jsonl").code, kallan("report", str(tmp_path)).code) == (2, 2)


def test_the_state_has_three_hashes_that_repeat(town: Town, kallan: Kallan) -> None:
    first, second = kallan("state", "hash", "--json").data, kallan("state", "hash", "--json").data
    assert first == second
    assert set(first) == {"master", "desired", "observed"}
    assert first["master"]["counts"] == {"person": 2, "unit": 1}
    assert first["master"]["hash"] in kallan("state", "hash").out


def test_conflicts_stand_under_the_owner_who_is_to_see_to_them(town: Town, kallan: Kallan) -> None:
    (group,) = kallan("conflicts", "--json").data
    assert group["owner"] == "Kommunstyrelsen, stadsledningskontoret"
    assert [(one["person"], one["attribute"], one["source_key"]) for one in group["conflicts"]] == [
        (town.anna, "name", "kommun:E1")  # Bo's copy is right, and tells nothing
    ]
    assert "stadsledningskontoret" in kallan("conflicts").out
    assert kallan("conflicts", "--person", town.bo, "--json").data == []
    assert "Eck" not in kallan("conflicts").out


def test_conflicts_are_none_where_none_differ(town: Town, kallan: Kallan) -> None:
    assert "No source says anything else" in kallan("conflicts", "--person", town.bo).out


def test_an_error_that_nobody_expected_is_told_by_class_and_place_without_its_text(town: Town, kallan: Kallan) -> None:
    with town.world.base.pool.connection() as connection:
        connection.execute("drop table mmd.conflict cascade")
    ran = kallan("conflicts")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("service.unavailable: ")  # a missing table is waited for: see streams.failures
    assert "UndefinedTable" in ran.err
    assert "mmd.conflict" not in ran.err
    with town.world.base.pool.connection() as connection:
        connection.execute("alter table mmd.disclosure add check (occasion = '')")
    ran = kallan("person", "show", town.anna)
    assert ran.err.startswith("internal.unexpected: ")
    assert (ran.code, "Traceback" in ran.err, town.anna in ran.err) == (1, False, False)
