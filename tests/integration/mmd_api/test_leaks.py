"""A marked person's canaries are in no answer, header, log line or measurement of any reader that is not cleared."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import httpx
import pytest

from deploy.replay.hidden import holds_text
from streams.contracts.claims import AgreedName, Birth, Employment, Protection, Registration, Segment, WorkContact
from tests.integration.mmd.conftest import START, Someone
from tests.integration.mmd_api.hub import UNCLEARED, Hub, guardian_of, living, named, post, ward_of

Persons = Callable[[int], Someone]
CANARIES = ("Canarygiven", "Canaryfamily", "Canarystreet", "Canaryphone", "1979-07-07")
TOKEN_WORDS = ("sekretess", "skyddad", "marking", "protection")


@pytest.fixture(params=[Protection(sekretessmarkering=True), Protection(skyddad_folkbokforing=True), None], ids=str)
def family(request: pytest.FixtureRequest, hub: Hub, persons: Persons) -> tuple[Someone, Someone, Someone]:
    """A protected parent with a partner and a child; None: nobody has said whether the parent is protected."""
    parent, child, partner = persons(1), persons(2), persons(3)
    body = (
        named("Canarygiven", "Canaryfamily"),
        Birth("1979-07-07"),
        living("Canarystreet 7"),
        Registration(),
        guardian_of(child),
    )
    hub.master.ingest(
        [
            hub.master.record(parent, "1", *body, *([request.param] if request.param else [])),
            hub.master.record(child, "1", *post("Cia", ward_of(parent, partner))),
            hub.master.record(partner, "1", *post("Bo", guardian_of(child))),
        ]
    )
    segment = Segment(START.date(), None, "unit:kommun:1", "Lärare")
    employment = Employment("kommun", "E1", (segment,))
    hr = (employment, AgreedName("Lärare A"), WorkContact("Canaryphone"))
    hub.master.ingest([hub.master.record(parent, "1", *hr, source="hr", key="E1")])
    return parent, child, partner


def everything(hub: Hub, client: str, family: tuple[Someone, Someone, Someone]) -> Iterator[httpx.Response]:
    """Whatever a client can ask, in good form and in bad."""
    for one in family:
        number = one.identifier.value
        yield hub.person(one, client)
        yield hub.person(one, client, valid="2021-01-01")
        yield hub.person(one, client, known=START.isoformat())
        yield hub.search(number, client)
        yield hub.search(f"{number}x", client)
        yield hub.prefill(number, client)
        as_json = {"Content-Type": "application/json"}
        yield hub.request("POST", "/v1/persons/search", client, content=f'{{"{number}"', headers=as_json)
        yield hub.request(
            "POST", "/v1/persons/search", client, json={"identifier": number, "Canarygiven": "Canarystreet"}
        )
        yield hub.get(f"/v1/persons/{number}", client)
    yield hub.changes(client, limit=1000)
    yield hub.get("/v1/units/unit:kommun:1", client)


def test_nothing_of_a_protected_person_leaves(
    hub: Hub, family: tuple[Someone, Someone, Someone], caplog: pytest.LogCaptureFixture
) -> None:
    parent = family[0]
    with caplog.at_level(logging.DEBUG):
        answers = [answer for client in UNCLEARED for answer in everything(hub, client, family)]
        answers.append(hub.get("/metrics"))
        with hub.without("disclosure"):
            answers += everything(hub, "open", family)
    assert {200, 400, 403, 404, 422, 500} <= {answer.status_code for answer in answers}
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    sent = "\n".join(
        [*(f"{answer.headers}\n{answer.text}" for answer in answers), *lines, repr(hub.read_log())]
    ).encode()
    for canary in (*CANARIES, parent.identifier.value):
        assert not holds_text(sent, canary), canary
    for word in TOKEN_WORDS:
        assert word.encode() not in sent.lower(), word


def test_of_those_around_a_protected_person_no_number_is_in_a_log_or_measurement(
    hub: Hub, family: tuple[Someone, Someone, Someone], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for client in (*UNCLEARED, "cleared"):
            list(everything(hub, client, family))
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    kept = "\n".join([*lines, hub.get("/metrics").text, repr(hub.read_log())]).encode()
    assert not [one.id for one in family if holds_text(kept, one.identifier.value)]


def test_the_search_finds_what_a_cleared_reader_is_answered(
    hub: Hub, family: tuple[Someone, Someone, Someone], caplog: pytest.LogCaptureFixture
) -> None:
    """A planted leak: what the search above looks for is there to be found."""
    sent = "\n".join(answer.text for answer in everything(hub, "cleared", family)).encode()
    assert all(holds_text(sent, canary) for canary in ("Canarygiven", "Canaryfamily", "Canaryphone", "1979-07-07"))
