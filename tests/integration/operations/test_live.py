"""Operations of a running stack: every worker's port, what it shows, and how `kallan status` follows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.operations.metrics import ALL
from tests.docs.reading import ROOT, block_with
from tests.stack.life import Life, alive
from tests.stack.town import Town, new_town

STATUS = "kallan status --json"

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with alive(tmp_path_factory.mktemp("stack")) as found:
        yield found


@pytest.fixture(scope="module")
def town(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Town:
    made = new_town(tmp_path_factory.mktemp("town"), seed=7, persons=24, units=5)
    life.feed(made.first)
    life.world.settle()
    return made


def entries(life: Life) -> dict[str, dict[str, Any]]:
    told = json.loads((life.found.stack.home / "stack.json").read_text(encoding="utf-8"))
    return {**told["workers"], "api": told["services"]["api"]}


def get(address: str, path: str) -> httpx.Response:
    return httpx.get(f"{address}{path}", timeout=10.0, trust_env=False)


def eventually(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.25)


def status(life: Life) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "status", "--json", "--home", str(life.found.stack.home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_worker_has_a_port_that_stack_json_tells_and_becomes_ready(life: Life, town: Town) -> None:
    for name, entry in entries(life).items():
        assert entry["metrics"].startswith("http://127.0.0.1:"), name
        assert get(entry["metrics"], "/health").json() == {"status": "ok"}
        eventually(lambda entry=entry: get(entry["metrics"], "/ready").status_code == 200)  # type: ignore[misc]


def test_what_the_workers_show_stands_in_the_list_and_names_nobody(life: Life, town: Town) -> None:
    listed = {one.name.removesuffix("_total") for one in ALL}
    shown = set[str]()
    for entry in entries(life).values():
        text = get(entry["metrics"], "/metrics").text
        names = {
            line.split()[2].removesuffix("_total") for line in text.splitlines() if line.startswith("# TYPE kallan")
        }
        assert names <= listed
        assert "# TYPE kallan" in text
        assert not re.search(r"^# TYPE (?!kallan_)", text, re.MULTILINE)
        shown |= names
        assert not any(canary in text for canary in town.canaries)
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)
    wanted = {
        *(
            "kallan_records",
            "kallan_consumer_lag",
            "kallan_dirty_documents",
            "kallan_persons_due",
            "kallan_account_facts",
        ),
        *("kallan_execute_operations", "kallan_execute_call_seconds", "kallan_worker_ready", "kallan_build_info"),
    }
    assert wanted <= shown


def test_the_page_on_operations_shows_it_as_it_is_typed(life: Life, town: Town) -> None:
    eventually(lambda: status(life)[0] == 0)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KALLAN_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{environment['PATH']}"}
    environment |= {"KALLAN_HOME": str(life.found.stack.home)}
    block = block_with("docs/operations.md", STATUS)
    told = subprocess.run(
        ["bash", "-euc", block], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("Everything moves.\n")
    assert '"ok": true' in told.stdout


def test_in_a_system_at_rest_status_is_good_and_names_every_worker(life: Life, town: Town) -> None:
    eventually(lambda: status(life)[0] == 0)
    code, data = status(life)
    assert (code, data["ok"], data["wrong"]) == (0, True, [])
    assert {one["name"] for one in data["workers"]} == set(entries(life))
    assert set(data["lag"].values()) == {0}
    assert all(one["moved_at"] for one in data["workers"] if one["name"] in ("ingest-bulk", "relay", "execute"))


def test_a_worker_that_is_gone_and_a_target_that_is_away_are_told(life: Life, town: Town) -> None:
    life.found.stack.stop_process("relay")
    life.found.stack.stop_process("ldap")
    try:
        life.feed(town.urgent)
        eventually(lambda: {one["code"] for one in status(life)[1]["wrong"]} >= {"worker.silent"})
    finally:
        life.found.stack.start_process("relay")
    try:
        eventually(lambda: "target.unreachable" in {one["code"] for one in status(life)[1]["wrong"]})
        assert get(entries(life)["execute"]["metrics"], "/ready").status_code == 200  # it waits for somebody else
    finally:
        life.found.stack.start_process("ldap")
    eventually(lambda: status(life)[0] == 0, 120)


def test_a_worker_whose_database_is_away_lives_and_is_not_ready_by_a_code(life: Life, town: Town) -> None:
    life.found.stack.stop_process("postgres")
    try:
        for name in ("relay", "execute", "ingest-bulk"):
            address = entries(life)[name]["metrics"]
            eventually(lambda address=address: get(address, "/ready").status_code == 503)  # type: ignore[misc]
            assert get(address, "/ready").json()["code"] == "service.unavailable"
            assert get(address, "/health").status_code == 200
    finally:
        life.found.stack.start_process("postgres")
    eventually(lambda: status(life)[0] == 0, 120)


def test_no_log_of_the_run_holds_a_canary(life: Life, town: Town) -> None:
    for path in life.found.stack.logs.glob("*.log"):
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not any(canary in text for canary in town.canaries), path.name
