"""Protected identity in Navet posts: read first, and never read as less than it is."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.posts import Alarm, Item, Post, Reject
from streams.contracts.claims import Marking, Protection, SourceRecord
from streams.contracts.testnumbers import test_number

Read = Callable[..., list[Item]]
NUMBER = test_number(dt.date(1979, 3, 5), "male")


def spoken(items: list[Item]) -> Protection | None:
    records = [item.record for item in items if isinstance(item, Post)]
    records += [item.spoken for item in items if isinstance(item, Reject) and item.spoken is not None]
    found = [claim.body for record in records for claim in record.claims if isinstance(claim.body, Protection)]
    assert len(found) <= 1
    return found[0] if found else None


def post(**marks: Any) -> dict[str, Any]:
    return {"PersonNr": NUMBER, "Fornamn": "Per", "Efternamn": "Holm"} | marks


@pytest.mark.parametrize(
    ("marks", "marking"),
    [
        ({"Sekretessmarkering": "J"}, Marking.SEKRETESSMARKERING),
        ({"SkyddadFolkbokforing": "J"}, Marking.SKYDDAD_FOLKBOKFORING),
        ({"Sekretessmarkering": "J", "SkyddadFolkbokforing": "J"}, Marking.SKYDDAD_FOLKBOKFORING),
        ({"Sekretessmarkering": "N", "SkyddadFolkbokforing": "J"}, Marking.SKYDDAD_FOLKBOKFORING),
        ({"Sekretessmarkering": "N", "SkyddadFolkbokforing": "N"}, Marking.NONE),
        ({"Sekretessmarkering": ""}, Marking.NONE),
        ({"Sekretessmarkering": "j"}, Marking.SEKRETESSMARKERING),
        ({"SkyddadFolkbokforing": "1"}, Marking.SEKRETESSMARKERING),
        ({"Sekretessmarkering": "?"}, Marking.SEKRETESSMARKERING),
    ],
)
def test_each_token_has_one_meaning_and_an_unknown_one_counts_as_raised(
    read: Read, marks: dict[str, str], marking: Marking
) -> None:
    found = spoken(read("navet", [post(**marks)]))
    assert found is not None
    assert found.marking is marking


@pytest.mark.parametrize(
    "marks", [{}, {"Sekretessmarkering": None}, {"Sekretessmarkering": None, "SkyddadFolkbokforing": None}]
)
def test_absent_and_nil_say_nothing_in_a_delta(read: Read, marks: dict[str, None]) -> None:
    assert spoken(read("navet", [post(**marks)])) is None


def test_a_total_post_without_the_elements_has_spoken(read: Read) -> None:
    assert spoken(read("navet", [post(totalpost=True)])) == Protection()


def test_an_unknown_token_for_total_is_not_total(read: Read) -> None:
    now = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
    content = file_bytes([post(totalpost=True)], FileHeader(1), now).replace(b'totalpost="J"', b'totalpost="kanske"')
    assert spoken(read("navet", content)) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"Fodelsedatum": "1979"},
        {"Fodelsedatum": "19791399"},
        {"Fornamn": "x" * 5000},
        {"HanvisningsPersonNr": "197903050000"[:11] + "1"},
        {"andringstidpunkt": None},
    ],
)
def test_the_marking_of_a_rejected_post_is_still_sent(read: Read, broken: dict[str, Any]) -> None:
    items = read("navet", [post(Sekretessmarkering="J", **broken)])
    assert [item for item in items if isinstance(item, Reject)]
    found = spoken(items)
    assert found is not None
    assert found.sekretessmarkering


def test_a_marked_post_that_names_no_person_alarms(read: Read) -> None:
    items = read("navet", [post(Sekretessmarkering="J") | {"PersonNr": None}])
    assert [item.code for item in items if isinstance(item, Reject)] == ["input.missing"]
    assert Alarm("identifier.invalid", "a marked post names no person") in items


def test_the_protection_claim_comes_first_in_the_record(read: Read) -> None:
    record: SourceRecord = next(
        item.record for item in read("navet", [post(Sekretessmarkering="J")]) if isinstance(item, Post)
    )
    assert record.claims[0].kind == "protection"
