"""Health, readiness and measurements, without a token; and what a reader is told when the store is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.mmd.conftest import Someone
from tests.integration.mmd_api.hub import Hub, post


def test_a_hub_with_everything_it_needs_is_ready(hub: Hub) -> None:
    assert hub.get("/health").json() == {"status": "ok"}
    assert hub.get("/ready").json() == {"status": "ready"}


def test_without_its_store_it_lives_and_is_not_ready(hub: Hub, persons: Callable[[int], Someone]) -> None:
    hub.changes("open")
    hub.master.pool.close()
    assert hub.get("/health").status_code == 200
    answer = hub.get("/ready")
    assert (answer.status_code, answer.json()["detail"]) == (503, "store: PoolClosed")
    assert answer.headers["retry-after"]
    for asked in (hub.person(persons(1), "open"), hub.changes("open"), hub.search(persons(1).identifier.value, "open")):
        assert (asked.status_code, asked.json()["code"]) == (503, "service.unavailable")


def test_on_a_store_that_is_not_migrated_it_is_not_ready(hub: Hub) -> None:
    with hub.without("document"):
        answer = hub.get("/ready")
    assert (answer.status_code, answer.json()["detail"]) == (503, "store: UndefinedTable")


def test_without_the_issuers_keys_it_is_not_ready(hub: Hub) -> None:
    away = hub.issuer.jwks.rename(hub.issuer.jwks.with_suffix(".away"))
    try:
        assert hub.get("/ready").json()["detail"] == "token keys: FileNotFoundError"
        assert hub.changes("open").status_code == 503
    finally:
        away.rename(hub.issuer.jwks)
    assert hub.get("/ready").status_code == 200


def test_requests_are_measured_by_the_template_of_their_address(hub: Hub, persons: Callable[[int], Someone]) -> None:
    anna = persons(1)
    hub.master.ingest([hub.master.record(anna, "1", *post("Anna"))])
    hub.person(anna, "open")
    hub.person(persons(2), "open")
    metrics = hub.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    for status in ("200", "404"):
        line = f'kallan_api_requests_total{{method="GET",route="/v1/persons/{{person}}",status="{status}"}} 1.0'
        assert line in metrics.text
    assert anna.id not in metrics.text


@pytest.mark.parametrize("size", [17_000, 1_000_000])
def test_a_request_that_is_too_large_is_refused(hub: Hub, size: int) -> None:
    answer = hub.request("POST", "/v1/persons/search", "open", json={"identifier": "x" * size})
    assert (answer.status_code, answer.json()["code"]) == (413, "input.too-large")
