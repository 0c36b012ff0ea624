"""Bad requests are answered with a problem document that repeats nothing, and the next good one is answered as ever."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streams.contracts.errors import TEXTS
from streams.keys import MemoryKeyRing
from tests.integration.hostile.requests import ASCII_CANARY, BadRequest, bad_requests, forged, tokens
from tests.integration.mmd.conftest import Master, someone
from tests.integration.mmd_api.hub import Hub, post
from tests.unit.hostile.case import CANARY
from tests.unit.hostile.mutations import EVERY_RUN, run
from tests.unit.mmd_api.issuing import Issuer, now

ANNA = someone(1)
GOOD_PATHS = (f"/v1/persons/{ANNA.id}", "/v1/changes", "/v1/units/unit:kommun:1", "/health", "/ready", "/metrics")


@pytest.fixture(scope="module")
def hub(one_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    master = Master(one_database, MemoryKeyRing(), size=4)
    master.ingest([master.record(ANNA, "1", *post("Anna"))])
    made = Hub(master, Issuer(tmp_path_factory.mktemp("issuer")))
    yield made
    made.close()
    master.close()


def ours(caplog: pytest.LogCaptureFixture) -> str:
    """What this side logged: the client of the tests tells addresses."""
    return "\n".join(one.getMessage() for one in caplog.records if not one.name.startswith(("httpx", "httpcore")))


def refused(answer: httpx.Response, caplog: pytest.LogCaptureFixture) -> str:
    """The code of a problem document, which tells nothing of what was sent, nor does the log."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    code = str(found["code"])
    assert (answer.status_code, found["status"]) == (TEXTS[code].status, TEXTS[code].status)
    assert (found["title"], found["title_sv"]) == (TEXTS[code].en, TEXTS[code].sv)
    for text in (CANARY, ASCII_CANARY):
        assert text not in answer.text
        assert text not in str(answer.headers)
        assert text not in ours(caplog)
    return code


@pytest.mark.parametrize("bad", bad_requests(), ids=str)
def test_a_bad_request_is_refused_with_a_code_and_nothing_is_repeated(
    hub: Hub, bad: BadRequest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = bad.path.replace("{person}", ANNA.id)
    answer = hub.request(bad.method, path, "open", headers=bad.headers, content=bad.content)
    if bad.code:
        assert refused(answer, caplog) == bad.code
    else:
        assert answer.status_code == 200
        assert ASCII_CANARY not in answer.text + str(answer.headers) + ours(caplog)
    assert hub.person(ANNA, "open").status_code == 200


def test_no_forged_token_opens_anything(hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    given_tokens = forged(hub.issuer, Issuer(tmp_path, kid=str(hub.issuer.key.kid)), now())
    sent = tokens(hub.token("open")) | {name: f"Bearer {token}" for name, token in given_tokens.items()}
    for (name, text), path in itertools.product(sent.items(), GOOD_PATHS[:3]):
        answer = hub.request("GET", path, headers={"Authorization": text})
        assert refused(answer, caplog) == "access.unauthenticated", name
        assert text not in ours(caplog)


_tails = st.text(st.characters(codec="ascii", exclude_characters="#"), max_size=40)
_paths = st.sampled_from(
    (*GOOD_PATHS, "/v1/persons/search", "/v1/prefill/preschool-place", "/v1/persons/", "/v1/units/")
)
_bodies = st.binary(max_size=200) | st.builds(lambda text: f'{{"identifier": "{text}"}}'.encode(), st.text(max_size=20))
_kinds = st.sampled_from(("application/json", "text/plain", ""))


def test_whatever_is_asked_is_answered_as_described(hub: Hub) -> None:
    """`Hub.request` holds every answer against the published description; nothing may be an internal error."""

    @EVERY_RUN
    @given(st.sampled_from(("GET", "POST")), _paths, _tails, _bodies, _kinds)
    def check(method: str, path: str, tail: str, content: bytes, kind: str) -> None:
        assume(method == "POST" or not path.endswith("/search"))  # to GET that is a person's id, of the wrong form
        try:
            address = str(httpx.URL(f"http://api.test{path}{tail}").raw_path, "ascii")
        except httpx.InvalidURL:
            return
        body = content if method == "POST" else None
        answer = hub.request(method, address, "open", content=body, headers={"content-type": kind} if kind else {})
        assert answer.status_code < 500
        assert answer.status_code < 300 or answer.headers["content-type"] == "application/problem+json"

    run(check)
