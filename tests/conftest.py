"""Fixtures that everything shares: a real PostgreSQL, and a fresh migrated database per test. Named tests must be run."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest

from deploy.docs.traces import read_traces
from streams.migrate import migrate
from tests.named import NamedTests

PACKAGES = ("streams", "connectors", "mmd", "iam")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell: processes that the tests start would be deaf to Ctrl-C as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A law holds on a busy machine too: how long an example took says nothing.
hypothesis.settings.register_profile("kallan", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("kallan")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # one of several processes that share the tests: another tells of all of them
        return
    config.pluginmanager.register(NamedTests(read_traces(Path(__file__).parents[1]).named_tests), "kallan-named-tests")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server: the one in KALLAN_TEST_DATABASE_URL, or an embedded one that ends with the tests."""
    given = os.environ.get("KALLAN_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from deploy.embedded.postgres import embedded_postgres

    with embedded_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Kafka broker: the one in KALLAN_TEST_KAFKA, or an embedded one that ends with the tests."""
    given = os.environ.get("KALLAN_TEST_KAFKA")
    if given:
        yield given
        return
    from deploy.embedded.kafka import embedded_kafka

    with embedded_kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> Iterator[str]:
    """The name of a database with every schema at its newest version, to copy from."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'create database "{name}"')
        migrate(_url_of(postgres_url, name), PACKAGES)
        yield name
        admin.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture
def new_database(postgres_url: str, migrated_template: str) -> Iterator[Callable[[], str]]:
    """Makes fresh migrated databases: call it, get a URL."""
    made: list[str] = []

    def make() -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(f'create database "{name}" template "{migrated_template}"')
        made.append(name)
        return _url_of(postgres_url, name)

    yield make
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        for name in made:
            admin.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """One fresh migrated database."""
    return new_database()


def _url_of(server: str, database: str) -> str:
    return server.rpartition("/")[0] + "/" + database
