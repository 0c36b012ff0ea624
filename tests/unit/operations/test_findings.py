"""`kallan status` judges: what does not move is wrong, what waits for a person is not."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from deploy.operations.findings import EXPECTED, Finding, findings, waiting
from deploy.operations.schema import Schema
from deploy.operations.state import Ending, HeldLoad, Operations, Queue, System, endings
from deploy.settings import CONFIG
from deploy.wiring.data import read_releases
from streams.brake import HeldFlow
from streams.contracts.errors import TEXTS
from streams.workers import WorkerState

ON = dt.date(2026, 9, 1)


def worker(name: str, seen: float = 1.0, code: str = "", detail: str = "") -> WorkerState:
    return WorkerState(f"{name}@host:1", name, seen, dt.datetime(2026, 9, 1, tzinfo=dt.UTC), code, detail, "")


GOOD = System(
    schemas=[Schema("mmd", "mmd_0002", "mmd_0002", "")],
    workers=[worker(name) for name in EXPECTED],
    lag={"ingest-bulk": 100_000},
    documents=[Queue("bulk", 4000, 90.0)],
    persons=Queue("due", 12, 3.0),
    account_facts=Queue("account facts", 2, 1.0),
    operations=[Operations("directory", "create", "ready", 700, 30.0)],
    targets_away={},
    unknown={"directory": 1},
    held_loads=[HeldLoad(7, "hr", "all", "load.threshold", 4000.0)],
    dead_letters={"code.unknown": 3},
    brake=[],
    conflicts=2,
    releases=[Ending("old", ON)],
)


def test_a_system_in_which_everything_moves_has_nothing_wrong_however_much_waits() -> None:
    assert findings(GOOD, ON) == []


def test_what_waits_for_a_person_is_told_apart() -> None:
    refused = dataclasses.replace(GOOD, operations=[Operations("directory", "update", "refused", 2, 1.0)])
    assert waiting(refused) == [
        "load 7 of hr is held (load.threshold)",
        "3 dead letters",
        "2 conflicts",
        "2 changes that a target refuses",
    ]
    assert findings(refused, ON) == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            {"schemas": [Schema("iam", "iam_0001", "iam_0002", "schema.older")]},
            Finding("schema.older", "iam: the database has iam_0001, the program iam_0002"),
        ),
        (
            {"workers": [worker(name) for name in EXPECTED if name != "relay"]},
            Finding("worker.silent", "relay: never heard"),
        ),
        (
            {"workers": [worker(name, 31.0 if name == "execute" else 1.0) for name in EXPECTED]},
            Finding("worker.silent", "execute: for 31 s"),
        ),
        (
            {"workers": [*map(worker, EXPECTED), worker("relay", 2.0, "worker.stalled", "documents: 4 pending")]},
            Finding("worker.stalled", "relay: documents: 4 pending"),
        ),
        (
            {"brake": [HeldFlow("ingest-bulk", "source.employment.v1", "hr", "code.unknown", 50, 9.0)]},
            Finding("worker.braked", "ingest-bulk: hr in source.employment.v1 (code.unknown)"),
        ),
        ({"lag": None}, Finding("service.unavailable", "Kafka: no answer about consumer groups")),
        ({"targets_away": {"directory": 61.4}}, Finding("target.unreachable", "directory: for 61 s")),
        (
            {"releases": [Ending("forms", dt.date(2026, 8, 31))]},
            Finding("access.denied", "release forms ended 2026-08-31"),
        ),
    ],
    ids=lambda one: one.code if isinstance(one, Finding) else "",
)
def test_what_does_not_move_is_wrong_with_a_stable_code(change: dict[str, Any], wrong: Finding) -> None:
    assert findings(dataclasses.replace(GOOD, **change), ON) == [wrong]
    assert wrong.code in TEXTS


def test_a_worker_that_was_replaced_is_not_missed() -> None:
    both = [*map(worker, EXPECTED), worker("relay", 900.0, "worker.stalled")]
    assert findings(dataclasses.replace(GOOD, workers=both), ON) == []


def test_releases_are_told_of_thirty_days_before_they_end() -> None:
    releases = read_releases(CONFIG / "releases.yml").by_id
    name, last = max(((name, one.valid_until) for name, one in releases.items()), key=lambda one: one[1])
    assert name in {one.release for one in endings(releases, last - dt.timedelta(days=30))}
    assert name not in {one.release for one in endings(releases, last - dt.timedelta(days=31))}
