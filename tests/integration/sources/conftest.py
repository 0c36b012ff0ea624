"""Benches over fresh databases."""

from collections.abc import Callable, Iterator

import pytest

from streams.database import open_pool
from tests.integration.sources.bench import Bench, Pool, make_bench


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with open_pool(database_url, size=4) as found:
        yield found


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return make_bench(pool)


@pytest.fixture
def new_bench(new_database: Callable[[], str]) -> Iterator[Callable[[], Bench]]:
    """Benches with a database each."""
    pools: list[Pool] = []

    def make() -> Bench:
        pools.append(open_pool(new_database(), size=4))
        return make_bench(pools[-1])

    yield make
    for one in pools:
        one.close()
