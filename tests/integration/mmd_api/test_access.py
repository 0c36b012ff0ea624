"""Who may read: a valid token, a release in force, and one that is named where the client has several."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import pytest

from streams.contracts.claims import UnitName, UnitNode, UnitParent, UnitPeriod, UnitStructure
from tests.integration.mmd.conftest import Someone
from tests.integration.mmd_api.hub import SINCE, Hub, guardian_of, post
from tests.integration.mmd_api.test_persons import hired

Persons = Callable[[int], Someone]
WITH_TOKEN = [
    ("GET", "/v1/persons/no-id", None),
    ("POST", "/v1/persons/search", {"identifier": "x"}),
    ("GET", "/v1/units/unit:kommun:1", None),
    ("POST", "/v1/prefill/preschool-place", {"identifier": "x"}),
    ("GET", "/v1/changes", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WITH_TOKEN)
def test_without_a_valid_token_there_is_nothing(hub: Hub, method: str, path: str, body: dict[str, str] | None) -> None:
    """Not even whether what was asked has the right form."""
    bare = hub.request(method, path, json=body)
    assert (bare.status_code, bare.json()["code"]) == (401, "access.unauthenticated")
    assert bare.headers["www-authenticate"] == "Bearer"
    ended = hub.issuer.token("open", exp=int(time.time()) - 60)
    for sent in ("Bearer x", "Bearer ", f"Bearer {ended}", "Basic eDp5", "Bearer å", hub.token("open")):
        refused = hub.request(method, path, json=body, headers={"Authorization": sent})
        assert (refused.status_code, refused.json()["code"]) == (401, "access.unauthenticated")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert sent not in refused.text


@pytest.mark.parametrize(("method", "path", "body"), WITH_TOKEN)
@pytest.mark.parametrize("client", ["none", "unheard-of", "ended", "planned"])
def test_a_client_without_a_release_in_force_gets_nothing(
    hub: Hub, client: str, method: str, path: str, body: dict[str, str] | None
) -> None:
    refused = hub.request(method, path, client, json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.denied")


def test_a_release_holds_from_its_first_day_to_its_last(hub: Hub, persons: Persons) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    hub.master.clock.instant = dt.datetime(2026, 3, 1, 22, 59, 59, tzinfo=dt.UTC)  # the last second in Sweden
    assert hub.person(anna, "ended").status_code == 200
    hub.master.clock.instant += dt.timedelta(seconds=1)
    assert hub.person(anna, "ended").status_code == 403
    hub.master.clock.instant = dt.datetime(2026, 3, 2, 22, 59, 59, tzinfo=dt.UTC)
    assert hub.person(anna, "planned").status_code == 403
    hub.master.clock.instant += dt.timedelta(seconds=1)
    assert hub.person(anna, "planned").status_code == 200


def test_a_client_with_several_releases_names_one(hub: Hub, persons: Persons) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    path = f"/v1/persons/{anna.id}"
    unnamed = hub.get(path, "many")
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "input.missing")
    assert unnamed.json()["detail"] == "header.Kallan-Release"
    assert hub.get(path, "many", release="names").content == hub.person(anna, "names").content
    assert hub.get(path, "many", release="open").content == hub.person(anna, "open").content


@pytest.mark.parametrize("named", ["cleared", "unheard-of", "open,names", " "])
def test_a_release_that_is_not_the_clients_is_refused(hub: Hub, named: str) -> None:
    for client in ("many", "names"):
        answer = hub.get("/v1/changes", client, release=named)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.denied")


def test_token_life_is_real_time_also_when_the_business_clock_stands_elsewhere(hub: Hub) -> None:
    hub.master.clock.instant = dt.datetime(2090, 1, 1, tzinfo=dt.UTC)
    assert hub.changes("open").status_code == 200


def test_another_method_on_a_known_address_is_refused(hub: Hub) -> None:
    for method, path in (("PUT", "/v1/changes"), ("DELETE", "/v1/units/unit:kommun:1"), ("POST", "/health")):
        answer = hub.request(method, path, "open")
        assert (answer.status_code, answer.json()["code"]) == (405, "request.method-not-allowed")
        assert answer.headers["allow"] == "GET"


class TestUnits:
    @pytest.fixture(autouse=True)
    def _tree(self, hub: Hub) -> None:
        """1 with 11 below it until the end of March, then 11 is below 2."""
        moved = (
            UnitParent("unit:kommun:1", SINCE, dt.date(2026, 3, 31)),
            UnitParent("unit:kommun:2", dt.date(2026, 4, 1)),
        )
        for number, parents in (("1", ()), ("2", ()), ("11", moved)):
            claims = (UnitNode((UnitPeriod(SINCE),)), UnitStructure(parents), UnitName())
            hub.master.ingest([hub.master.record(f"unit:kommun:{number}", "1", *claims, source="org")])

    def test_a_unit_is_read_by_its_key(self, hub: Hub) -> None:
        answer = hub.get("/v1/units/unit:kommun:11", "names")
        assert (answer.status_code, answer.json()["id"]) == (200, "unit:kommun:11")
        again = hub.get("/v1/units/unit:kommun:11", "names", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304

    def test_a_release_for_one_unit_covers_no_other(self, hub: Hub) -> None:
        assert hub.get("/v1/units/unit:kommun:1", "unit").status_code == 200
        hidden, unknown = hub.get("/v1/units/unit:kommun:11", "unit"), hub.get("/v1/units/unit:kommun:99", "unit")
        assert hidden.status_code == 404
        assert (hidden.content, hidden.headers) == (unknown.content, unknown.headers)

    def test_a_release_for_a_subtree_covers_what_is_below_it_today(self, hub: Hub, persons: Persons) -> None:
        anna = persons(1)
        hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
        hired(hub, anna)
        assert hub.get("/v1/units/unit:kommun:11", "subtree").status_code == 200
        assert hub.person(anna, "subtree").status_code == 200
        assert hub.person(anna, "unit").status_code == 404
        hub.master.clock.instant = dt.datetime(2026, 4, 1, 8, tzinfo=dt.UTC)
        assert hub.get("/v1/units/unit:kommun:11", "subtree").status_code == 404
        assert hub.person(anna, "subtree").status_code == 404

    def test_of_a_persons_roles_only_those_in_the_subtree_are_shown(self, hub: Hub, persons: Persons) -> None:
        anna = persons(1)
        hub.master.ingest([hub.master.record(anna, "1", *post("Anna", guardian_of(persons(2))))])
        hub.master.ingest([hub.master.record(persons(2), "1", *post("Cia"))])
        hired(hub, anna)
        assert {one["type"] for one in hub.person(anna, "open").json()["personas"]} == {"employee", "guardian"}
        assert {one["type"] for one in hub.person(anna, "subtree").json()["personas"]} == {"employee"}

    @pytest.mark.parametrize("key", ["%00", "unit%00", "%0a", "x" * 201])
    def test_a_key_of_the_wrong_form_is_refused(self, hub: Hub, key: str) -> None:
        answer = hub.get(f"/v1/units/{key}", "open")
        assert (answer.status_code, answer.json().get("detail")) == (422, "path.key")
