"""The API over a real master: releases of several readers, and requests whose answers are held against the description."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import httpx
import jsonschema

from deploy.settings import CONFIG
from deploy.wiring.data import read_forms
from mmd.api.app import create_app
from mmd.api.services import Services
from mmd.domain.release import ATTRIBUTES, Release
from mmd.relay.due import wake
from mmd.store.feed import Feed
from streams.contracts.claims import (
    Birth,
    Body,
    Claim,
    Custody,
    Name,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Relation,
)
from streams.metrics import Meter
from tests.integration.mmd.conftest import SUBJECT_SECRET

if TYPE_CHECKING:
    from tests.integration.mmd.conftest import Master, Someone
    from tests.unit.mmd_api.issuing import Issuer

EVERYTHING = sorted(ATTRIBUTES - {"marking"})
FEED_SECRET = b"f" * 32
SINCE = dt.date(2020, 1, 1)


def release(**given: Any) -> Release:
    """A release of everything but the marking about everybody, but for what is said."""
    return Release.from_data(
        {
            "reader": "reader",
            "purpose": {"sv": f"Prov {sorted(given.items())}", "en": "Test"},
            "legal_basis": "test",
            "attributes": EVERYTHING,
            "persona_types": "all",
            "units": "all",
            "valid_until": "2099-12-31",
        }
        | given
    )


RELEASES = {
    "open": release(),
    "names": release(attributes=["names"]),
    "staff": release(persona_types=["employee"]),
    "guardians": release(persona_types=["guardian"]),
    "school": release(persona_types=["pupil", "adult-student"]),
    "nothing": release(marked="nothing"),
    "cleared": release(marked="cleared", attributes=[*EVERYTHING, "marking"]),
    "subtree": release(units=["unit:kommun:1"], subtree=True),
    "unit": release(units=["unit:kommun:1"]),
    "ended": release(valid_until="2026-03-01"),
    "planned": release(valid_from="2026-03-03"),
}
CLIENTS = {name: (name,) for name in RELEASES} | {"many": ("open", "names"), "none": ()}
UNCLEARED = tuple(name for name in RELEASES if name not in ("cleared", "ended", "planned"))


def named(given: str, family: str = "Ek") -> Claim:
    return Claim(Name(given, "", family, given), SINCE)


def living(street: str) -> Claim:
    return Claim(RegisteredAddress(PostalAddress("", street, "", "01234", "Ort"), "2281"), SINCE)


def post(given: str, *more: Body | Claim, protection: Protection | None = None) -> tuple[Body | Claim, ...]:
    """An ordinary post of the population register."""
    return protection or Protection(), named(given), Birth("1980-02-02"), living(f"{given}gatan 1"), *more


def guardian_of(*children: Someone, until: dt.date | None = None) -> Custody:
    return Custody(tuple(Relation("VF", child.subject, SINCE, until) for child in children))


def ward_of(*guardians: Someone) -> Custody:
    return Custody(tuple(Relation("V", guardian.subject, SINCE) for guardian in guardians))


class Hub:
    """One master with its API. Requests go through the whole application; nothing may escape it."""

    def __init__(self, master: Master, issuer: Issuer) -> None:
        self.master = master
        self.issuer = issuer
        self.app = create_app(
            Services(
                pool=master.pool,
                keys=master.keys,
                reader=master.reader,
                feed=Feed(master.pool, master.keys, FEED_SECRET),
                register=master.register,
                releases=RELEASES,
                clients=CLIENTS,
                forms=read_forms(CONFIG / "forms.yml"),
                verifier=issuer.verifier(),
                subject_secret=SUBJECT_SECRET,
                clock=master.clock,
                meter=Meter(),
            )
        )
        self._tokens: dict[str, str] = {}
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://api.test")

    def token(self, client: str) -> str:
        return self._tokens.setdefault(client, self.issuer.token(client))

    def request(
        self,
        method: str,
        path: str,
        client: str = "",
        *,
        release: str = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """As a client with a good token; without a client, without a token."""
        sent = httpx.Headers(dict(headers or {}), encoding="utf-8")
        if client:
            sent["Authorization"] = f"Bearer {self.token(client)}"
        if release:
            sent["Kallan-Release"] = release
        answer = self._runner.run(self._client.request(method, path, headers=sent, **more))
        as_described(method, path.partition("?")[0], answer)
        return answer

    def get(self, path: str, client: str = "", **more: Any) -> httpx.Response:
        return self.request("GET", path, client, **more)

    def person(self, who: Someone | str, client: str, **query: str) -> httpx.Response:
        return self.get(f"/v1/persons/{who if isinstance(who, str) else who.id}", client, params=query)

    def search(self, number: str, client: str, **more: str) -> httpx.Response:
        return self.request("POST", "/v1/persons/search", client, json={"identifier": number, **more})

    def prefill(self, number: str, client: str = "open", form: str = "preschool-place") -> httpx.Response:
        return self.request("POST", f"/v1/prefill/{form}", client, json={"identifier": number})

    def changes(self, client: str, cursor: str = "", **query: Any) -> httpx.Response:
        return self.get("/v1/changes", client, params={"cursor": cursor, **query})

    def read_log(self) -> list[tuple[Any, ...]]:
        return self.master.rows(
            "select release, person, occasion, attribute_groups, restricted, at from mmd.disclosure order by id"
        )

    def day_comes(self, instant: dt.datetime) -> None:
        """Business time goes on, and what changes by date is due: the part of the relay that the feed waits for."""
        self.master.clock.instant = max(instant, self.master.clock.instant)
        with self.master.pool.connection() as connection:
            wake(connection, self.master.keys, self.master.clock.now())

    @contextmanager
    def without(self, table: str) -> Iterator[None]:
        """While a table of the master is missing."""
        self._execute(f"alter table mmd.{table} rename to {table}_away")
        try:
            yield
        finally:
            self._execute(f"alter table mmd.{table}_away rename to {table}")

    def _execute(self, statement: str) -> None:
        with self.master.pool.connection() as connection:
            connection.execute(statement.encode())

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@cache
def _description() -> dict[str, Any]:
    return create_app(None).openapi()


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    root = {"$ref": f"#/components/schemas/{name}", "components": _description()["components"]}
    return jsonschema.Draft202012Validator(root)


def as_described(method: str, path: str, answer: httpx.Response) -> None:
    """The answer is one that the published description has for this route: status, type of content, schema, code."""
    templates = {one: re.sub(r"{\w+}", "[^/]+", one) for one in _description()["paths"]}
    found = [one for one, pattern in templates.items() if re.fullmatch(pattern, path)]
    exact = [one for one in found if one == path]
    operation = next((ops[method.lower()] for one in exact or found if method.lower() in (ops := _ops(one))), None)
    if operation is None:
        assert answer.status_code in (404, 405), f"{answer.status_code} of a route that is not described"
        return
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, f"{method} {path}: {answer.status_code} is not described"
    if answer.status_code == 304:
        assert answer.content == b""
        return
    kind = answer.headers["content-type"].partition(";")[0]
    schema = described["content"][kind]["schema"]
    if "$ref" in schema:
        _validator(schema["$ref"].rpartition("/")[2]).validate(answer.json())
    if answer.status_code >= 400:
        assert f"`{answer.json()['code']}`" in described["description"], f"{method} {path}: {answer.json()['code']}"


def _ops(path: str) -> dict[str, Any]:
    return cast("dict[str, Any]", _description()["paths"][path])
