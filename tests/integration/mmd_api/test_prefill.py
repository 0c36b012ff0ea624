"""R-04: a form for a preschool place that asks nothing that is known, and is handed over where somebody is protected."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from streams.contracts.claims import Protection
from tests.integration.mmd.conftest import Someone
from tests.integration.mmd_api.hub import Hub, guardian_of, post, ward_of
from tests.integration.mmd_api.test_things import drain, relaying

Persons = Callable[[int], Someone]


@pytest.fixture
def family(hub: Hub, persons: Persons) -> tuple[Someone, Someone]:
    guardian, child = persons(1), persons(2)
    hub.master.ingest(
        [
            hub.master.record(guardian, "1", *post("Bo", guardian_of(child))),
            hub.master.record(child, "1", *post("Cia", ward_of(guardian))),
        ]
    )
    return guardian, child


def fields(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200
    return {field["name"]: field for field in answer.json()["form"]["fields"]}


def test_the_form_asks_only_what_nobody_knows(hub: Hub, family: tuple[Someone, Someone]) -> None:
    guardian, child = family
    answer = hub.prefill(guardian.identifier.value)
    found = fields(answer)
    assert {name: field["value"] for name, field in found.items()} == {
        "guardian-name": "Bo Ek",
        "guardian-number": guardian.identifier.value,
        "street": "Bogatan 1",
        "postal-code": "01234",
        "locality": "Ort",
        "0.child-name": "Cia Ek",
        "0.child-number": child.identifier.value,
        "0.child-birth": "1980-02-02",
        "wanted-from": None,
        "preschool": None,
    }
    assert [name for name, field in found.items() if field["asked"]] == ["wanted-from", "preschool"]
    assert (answer.json()["questions"], answer.json()["fields"]) == (2, 10)
    assert {field["source"] for field in found.values() if not field["asked"]} == {"navet"}
    assert {field["as_of"] for field in found.values() if not field["asked"]} == {"2026-03-02T08:00:00Z"}
    assert answer.json()["form"]["handed_over"] is False


def shape(answer: httpx.Response) -> Any:
    """Everything of an answer but what is known, and who takes over."""
    body = answer.json()
    for field in body["form"]["fields"]:
        del field["value"], field["source"], field["as_of"]
    del body["form"]["handed_over"], body["form"]["reason"]
    return body


@pytest.mark.parametrize(
    "protection",
    [Protection(sekretessmarkering=True), Protection(skyddad_folkbokforing=True), Protection(unknown_token=True)],
)
@pytest.mark.parametrize("who", [0, 1])
def test_where_somebody_is_protected_the_form_is_handed_over_with_the_same_shape_and_no_reason(
    hub: Hub, family: tuple[Someone, Someone], who: int, protection: Protection
) -> None:
    number = family[0].identifier.value
    before = hub.prefill(number)
    hub.master.ingest([hub.master.record(family[who], "2", protection)])
    after = hub.prefill(number)
    assert after.json()["form"]["handed_over"] is True
    assert after.json()["form"]["reason"] == "handled-by-officer"
    assert all(field["value"] is None and field["source"] == "" for field in fields(after).values())
    assert shape(after) == shape(before)
    assert after.headers.keys() == before.headers.keys()


def test_which_of_them_is_protected_and_how_cannot_be_told(hub: Hub, family: tuple[Someone, Someone]) -> None:
    number = family[0].identifier.value
    answers = []
    for version, (who, protection) in enumerate(
        (
            (1, Protection(sekretessmarkering=True)),
            (0, Protection(sekretessmarkering=True)),
            (1, Protection(False, True)),
        )
    ):
        hub.master.ingest([hub.master.record(family[who], str(version + 2), protection)])
        answers.append(hub.prefill(number).content)
    assert len(set(answers)) == 1


def test_a_child_nobody_has_spoken_of_is_handed_over_too(hub: Hub, persons: Persons) -> None:
    guardian, child = persons(1), persons(2)
    hub.master.ingest([hub.master.record(guardian, "1", *post("Bo", guardian_of(child)))])
    hub.master.ingest([hub.master.record(child, "1", *post("Cia")[1:])])
    assert hub.prefill(guardian.identifier.value).json()["form"]["handed_over"] is True


def test_the_form_of_a_guardian_who_is_told_of_by_nothing_else_is_handed_over_too(
    hub: Hub, family: tuple[Someone, Someone]
) -> None:
    """A reader of guardians is told nothing of whoever has protected wards alone, nor since when there are any."""
    (guardian, child), (_, relay) = family, relaying(hub.master)
    drain(relay)
    before = hub.changes("guardians").json()
    assert hub.person(guardian, "guardians").json()["personas"][0]["segments"]
    hub.master.ingest([hub.master.record(child, "2", Protection(True))])
    drain(relay)
    assert hub.prefill(guardian.identifier.value, "guardians").json()["form"]["handed_over"] is True
    hidden, unknown = hub.person(guardian, "guardians"), hub.person(str(uuid.uuid4()), "guardians")
    assert (hidden.status_code, hidden.content, hidden.headers) == (404, unknown.content, unknown.headers)
    notices = hub.changes("guardians", before["cursor"]).json()["changes"]
    assert {"id": guardian.id, "change": "gone"} in notices
    assert hub.person(guardian, "cleared").json()["personas"][0]["segments"]


def test_an_applicant_without_children_is_asked_about_none(hub: Hub, persons: Persons) -> None:
    hub.master.ingest([hub.master.record(persons(1), "1", *post("Bo"))])
    assert not [name for name in fields(hub.prefill(persons(1).identifier.value)) if name.startswith("0.")]


def test_a_child_whose_custody_has_ended_is_not_in_the_form(hub: Hub, persons: Persons) -> None:
    guardian, child = persons(1), persons(2)
    custody = guardian_of(child, until=dt.date(2026, 3, 2))
    hub.master.ingest(
        [
            hub.master.record(guardian, "1", *post("Bo", custody)),
            hub.master.record(child, "1", *post("Cia", ward_of(guardian))),
        ]
    )
    number = guardian.identifier.value
    assert "0.child-name" in fields(hub.prefill(number))  # the last day counts
    hub.master.clock.instant += dt.timedelta(days=1)
    assert "0.child-name" not in fields(hub.prefill(number))


def test_a_child_whose_own_post_names_another_guardian_is_not_in_the_form(hub: Hub, persons: Persons) -> None:
    guardian, child, other = persons(1), persons(2), persons(3)
    hub.master.ingest(
        [
            hub.master.record(guardian, "1", *post("Bo", guardian_of(child))),
            hub.master.record(child, "1", *post("Cia", ward_of(other))),
        ]
    )
    assert "Cia" not in hub.prefill(guardian.identifier.value).text


def test_a_child_with_a_new_number_is_in_the_form_once(hub: Hub, persons: Persons) -> None:
    guardian, old, new = persons(1), persons(2), persons(3)
    hub.master.ingest(
        [
            hub.master.record(guardian, "1", *post("Bo", guardian_of(old, new))),
            hub.master.record(old, "1", *post("Cia", ward_of(guardian)), old.refers(new, superseded=True)),
            hub.master.record(new, "1", *post("Cia", ward_of(guardian)), new.refers(old)),
        ]
    )
    found = fields(hub.prefill(guardian.identifier.value))
    assert found["0.child-number"]["value"] == new.identifier.value
    assert "1.child-number" not in found


def test_the_unknown_and_the_hidden_applicant_are_answered_alike(hub: Hub, persons: Persons) -> None:
    marked, guardian, unknown = persons(1), persons(2), persons(3)
    hub.master.ingest(
        [
            hub.master.record(marked, "1", *post("Anna", protection=Protection(sekretessmarkering=True))),
            hub.master.record(guardian, "1", *post("Bo")),
        ]
    )
    for hidden, client in ((marked, "nothing"), (guardian, "guardians"), (marked, "guardians")):
        seen = hub.prefill(hidden.identifier.value, client)
        not_there = hub.prefill(unknown.identifier.value, client)
        assert seen.status_code == 404
        assert (seen.content, seen.headers) == (not_there.content, not_there.headers)


def test_an_unknown_form_is_refused_before_anybody_is_looked_up(hub: Hub, family: tuple[Someone, Someone]) -> None:
    known, unknown = (hub.prefill(one, form="unheard-of") for one in (family[0].identifier.value, "x"))
    assert known.status_code == 404
    assert known.json()["detail"] == "form"
    assert known.content == unknown.content


def test_a_form_about_children_needs_a_release_that_holds_them(hub: Hub, family: tuple[Someone, Someone]) -> None:
    """How many children there are is told by the shape alone. Decided the same for everybody, known or not."""
    for client in ("names", "staff", "unit"):
        known, unknown = (hub.prefill(one, client) for one in (family[0].identifier.value, "x"))
        assert (known.status_code, known.json()["code"]) == (403, "access.denied")
        assert known.content == unknown.content


def test_questions_asked_out_of_fields_are_counted(hub: Hub, family: tuple[Someone, Someone]) -> None:
    hub.prefill(family[0].identifier.value)
    metrics = hub.get("/metrics").text
    assert 'kallan_prefill_fields_total{asked="yes",form="preschool-place"} 2.0' in metrics
    assert 'kallan_prefill_fields_total{asked="no",form="preschool-place"} 8.0' in metrics
