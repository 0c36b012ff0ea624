"""Whatever goes wrong leaves as a problem document that repeats nothing, and what nobody expected as its class only."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from mmd.api import problems
from mmd.api.guard import BODY_BYTES, Guard
from mmd.api.metrics import ROUTE
from streams.contracts.errors import TEXTS, KallanError, Rejected, Unavailable
from streams.metrics import Meter

SECRET = "Canaryvalue"


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")
    field: int


def breaking(error: Exception, meter: Meter | None = None) -> FastAPI:
    """An application in which one route raises and one takes a body."""
    app = FastAPI()

    @app.get("/broken")
    def broken() -> None:
        raise error

    @app.post("/sent")
    def sent(sent: Sent) -> int:
        return sent.field

    problems.install(app)
    app.add_middleware(Guard, meter=meter)
    return app


def call(app: FastAPI, method: str, path: str, **content: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app)  # an exception that escapes fails the test
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            return await client.request(method, path, **content)

    return asyncio.run(once())


def post(app: FastAPI, content: Any, **more: Any) -> httpx.Response:
    return call(app, "POST", "/sent", content=content, headers={"content-type": "application/json"}, **more)


GOOD = breaking(ValueError())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError(SECRET), "internal.unexpected"),
        (psycopg.errors.UniqueViolation(SECRET), "internal.unexpected"),
        (psycopg.OperationalError(SECRET), "service.unavailable"),
        (Rejected("resource.unknown"), "resource.unknown"),
        (Unavailable("service.unavailable", "x"), "service.unavailable"),
        (Rejected("envelope.forged", SECRET), "internal.unexpected"),
        (Rejected("key.unknown", SECRET), "internal.unexpected"),
        (KallanError("settings.invalid", SECRET), "internal.unexpected"),
    ],
    ids=repr,
)
def test_an_error_leaves_as_a_problem_and_neither_answer_nor_log_has_its_text(
    error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = call(breaking(error), "GET", "/broken")
    assert answer.status_code == TEXTS[code].status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found.pop("detail", "") in ("", "x", "store")
    assert found == {
        "type": f"urn:kallan:problem:{code}",
        "title": TEXTS[code].en,
        "title_sv": TEXTS[code].sv,
        "status": TEXTS[code].status,
        "code": code,
    }
    assert SECRET not in answer.text + str(answer.headers)
    assert SECRET not in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_an_unexpected_error_is_logged_by_its_class_and_place(caplog: pytest.LogCaptureFixture) -> None:
    call(breaking(LookupError(SECRET)), "GET", "/broken")
    [line] = [record.getMessage() for record in caplog.records if record.name == "mmd.api.guard"]
    assert line.startswith("unexpected error: LookupError at test_errors.py:")


def test_an_outage_says_when_to_try_again() -> None:
    assert int(call(breaking(psycopg.OperationalError()), "GET", "/broken").headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{"field": "Canaryvalue"}', "input.invalid"),
        ('{"field": 1, "Canaryvalue": 2}', "input.invalid"),
        ('"Canaryvalue"', "input.invalid"),
        ('["Canaryvalue"]', "input.invalid"),
        ("{}", "input.invalid"),
        ("", "input.invalid"),
        ('{"Canaryvalue', "input.not-decodable"),
        (b'{"field": "\xffCanaryvalue"}', "input.not-decodable"),
        ("[" * 5000 + "Canaryvalue", "input.not-decodable"),
    ],
    ids=repr,
)
def test_what_was_sent_is_not_repeated(content: Any, code: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = post(GOOD, content)
    assert (answer.status_code, answer.json()["code"]) == (TEXTS[code].status, code)
    assert SECRET not in answer.text + str(answer.headers) + caplog.text


def test_a_wrong_field_is_named() -> None:
    assert post(GOOD, '{"field": "x"}').json()["detail"] == "body.field"


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(BODY_BYTES // 1000 + 2):
            yield b" " * 1000

    assert post(GOOD, b" " * (BODY_BYTES + 1)).status_code == 413
    undeclared = post(GOOD, drops())
    assert "content-length" not in undeclared.request.headers
    assert undeclared.json()["code"] == "input.too-large"
    lying = call(GOOD, "POST", "/sent", content=b"{}", headers={"content-length": "9" * 5000})
    assert lying.status_code == 413


def test_a_body_of_the_allowed_size_is_read_whole() -> None:
    padded = json.dumps({"field": 7}).rjust(BODY_BYTES)
    assert post(GOOD, padded).text == "7"


def test_another_method_is_refused_with_those_that_are_answered() -> None:
    answer = call(GOOD, "DELETE", "/sent")
    assert (answer.status_code, answer.json()["code"]) == (405, "request.method-not-allowed")
    assert answer.headers["allow"] == "POST"


def test_an_unknown_address_is_a_problem_too() -> None:
    answer = call(GOOD, "GET", f"/{SECRET}")
    assert (answer.status_code, answer.json()["code"]) == (404, "resource.unknown")
    assert SECRET not in answer.text


def test_measurements_have_no_label_that_was_sent() -> None:
    meter = Meter()
    meter.know(ROUTE, ["/broken"])
    app = breaking(ValueError(SECRET), meter)
    call(app, "GET", "/broken")
    call(app, SECRET.upper(), "/broken")
    call(app, "GET", f"/{SECRET}")
    post(app, b" " * (BODY_BYTES + 1))
    shown = meter.text().decode()
    requests = [line for line in shown.splitlines() if line.startswith("kallan_api_requests_total{")]
    told = {name: set(re.findall(f'{name}="([^"]*)"', "\n".join(requests))) for name in ("status", "method", "route")}
    assert told == {
        "status": {"500", "405", "404", "413"},
        "method": {"GET", "POST", "other"},
        "route": {"/broken", "other"},
    }
    assert SECRET not in shown
