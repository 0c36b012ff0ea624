"""The change feed over HTTP: a sequence of each release's own, a notice only where that reader's answer changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from streams.contracts.claims import Protection, UnitName, UnitNode, UnitParent, UnitPeriod, UnitStructure
from tests.integration.mmd.conftest import Someone
from tests.integration.mmd_api.hub import SINCE, Hub, living, named, post
from tests.integration.mmd_api.test_persons import hired

Persons = Callable[[int], Someone]


class Following:
    """A client that goes on from its cursor and reads again what it is told of."""

    def __init__(self, hub: Hub, client: str) -> None:
        self.hub = hub
        self.client = client
        self.cursor = ""
        self.held: dict[str, bytes] = {}
        self.unknown = hub.person("00000000-0000-8000-8000-000000000000", client).content

    def more(self, limit: int = 100) -> list[tuple[str, str]]:
        page = self.hub.changes(self.client, self.cursor, limit=limit).json()
        self.cursor = page["cursor"]
        for change in page["changes"]:
            self.held[change["id"]] = self.hub.person(change["id"], self.client).content
        return [(change["id"], change["change"]) for change in page["changes"]]


def test_a_reader_that_follows_the_feed_holds_what_it_would_be_answered(hub: Hub, persons: Persons) -> None:
    everybody = [persons(n) for n in range(4)]
    readers = [Following(hub, client) for client in ("open", "names", "staff", "nothing", "cleared")]
    hub.master.ingest([hub.master.record(one, "1", *post("Anna")) for one in everybody[:3]])
    steps: list[Callable[[], object]] = [
        lambda: hired(hub, everybody[0]),
        lambda: hub.master.ingest([hub.master.record(everybody[1], "2", Protection(sekretessmarkering=True))]),
        lambda: hub.master.ingest([hub.master.record(everybody[0], "2", living("Nygatan 2"))]),
        lambda: hub.master.ingest(
            [hub.master.record(everybody[3], "1", *post("Bo"), everybody[3].refers(everybody[2]))]
        ),
        lambda: hub.master.ingest([hub.master.record(everybody[0], "3", Protection(skyddad_folkbokforing=True))]),
    ]
    for step in steps:
        step()
        for reader in readers:
            reader.more()
            for one in everybody:
                answer = hub.person(one, reader.client)
                own_id = answer.json().get("id", one.id)  # an id that was an alias before the reader heard of it
                assert answer.content == reader.held.get(own_id, reader.unknown)


def test_what_does_not_touch_a_readers_answer_gives_it_no_notice_and_no_gap(hub: Hub, persons: Persons) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    names, everything = Following(hub, "names"), Following(hub, "open")
    assert names.more() == everything.more() == [(anna.id, "person")]
    before = names.cursor
    hub.master.ingest([hub.master.record(anna, "2", living("Nygatan 2"))])
    assert (names.more(), names.cursor) == ([], before)
    assert everything.more() == [(anna.id, "person")]


def test_the_same_thing_said_again_gives_no_notice_also_when_something_hidden_changes_later(
    hub: Hub, persons: Persons
) -> None:
    """The stamp of the confirmation is newer, and the document is looked at again for another reason: a notice now would
    tell the reader that something happened which it may not see."""
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    reader = Following(hub, "names")
    reader.more()
    hub.master.ingest([hub.master.record(anna, "2", named("Anna"))])
    assert reader.more() == []
    hub.master.ingest([hub.master.record(anna, "3", living("Nygatan 2"))])
    assert reader.more() == []


def test_a_new_marking_is_gone_for_those_who_may_not_know(hub: Hub, persons: Persons) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    blind, cleared = Following(hub, "nothing"), Following(hub, "cleared")
    blind.more(), cleared.more()
    hub.master.ingest([hub.master.record(anna, "2", Protection(sekretessmarkering=True))])
    assert blind.more() == [(anna.id, "gone")]
    assert cleared.more() == [(anna.id, "person")]


def test_when_a_unit_moves_below_another_its_people_come_into_the_subtrees_feed(hub: Hub, persons: Persons) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    hired(hub, anna)
    reader = Following(hub, "subtree")

    def placed(version: str, parent: str) -> None:
        structure = UnitStructure((UnitParent(parent, SINCE),))
        claims = (UnitNode((UnitPeriod(SINCE),)), UnitName(), structure)
        hub.master.ingest([hub.master.record("unit:kommun:11", version, *claims, source="org")])

    placed("1", "unit:kommun:2")
    assert reader.more() == []
    placed("2", "unit:kommun:1")
    assert set(reader.more()) == {(anna.id, "person"), ("unit:kommun:11", "unit")}
    placed("3", "unit:kommun:2")
    assert set(reader.more()) == {(anna.id, "gone"), ("unit:kommun:11", "gone")}


def test_when_the_day_comes_on_which_a_unit_moves_the_subtrees_feed_hears_of_it(hub: Hub, persons: Persons) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    hired(hub, anna)
    parents = (
        UnitParent("unit:kommun:1", SINCE, dt.date(2026, 3, 31)),
        UnitParent("unit:kommun:2", dt.date(2026, 4, 1)),
    )
    claims = (UnitNode((UnitPeriod(SINCE),)), UnitName(), UnitStructure(parents))
    hub.master.ingest([hub.master.record("unit:kommun:11", "1", *claims, source="org")])
    reader = Following(hub, "subtree")
    assert (anna.id, "person") in reader.more()
    hub.master.clock.instant = dt.datetime(2026, 4, 1, 8, tzinfo=dt.UTC)
    assert (anna.id, "gone") in reader.more()


def test_pages_go_on_and_tell_whether_there_are_more(hub: Hub, persons: Persons) -> None:
    hub.master.ingest([hub.master.record(persons(n), "1", *post("Anna")) for n in range(5)])
    first = hub.changes("open", limit=3).json()
    second = hub.changes("open", first["cursor"], limit=3).json()
    assert (len(first["changes"]), first["more"]) == (3, True)
    assert (len(second["changes"]), second["more"]) == (2, False)
    assert len({one["id"] for one in first["changes"] + second["changes"]}) == 5


@pytest.mark.parametrize("cursor", ["x", "AAAA", "\0", "å" * 40, "=" * 500])
def test_a_cursor_that_was_not_given_is_refused(hub: Hub, cursor: str) -> None:
    answer = hub.changes("open", cursor)
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor.invalid")
    assert len(cursor) < 2 or cursor not in answer.text


def test_a_cursor_of_another_release_is_refused_also_to_a_client_that_has_both(hub: Hub) -> None:
    cursor = hub.changes("names").json()["cursor"]
    assert hub.changes("open", cursor).json()["code"] == "cursor.invalid"
    as_names = hub.get("/v1/changes", "many", release="names", params={"cursor": cursor})
    as_open = hub.get("/v1/changes", "many", release="open", params={"cursor": cursor})
    assert (as_names.status_code, as_open.status_code) == (200, 400)


@pytest.mark.parametrize("limit", [0, -1, 1001, "many"])
def test_a_page_has_a_sensible_size(hub: Hub, limit: object) -> None:
    answer = hub.changes("open", limit=limit)
    assert (answer.status_code, answer.json()["detail"]) == (422, "query.limit")
