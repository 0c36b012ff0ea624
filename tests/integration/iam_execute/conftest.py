"""One desk over one fresh database a test."""

from collections.abc import Iterator

import pytest

from streams.database import open_pool
from tests.integration.iam_execute.desk import Desk


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with open_pool(database_url, size=8, name="test") as pool:
        yield Desk(pool)
