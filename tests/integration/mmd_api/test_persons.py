"""Reading persons: what the release allows, with source and stamp; the hidden and the unknown look the same."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest

from streams.contracts.claims import (
    AgreedName,
    Claim,
    Employment,
    Enrolment,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Segment,
    SpecialAddress,
)
from streams.contracts.identifiers import Identifier, IdentifierType
from tests.integration.mmd.conftest import Someone
from tests.integration.mmd_api.hub import Hub, guardian_of, living, named, post, ward_of

Persons = Callable[[int], Someone]

EMPLOYED = Employment("kommun", "E1", (Segment(dt.date(2021, 1, 1), None, "unit:kommun:11", "Lärare"),))


def hired(hub: Hub, who: Someone, version: str = "1", key: str = "E1") -> None:
    employment = Employment("kommun", key, EMPLOYED.segments)
    hub.master.ingest([hub.master.record(who, version, employment, AgreedName("Lärare A"), source="hr", key=key)])


@pytest.fixture
def anna(hub: Hub, persons: Persons) -> Someone:
    """Registered and employed."""
    one = persons(1)
    hub.master.ingest([hub.master.record(one, "1", *post("Anna"))])
    hired(hub, one)
    return one


def test_each_value_has_its_source_and_stamp(hub: Hub, anna: Someone) -> None:
    answer = hub.person(anna, "open")
    assert answer.status_code == 200
    [name] = answer.json()["names"]
    assert (name["given"], name["stamp"]["source"], name["stamp"]["version"]) == ("Anna", "navet", "1")
    assert name["stamp"]["logged_at"] == "2026-03-02T08:00:00Z"
    assert answer.json()["personas"][0]["stamp"]["source"] == "hr"


def test_what_the_release_does_not_hold_is_not_shown(hub: Hub, anna: Someone) -> None:
    assert hub.person(anna, "names").json().keys() == {"id", "names"}


def test_an_old_id_is_answered_with_the_person_as_it_is_now(hub: Hub, persons: Persons) -> None:
    old, new = persons(1), persons(2)
    hub.master.ingest([hub.master.record(new, "1", *post("Anna"))])
    assert hub.person(new, "names").json()["id"] == new.id
    hub.master.ingest([hub.master.record(new, "2", new.refers(old))])
    by_alias = hub.person(new, "names")
    assert by_alias.json()["id"] == old.id
    assert by_alias.content == hub.person(old, "names").content == hub.search(new.identifier.value, "names").content


def test_a_guardian_and_a_manager_who_changed_number_are_named_by_the_id_of_today(hub: Hub, persons: Persons) -> None:
    child, old, new = persons(1), persons(2), persons(3)
    job = Employment("kommun", "E1", (Segment(dt.date(2026, 1, 1), manager=new.subject),))
    hub.master.ingest([hub.master.record(child, "1", *post("Cia", ward_of(new)))])
    hub.master.ingest([hub.master.record(child, "1", job, source="hr", key="E1")])
    hub.master.ingest([hub.master.record(old, "1", *post("Anna"))])
    hub.master.ingest([hub.master.record(new, "1", *post("Anna", new.refers(old)))])
    answer = hub.person(child, "open").json()
    assert [one["person"] for one in answer["guardians"]] == [old.id]
    assert [one["manager"] for one in answer["personas"][0]["segments"]] == [old.id]
    assert new.id not in str(answer)


def test_search_answers_the_same_bytes_as_reading(hub: Hub, anna: Someone) -> None:
    number = anna.identifier.value
    found = hub.search(number, "open")
    assert found.content == hub.person(anna, "open").content
    assert hub.search(f"{number[:8]}-{number[8:]}", "open").content == found.content


def test_the_hidden_and_the_unknown_are_answered_with_the_same_bytes_and_headers(hub: Hub, persons: Persons) -> None:
    marked, guardian, child, unknown = (persons(n) for n in range(4))
    hub.master.ingest(
        [
            hub.master.record(marked, "1", *post("Anna", protection=Protection(sekretessmarkering=True))),
            hub.master.record(guardian, "1", *post("Bo", guardian_of(child))),
            hub.master.record(child, "1", *post("Cia", ward_of(guardian))),
        ]
    )
    hired(hub, marked)
    for hidden, client in ((marked, "nothing"), (guardian, "staff"), (child, "guardians"), (guardian, "unit")):
        for query in ({}, {"valid": "2024-01-01"}, {"known": "2026-03-02T12:00:00Z"}, None):
            seen, not_there = (
                hub.search(one.identifier.value, client) if query is None else hub.person(one, client, **query)
                for one in (hidden, unknown)
            )
            assert seen.status_code == 404
            assert seen.content == not_there.content
            assert seen.headers == not_there.headers
    assert hub.person(str(uuid.uuid4()), "nothing").content == hub.person(marked, "nothing").content
    assert hub.read_log() == []


def test_a_marked_person_is_restricted_and_no_reason_is_told(hub: Hub, anna: Someone) -> None:
    hub.master.ingest([hub.master.record(anna, "2", Protection(skyddad_folkbokforing=True))])
    answer = hub.person(anna, "open")
    assert answer.json().keys() == {"id", "restricted", "agreed_name", "personas", "main_persona"}
    assert "skyddad" not in answer.text
    assert hub.person(anna, "cleared").json()["marking"] == "skyddad-folkbokforing"


def test_nobody_is_open_before_the_register_has_spoken(hub: Hub, persons: Persons) -> None:
    one = persons(1)
    hired(hub, one)
    assert hub.person(one, "open").json()["restricted"] is True
    assert hub.person(one, "nothing").status_code == 404


class TestDates:
    def test_valid_shows_what_held_on_that_day(self, hub: Hub, anna: Someone) -> None:
        hub.master.ingest([hub.master.record(anna, "2", Claim(named("Annika").body, dt.date(2026, 3, 1)))])
        assert hub.person(anna, "names").json()["names"][0]["given"] == "Annika"
        assert hub.person(anna, "names", valid="2026-02-28").json()["names"][0]["given"] == "Anna"
        assert hub.person(anna, "names", valid="2026-03-01").json()["names"][0]["given"] == "Annika"
        assert "names" not in hub.person(anna, "names", valid="2019-12-31").json()

    def test_known_shows_what_was_known_then(self, hub: Hub, anna: Someone) -> None:
        before = hub.master.clock.now()
        hub.master.clock.instant += dt.timedelta(days=1)
        hub.master.ingest([hub.master.record(anna, "2", named("Annika"))])
        assert hub.person(anna, "names", known=before.isoformat()).json()["names"][0]["given"] == "Anna"
        assert hub.person(anna, "names", known="2026-03-04T09:00:00+01:00").json()["names"][0]["given"] == "Annika"
        assert hub.person(anna, "names", known="2026-03-01T00:00:00Z").status_code == 404

    def test_known_by_an_old_id_is_about_the_person_that_had_it_then(self, hub: Hub, persons: Persons) -> None:
        old, new = persons(1), persons(2)
        hub.master.ingest([hub.master.record(new, "1", *post("Anna"))])
        known = hub.master.clock.now().isoformat()
        hub.master.clock.instant += dt.timedelta(days=1)
        hub.master.ingest([hub.master.record(new, "2", new.refers(old))])
        then = hub.person(new, "open", known=known)
        assert (then.status_code, then.json()["id"]) == (200, new.id)
        assert hub.person(old, "open", known=known).status_code == 404
        hub.master.ingest([hub.master.record(old, "1", Protection(sekretessmarkering=True))])
        assert "Anna" not in hub.person(new, "open", known=known).text

    @pytest.mark.parametrize(
        "query",
        [
            {"valid": "2026-02-28"},
            {"known": "2026-03-02T09:00:00Z"},
            {"valid": "2026-02-28", "known": "2026-03-02T09:00:00Z"},
        ],
    )
    def test_todays_marking_holds_for_old_dates_and_old_knowledge(
        self, hub: Hub, anna: Someone, query: dict[str, str]
    ) -> None:
        assert "Anna" in hub.person(anna, "open", **query).text
        hub.master.clock.instant += dt.timedelta(days=2)
        hub.master.ingest([hub.master.record(anna, "2", Protection(sekretessmarkering=True))])
        answer = hub.person(anna, "open", **query)
        assert answer.json()["restricted"] is True
        assert "Anna" not in answer.text
        assert hub.person(anna, "nothing", **query).status_code == 404
        assert "Annagatan" in hub.person(anna, "cleared", **query).text

    def test_under_skyddad_folkbokforing_even_the_cleared_get_no_earlier_address(self, hub: Hub, anna: Someone) -> None:
        hub.master.clock.instant += dt.timedelta(days=2)
        forwarding = Claim(SpecialAddress(PostalAddress("", "Förmedling 1", "", "17180", "Solna")), dt.date(2026, 3, 4))
        hub.master.ingest([hub.master.record(anna, "2", Protection(skyddad_folkbokforing=True), forwarding)])
        for query in ({}, {"valid": "2025-01-01"}, {"known": "2026-03-02T09:00:00Z"}):
            assert "Annagatan" not in hub.person(anna, "cleared", **query).text
        assert "Förmedling 1" in hub.person(anna, "cleared").text

    def test_a_relation_to_somebody_who_is_marked_today_is_left_out_of_what_was_known(
        self, hub: Hub, persons: Persons
    ) -> None:
        guardian, child = persons(1), persons(2)
        hub.master.ingest(
            [
                hub.master.record(guardian, "1", *post("Bo", guardian_of(child))),
                hub.master.record(child, "1", *post("Cia")),
            ]
        )
        known = hub.master.clock.now().isoformat()
        assert child.id in hub.person(guardian, "open", known=known).text
        hub.master.clock.instant += dt.timedelta(days=1)
        hub.master.ingest([hub.master.record(child, "2", Protection(sekretessmarkering=True))])
        for query in ({}, {"known": known}):
            assert child.id not in hub.person(guardian, "open", **query).text
            assert child.id in hub.person(guardian, "cleared", **query).text

    def test_what_was_known_by_mistake_opens_nothing_now(self, hub: Hub, anna: Someone, persons: Persons) -> None:
        """HR had the employment under the wrong number: whoever reads employees may not know of Anna any more."""
        known = hub.master.clock.now().isoformat()
        assert hub.person(anna, "staff", known=known).status_code == 200
        hub.master.clock.instant += dt.timedelta(days=1)
        bo = persons(2)
        hub.master.ingest([hub.master.record(bo, "1", *post("Bo"))])
        hired(hub, bo, version="2")
        assert hub.person(anna, "staff").status_code == 404
        assert hub.person(anna, "staff", known=known).status_code == 404
        assert hub.person(anna, "open", known=known).status_code == 200

    @pytest.mark.parametrize(
        "query",
        [
            {"known": "2026-03-02T09:00:00"},
            {"known": "yesterday"},
            {"valid": "2026-02-30"},
            {"valid": "x"},
        ],
    )
    def test_a_date_of_the_wrong_form_is_named_by_its_field(
        self, hub: Hub, anna: Someone, query: dict[str, str]
    ) -> None:
        answer = hub.person(anna, "open", **query)
        assert (answer.status_code, answer.json()["code"]) == (422, "input.invalid")
        [(name, value)] = query.items()
        assert f"query.{name}" in answer.json()["detail"]
        assert value not in answer.text

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_the_ends_of_time_are_dates_too(self, hub: Hub, anna: Someone, moment: str) -> None:
        assert hub.person(anna, "open", known=moment).status_code in (200, 404)
        assert hub.person(anna, "open", valid=moment[:10]).status_code == 200


class TestConditional:
    def test_a_reader_that_has_the_bytes_gets_none(self, hub: Hub, anna: Someone) -> None:
        first = hub.person(anna, "open")
        etag = first.headers["etag"]
        for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = hub.get(f"/v1/persons/{anna.id}", "open", headers={"If-None-Match": given})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        other = hub.get(f"/v1/persons/{anna.id}", "open", headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content)

    def test_the_etag_changes_with_the_answer_and_with_nothing_else(self, hub: Hub, anna: Someone) -> None:
        names, everything = hub.person(anna, "names"), hub.person(anna, "open")
        hub.master.clock.instant += dt.timedelta(days=1)
        hub.master.ingest([hub.master.record(anna, "2", living("Nygatan 2"))])
        assert hub.person(anna, "names").headers["etag"] == names.headers["etag"]
        assert hub.person(anna, "open").headers["etag"] != everything.headers["etag"]

    def test_no_one_on_the_way_keeps_an_answer(self, hub: Hub, anna: Someone) -> None:
        for answer in (hub.person(anna, "open"), hub.person(str(uuid.uuid4()), "open"), hub.person(anna, "")):
            assert answer.headers["cache-control"] == "no-store"


class TestIdentifiers:
    @pytest.mark.parametrize("change", [lambda n: n[2:], lambda n: f"{n[2:8]}-{n[8:]}"])
    def test_ten_digits_are_ambiguous(self, hub: Hub, anna: Someone, change: Callable[[str], str]) -> None:
        answer = hub.search(change(anna.identifier.value), "open")
        assert (answer.status_code, answer.json()["code"]) == (422, "identifier.ambiguous")

    def test_a_pupil_with_a_tf_number_is_found_by_number_and_school_organiser_and_by_neither_alone(
        self, hub: Hub
    ) -> None:
        pupil = Someone(Identifier(IdentifierType.TF, "20130101TF01", "kommun"))
        enrolled = Enrolment("kommun", "EN1", "GR", (Segment(dt.date(2026, 1, 1)),))
        hub.master.ingest([hub.master.record(pupil, "1", enrolled, source="school", key="enrolment:kommun:EN1")])
        number = pupil.identifier.value
        assert hub.search(number, "open", issuer="kommun").json()["id"] == pupil.id
        elsewhere, nowhere = hub.search(number, "open", issuer="bolag"), hub.search(number, "open")
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "resource.unknown")
        assert (nowhere.status_code, nowhere.json()["code"]) == (422, "identifier.ambiguous")
        assert number not in elsewhere.text + nowhere.text

    @pytest.mark.parametrize(
        "change",
        [
            lambda n: n[:-1] + str((int(n[-1]) + 1) % 10),
            lambda n: n + "\n",
            lambda n: n[:-1] + "\u0660",
            lambda n: n[:-1],
            lambda n: "\0" * 12,
            lambda n: "",
            lambda n: n * 2,
            lambda n: "Canaryfamily",
        ],
    )
    def test_what_is_no_identifier_is_refused_and_not_repeated(
        self, hub: Hub, anna: Someone, change: Callable[[str], str], caplog: pytest.LogCaptureFixture
    ) -> None:
        number = change(anna.identifier.value)
        answer = hub.search(number, "open")
        assert answer.status_code == 422
        assert answer.json()["code"] in ("identifier.invalid", "input.invalid")
        assert len(number) < 2 or number not in answer.text + caplog.text

    def test_an_identifier_in_the_address_finds_nobody_and_is_kept_nowhere(
        self, hub: Hub, anna: Someone, caplog: pytest.LogCaptureFixture
    ) -> None:
        number = anna.identifier.value
        answer = hub.get(f"/v1/persons/{number}", "open")
        assert answer.status_code == 422
        ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
        assert not any(number in line for line in (*ours, answer.text, hub.get("/metrics").text))


def test_an_address_that_moves_is_read_at_once(hub: Hub, anna: Someone) -> None:
    moved = Claim(RegisteredAddress(PostalAddress("", "Nygatan 2", "", "01234", "Ort"), "2281"), dt.date(2026, 3, 1))
    hub.master.ingest([hub.master.record(anna, "2", moved)])
    answer = hub.person(anna, "open").json()
    assert [one["address"]["street"] for one in answer["registered_addresses"]] == ["Nygatan 2"]
