"""The first load of the compose stack: the synthetic municipality is never mixed with anybody's data."""

from pathlib import Path

import pytest

from connectors.sources.registry import load
from deploy.cli.connection import Connection
from deploy.compose.demo import load_once
from deploy.municipality.generate import generate
from deploy.settings import MasterSettings, ProvisioningSettings
from deploy.wiring.base import Base
from streams.contracts.errors import KallanError
from streams.database import open_pool
from tests.integration.sources.bench import make_bench


def test_a_store_with_loads_of_another_origin_is_refused(database_url: str, tmp_path: Path) -> None:
    given = {"database_url": database_url, "secrets": tmp_path, "kafka": "127.0.0.1:1"}
    master = MasterSettings.model_validate(given)
    said: list[str] = []
    with open_pool(database_url) as pool:
        organisation = generate(tmp_path / "theirs", 7, 20, 4).files[0]
        load(organisation.source, organisation.path, make_bench(pool).edge)
    connection = Connection(master, ProvisioningSettings.model_validate(given), {}, Base(master, "test"))
    try:
        with pytest.raises(KallanError) as refused:
            load_once(connection, tmp_path / "ours", said.append, seed=1, persons=20, units=4)
    finally:
        connection.base.close()
    assert refused.value.code == "stack.in-use"
    assert said == []
    assert not (tmp_path / "ours").exists()
