"""Traps found in public code that reads the population register (facts 2.13), each by its number."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.posts import Item, Post, Reject
from streams.contracts.claims import Body, Protection, RegisteredAddress, Registration
from streams.contracts.testnumbers import test_number

Read = Callable[..., list[Item]]
NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
NUMBER = test_number(dt.date(1992, 9, 9), "female")
POST: dict[str, Any] = {"PersonNr": NUMBER, "Fornamn": "Ida", "Efternamn": "Berg", "totalpost": True}


def bodies(items: list[Item]) -> list[Body]:
    return [claim.body for item in items if isinstance(item, Post) for claim in item.record.claims]


def test_trap_1_skyddad_folkbokforing_alone_is_seen(read: Read) -> None:
    assert Protection(skyddad_folkbokforing=True) in bodies(read("navet", [POST | {"SkyddadFolkbokforing": "J"}]))


def test_trap_2_a_marking_that_is_no_longer_there_is_told_in_a_newer_record(read: Read) -> None:
    marked, plain = (
        POST | {"Sekretessmarkering": "J", "andringstidpunkt": "20250101080000"},
        POST | {"andringstidpunkt": "20250601080000"},
    )
    first, second = (item.record for item in read("navet", [marked, plain]) if isinstance(item, Post))
    assert first.claims[0].body == Protection(sekretessmarkering=True)
    assert second.claims[0].body == Protection()
    assert first.version < second.version


def test_trap_3_a_look_up_that_finds_nobody_says_nothing(read: Read) -> None:
    empty = b"<Navetavisering><Folkbokforingsposter/></Navetavisering>"
    assert bodies(read("navet", empty)) == []


def test_trap_4_xml_is_read_as_xml_whatever_its_prefixes_comments_and_cdata(read: Read) -> None:
    plain = file_bytes([POST | {"Sekretessmarkering": "J"}], FileHeader(1), NOW)
    odd = (
        plain.replace(
            b"<Efternamn>Berg</Efternamn>", b"<!-- </Folkbokforingspost> --><Efternamn><![CDATA[Berg]]></Efternamn >"
        )
        .replace(b"<Folkbokforingsposter>", b'<n:Folkbokforingsposter xmlns:n="urn:x" a="&gt;">')
        .replace(b"</Folkbokforingsposter>", b"</n:Folkbokforingsposter>")
        .replace(b"<Sekretessmarkering>J</", b"<Sekretessmarkering>\n <!-- N -->J\n</")
    )
    assert bodies(read("navet", odd)) == bodies(read("navet", plain))


def test_trap_5_a_nil_date_of_deregistration_is_no_date_and_no_error(read: Read) -> None:
    post = POST | {"AvregistreringsorsakKod": "AV", "Avregistreringsdatum": None}
    assert Registration("AV") in bodies(read("navet", [post]))


def test_trap_6_the_order_and_the_organisation_stand_in_their_own_places() -> None:
    root = etree.fromstring(file_bytes([POST], FileHeader(1, order="00000236-FO01-0042"), NOW))
    assert root.findtext(".//Filinformation/BestallningsId") == "00000236-FO01-0042"
    assert root.findtext(".//Mediemottagare/OrgNr") == "162120000000"


@pytest.mark.parametrize("source", ["navet", "hr"])
def test_trap_7_ten_digits_are_never_guessed_into_a_person(read: Read, source: str) -> None:
    row = {"personNumber": NUMBER[2:], "employmentId": "E1", "startDate": "2020-01-01", "orgId": "1"}
    items = read(source, [POST | {"PersonNr": NUMBER[2:]} if source == "navet" else row])
    assert [item.code for item in items if isinstance(item, Reject)] == ["identifier.ambiguous"]


def test_trap_8_an_unknown_code_of_deregistration_is_passed_on_as_it_is(read: Read) -> None:
    post = POST | {"AvregistreringsorsakKod": "FI", "Avregistreringsdatum": "20251001"}
    assert Registration("FI", "2025-10-01") in bodies(read("navet", [post]))


@pytest.mark.parametrize(
    ("written", "read_as"), [("1234", "01234"), ("01234", "01234"), (99910, "99910"), ("0", "00000")]
)
def test_trap_9_a_postal_code_is_text_of_five_digits(read: Read, written: object, read_as: str) -> None:
    address = {"Utdelningsadress2": "Gatan 1", "PostNr": written, "Postort": "ORT"}
    found = [
        b for b in bodies(read("navet", [POST | {"Folkbokforingsadress": address}])) if isinstance(b, RegisteredAddress)
    ]
    assert [body.address.postal_code for body in found] == [read_as]


def test_trap_11_the_default_of_an_element_fills_it_in_only_where_it_is_present_and_empty(read: Read) -> None:
    delta = POST | {"totalpost": False}
    assert Protection() in bodies(read("navet", [delta | {"Sekretessmarkering": ""}]))
    assert not [body for body in bodies(read("navet", [delta])) if isinstance(body, Protection)]
