"""`kallan status` over stores with everything in them that may wait, by settings alone; and it writes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from deploy.operations.findings import EXPECTED
from streams.brake import Flow, HeldFlows
from streams.contracts.errors import Rejected
from streams.dead_letters import DeadLetters
from streams.envelope import Message
from streams.workers import tell
from tests.integration.cli.conftest import ANNA, NOW, SECRET_NAME, Kallan, Town

_PRINTS = """
select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('mmd', 'iam', 'connectors', 'streams')
order by 1
"""


@pytest.fixture
def connection(town: Town) -> Iterator[psycopg.Connection]:
    with psycopg.connect(town.world.base.settings.database_url, autocommit=True) as connection:
        yield connection


def all_workers_tell(town: Town) -> None:
    for name in EXPECTED:
        tell(town.world.base.keys_pool, f"{name}@host:1", name, 0.0, "", "", "")


def everything(connection: psycopg.Connection) -> dict[str, Any]:
    """A digest of every table."""
    names = [row[0] for row in connection.execute(_PRINTS).fetchall()]
    found = {}
    for name in names:
        query = f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} t"
        found[name] = connection.execute(query.encode()).fetchone()
    return found


def test_a_town_at_rest_whose_broker_is_away_and_whose_workers_are_silent(town: Town, kallan: Kallan) -> None:
    ran = kallan("status", "--json")
    assert ran.code == 1
    codes = [(one["code"], one["detail"].partition(":")[0]) for one in ran.data["wrong"]]
    assert codes == [*(("worker.silent", name) for name in EXPECTED), ("service.unavailable", "Kafka")]
    assert ran.data["ok"] is False
    assert ran.data["waiting"] == ["1 conflicts"]
    assert {one["package"] for one in ran.data["schemas"]} == {"streams", "connectors", "mmd", "iam"}
    assert ran.data["documents"] == []


def test_everything_that_waits_is_told_with_its_age(town: Town, kallan: Kallan, connection: psycopg.Connection) -> None:
    all_workers_tell(town)
    base = town.world.base
    tell(base.keys_pool, "relay@host:2", "relay", 1.0, "worker.stalled", "documents: 2 pending", "http://127.0.0.1:1")
    HeldFlows(base.keys_pool).hold("ingest-bulk", Flow("source.employment.v1", "hr"), "code.unknown", 50)
    letters = DeadLetters(base.keys_pool)
    for offset in range(3):
        letters.add("ingest-bulk", Message("source.employment.v1", "k", b"", {}, 0, offset), Rejected("code.unknown"))
    connection.execute(
        "insert into mmd.dirty (document, lane, number, cause, caused_at, since)"
        " values ('a', 'urgent', 1, 'e', now(), now() - interval '70 seconds'), ('b', 'bulk', 1, 'e', now(), now())"
    )
    connection.execute("insert into iam.due (person, at, priority) values ('x', %s - interval '5 minutes', 1)", [NOW])
    connection.execute("insert into iam.target_away (target, since) values ('directory', now() - interval '2 minutes')")
    account = uuid.uuid4()
    connection.execute(
        "insert into iam.work (account, target, lane, rank, version, queued_at) values"
        " (%s, 'directory', 'disable', 1, 1, now() - interval '100 seconds')",
        [account],
    )
    connection.execute(
        "insert into iam.observed (account, target, status) values (%s, 'directory', 'unknown')", [account]
    )
    connection.execute(
        "insert into connectors.load (source, series, state, holds, reason, files, opened_at)"
        " values ('hr', '', 'held', 'absences', 'load.threshold', 1, now())"
    )
    data = kallan("status", "--json").data
    assert {one["code"] for one in data["wrong"]} == {
        "worker.stalled",
        "worker.braked",
        "service.unavailable",
        "target.unreachable",
    }
    assert [(one["lane"], one["count"]) for one in data["documents"]] == [("urgent", 1), ("bulk", 1)]
    assert 70 <= data["documents"][0]["oldest_seconds"] < 130
    assert (data["persons"]["count"], data["persons"]["oldest_seconds"]) == (1, 300.0)
    (operation,) = data["operations"]
    assert 100 <= operation.pop("oldest_seconds") < 160
    assert operation == {"target": "directory", "lane": "disable", "state": "ready", "count": 1}
    assert data["unknown"] == {"directory": 1}
    assert 120 <= data["targets_away"]["directory"] < 180
    assert [(one["source"], one["reason"]) for one in data["held_loads"]] == [("hr", "load.threshold")]
    assert data["dead_letters"] == {"code.unknown": 3}
    assert [(one["group"], one["source"], one["failures"]) for one in data["brake"]] == [("ingest-bulk", "hr", 50)]
    assert data["conflicts"] == 1


def test_people_read_it_too_and_no_value_of_a_person_is_in_it(
    town: Town, kallan: Kallan, connection: psycopg.Connection
) -> None:
    all_workers_tell(town)
    connection.execute("insert into iam.target_away (target) values ('directory')")
    ran = kallan("status")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0] == "service.unavailable: Kafka: no answer about consumer groups"
    assert lines[1].startswith("target.unreachable: directory: for ")
    assert "For a person: 1 conflicts" in ran.out
    assert "ingest-urgent" in ran.out
    assert not any(value in ran.out for value in (ANNA, SECRET_NAME, town.anna, town.bo))


def test_it_writes_nothing(town: Town, kallan: Kallan, connection: psycopg.Connection) -> None:
    before = everything(connection)
    kallan("status")
    kallan("status", "--json")
    assert everything(connection) == before


def test_on_another_schema_it_tells_that_and_nothing_else(
    town: Town, kallan: Kallan, connection: psycopg.Connection
) -> None:
    connection.execute("update iam.alembic_version set version_num = 'iam_9999'")
    connection.execute("drop table streams.worker")
    ran = kallan("status", "--json")
    assert (ran.code, [one["code"] for one in ran.data["wrong"]]) == (1, ["schema.newer"])
