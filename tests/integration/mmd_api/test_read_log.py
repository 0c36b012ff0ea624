"""The read log: a row for each person in each answer, with what was shown, and none for what was not answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streams.contracts.claims import Protection
from tests.integration.mmd.conftest import START, Someone
from tests.integration.mmd_api.hub import Hub, guardian_of, post, ward_of
from tests.integration.mmd_api.test_persons import hired

Persons = Callable[[int], Someone]


@pytest.fixture
def anna(hub: Hub, persons: Persons) -> Someone:
    hub.master.ingest([hub.master.record(persons(1), "1", *post("Anna"))])
    return persons(1)


def test_who_was_given_what_of_whom_when_and_why(hub: Hub, anna: Someone) -> None:
    hub.person(anna, "names")
    hub.search(anna.identifier.value, "open")
    assert hub.read_log() == [
        ("names", anna.id, "read", ["names"], False, START),
        ("open", anna.id, "search", ["birth", "names", "numbers", "registered-addresses"], False, START),
    ]


def test_what_stands_inside_other_groups_is_named_too(hub: Hub, anna: Someone, persons: Persons) -> None:
    old = persons(2)
    hub.master.ingest([hub.master.record(anna, "2", anna.refers(old))])
    hired(hub, anna)
    hub.person(old, "open")
    [row] = hub.read_log()
    assert row[1] == old.id
    assert {"agreed-name", "personas"} <= set(row[3])
    hub.person(old, "cleared")
    assert "marking" in hub.read_log()[-1][3]


def test_the_release_that_was_named_is_logged(hub: Hub, anna: Someone) -> None:
    hub.get(f"/v1/persons/{anna.id}", "many", release="names")
    assert [row[0] for row in hub.read_log()] == ["names"]


def test_of_a_restricted_person_it_is_logged_that_the_answer_was_restricted(hub: Hub, anna: Someone) -> None:
    hub.master.ingest([hub.master.record(anna, "2", Protection(sekretessmarkering=True))])
    hub.person(anna, "open")
    assert hub.read_log() == [("open", anna.id, "read", [], True, START)]


def test_an_answer_that_the_reader_had_already_is_logged(hub: Hub, anna: Someone) -> None:
    etag = hub.person(anna, "open").headers["etag"]
    assert hub.get(f"/v1/persons/{anna.id}", "open", headers={"If-None-Match": etag}).status_code == 304
    assert len(hub.read_log()) == 2


def test_what_was_refused_or_not_found_is_not_logged(hub: Hub, anna: Someone, persons: Persons) -> None:
    hub.person(anna, "none")
    hub.person(anna, "")
    hub.person(anna, "staff")
    hub.person(persons(5), "open")
    hub.search(persons(5).identifier.value, "open")
    hub.person(anna, "open", known="2020-01-01T00:00:00Z")
    hub.prefill(persons(5).identifier.value)
    assert hub.read_log() == []


def test_everybody_in_a_form_is_logged_with_what_it_was_filled_from(hub: Hub, persons: Persons) -> None:
    guardian, child = persons(1), persons(2)
    hub.master.ingest(
        [
            hub.master.record(guardian, "1", *post("Bo", guardian_of(child))),
            hub.master.record(child, "1", *post("Cia", ward_of(guardian))),
        ]
    )
    hub.prefill(guardian.identifier.value)
    occasion = "prefill preschool-place"
    filled = {
        ("open", guardian.id, occasion, ("names", "numbers", "registered-addresses", "wards"), False),
        ("open", child.id, occasion, ("birth", "names", "numbers"), False),
    }
    assert {(*row[:3], tuple(row[3]), row[4]) for row in hub.read_log()} == filled
    hub.master.ingest([hub.master.record(child, "2", Protection(sekretessmarkering=True))])
    hub.prefill(guardian.identifier.value)
    assert {(row[1], tuple(row[3]), row[4]) for row in hub.read_log()[2:]} == {
        (guardian.id, ("wards",), False),
        (child.id, (), True),
    }


def test_answers_about_persons_are_counted_by_release(hub: Hub, anna: Someone) -> None:
    hub.person(anna, "open")
    hub.search(anna.identifier.value, "open")
    assert 'kallan_api_disclosures_total{release="open"} 2.0' in hub.get("/metrics").text


def test_what_cannot_be_logged_is_not_answered(hub: Hub, anna: Someone) -> None:
    with hub.without("disclosure"):
        answer = hub.person(anna, "open")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal.unexpected")
    assert "Anna" not in answer.text
