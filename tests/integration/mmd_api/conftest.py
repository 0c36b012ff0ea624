"""Hubs over two databases that are emptied before each test: that takes a tenth of the time of new ones."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from mmd.store.tables import METADATA
from tests.integration.mmd.conftest import Master, Someone, someone
from tests.integration.mmd_api.hub import Hub
from tests.unit.mmd_api.issuing import Issuer

_KEPT = {"mmd.epoch"}


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="session")
def two_databases(postgres_url: str, migrated_template: str) -> Iterator[tuple[str, str]]:
    names = [f"test_{uuid.uuid4().hex[:12]}" for _ in range(2)]
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        for name in names:
            admin.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(migrated_template)
                )
            )
        server = postgres_url.rpartition("/")[0]
        yield f"{server}/{names[0]}", f"{server}/{names[1]}"
        for name in names:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        for name in METADATA.tables.keys() - _KEPT:
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(*name.split("."))))


@pytest.fixture
def new_hub(two_databases: tuple[str, str], issuer: Issuer) -> Iterator[Callable[..., Hub]]:
    """Makes at most two hubs, each over an empty database."""
    urls = iter(two_databases)
    made: list[Hub] = []

    def make(**given: Any) -> Hub:
        url = next(urls)
        _empty(url)
        made.append(Hub(Master(url, size=4, **given), issuer))
        return made[-1]

    yield make
    for hub in made:
        hub.close()
        hub.master.close()


@pytest.fixture
def hub(new_hub: Callable[..., Hub]) -> Hub:
    return new_hub()


@pytest.fixture
def persons() -> Callable[[int], Someone]:
    return someone
