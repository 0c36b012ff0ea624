"""The hub's own API over a direct world, and what a test says in it: people, sources, requests."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from deploy.replay.direct import DirectWorld
from deploy.replay.scenario import instant_of
from deploy.settings import ApiSettings
from deploy.wiring.api import application
from streams.contracts.testnumbers import test_number as number_of
from tests.unit.mmd_api.issuing import AUDIENCE, ISSUER, Issuer

FEMALE = number_of(dt.date(1985, 4, 3), "female")
MALE = number_of(dt.date(1986, 4, 3), "male")
CHILD = number_of(dt.date(2013, 5, 5), "female")
SIBLING = number_of(dt.date(2012, 5, 5), "male")

UNIT = {"orgId": "1100", "orgName": "Hemtjänst Norr", "nodeFrom": "2020-01-01", "companyId": "kommun"}


def post(number: str, given: str, family: str = "Provby", **more: Any) -> dict[str, Any]:
    """A complete post of the population register, in Navet's element names."""
    return {"PersonNr": number, "totalpost": True, "Fornamn": given, "Efternamn": family} | more


def row(employment: str, number: str, **more: Any) -> dict[str, Any]:
    """An HR row of a nursing assistant in `UNIT`."""
    return {
        "employmentId": employment,
        "personNumber": number,
        "startDate": "2020-01-01",
        "title": "undersköterska",
        "aid": "207008",
        "orgId": "1100",
        "extentPercent": 100,
    } | more


class Town:
    """A direct world with its API. `say` feeds a source and waits until everything is quiet."""

    def __init__(self, world: DirectWorld, issuer: Issuer) -> None:
        self.world = world
        self.issuer = issuer
        given = world.base.settings.model_dump() | {"jwks": issuer.jwks, "issuer": ISSUER, "audience": AUDIENCE}
        known = {name: value for name, value in given.items() if name in ApiSettings.model_fields}
        self._runner = asyncio.Runner()
        app = application(world.base, ApiSettings.model_validate(known))
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test")

    def at(self, moment: str) -> None:
        self.world.set_clock(instant_of(moment))
        self.world.settle()

    def say(self, source: str, *records: Mapping[str, Any], total: bool = False) -> None:
        self.world.feed(source, records, total=total)
        self.world.settle()

    def request(self, method: str, path: str, client: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.issuer.token(client)}"}
        return self._runner.run(self._client.request(method, path, headers=headers, **more))

    def search(self, number: str, client: str) -> httpx.Response:
        return self.request("POST", "/v1/persons/search", client, json={"identifier": number})

    def prefill(self, number: str, client: str = "e-services") -> httpx.Response:
        return self.request("POST", "/v1/prefill/preschool-place", client, json={"identifier": number})

    def changes(self, client: str, cursor: str = "") -> dict[str, Any]:
        answer = self.request("GET", "/v1/changes", client, params={"cursor": cursor})
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def rows(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self.world.base.pool.connection() as connection:
            return connection.execute(statement.encode(), arguments).fetchall()

    def asked(self, after: int = 0) -> list[tuple[str, str, str]]:
        """What the targets were asked for since a place in the journal: lane, target, presence."""
        return [
            (str(lane), str(target), str(presence))
            for lane, target, presence in self.rows(
                "select lane, target, presence from iam.journal where kind = 'intent' and id > %s order by id", after
            )
        ]

    def journal_end(self) -> int:
        return int(self.rows("select coalesce(max(id), 0) from iam.journal")[0][0])

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
def town(direct_world: DirectWorld, issuer: Issuer) -> Iterator[Town]:
    """On 1 September 2026, eight in the morning, with one unit."""
    made = Town(direct_world, issuer)
    made.at("2026-09-01T08:00:00")
    made.say("organisation", UNIT)
    yield made
    made.close()
