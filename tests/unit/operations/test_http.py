"""A worker's own HTTP server: what it says, and that it listens nowhere else."""

import json
import socket

import httpx
import pytest

from deploy.operations.http import serving
from deploy.operations.watch import Verdict
from deploy.settings import Settings
from streams.contracts.errors import TEXTS, KallanError
from streams.metrics import Meter
from streams.worker_metrics import READY


def get(address: str, path: str) -> httpx.Response:
    return httpx.get(f"{address}{path}", timeout=5.0, trust_env=False)


def test_it_lives_is_ready_and_shows_what_it_measures() -> None:
    meter = Meter()
    meter.set(READY, 1)
    with serving("127.0.0.1", 0, meter, Verdict) as address:
        assert get(address, "/health").json() == {"status": "ok"}
        assert get(address, "/ready").json() == {"status": "ready"}
        shown = get(address, "/metrics")
    assert shown.headers["content-type"].startswith("text/plain")
    assert "kallan_worker_ready 1.0" in shown.text.splitlines()


def test_a_worker_that_is_not_ready_lives_all_the_same_and_says_why_by_a_code() -> None:
    verdict = Verdict("worker.stalled", "timers: 3 pending, nothing moved for 61 s")
    with serving("127.0.0.1", 0, Meter(), lambda: verdict) as address:
        assert get(address, "/health").status_code == 200
        answer = get(address, "/ready")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json() == {
        "type": "about:blank",
        "title": TEXTS["worker.stalled"].en,
        "status": 503,
        "code": "worker.stalled",
        "detail": "timers: 3 pending, nothing moved for 61 s",
    }


def test_another_address_is_not_there_and_is_not_repeated() -> None:
    with serving("127.0.0.1", 0, Meter(), Verdict) as address:
        answer = get(address, "/hedda")
    assert answer.status_code == 404
    assert json.loads(answer.content)["code"] == "resource.unknown"
    assert "hedda" not in answer.text


def test_a_port_that_is_taken_is_told_by_the_name_of_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(KallanError, match=r"settings\.invalid: KALLAN_METRICS_PORT"),
            serving("127.0.0.1", port, Meter(), Verdict),
        ):
            pass


def test_by_default_nothing_is_served_and_never_to_other_machines() -> None:
    fields = Settings.model_fields
    assert (fields["metrics_port"].default, fields["metrics_host"].default) == (0, "127.0.0.1")


def test_requests_leave_no_line_behind(capfd: pytest.CaptureFixture[str]) -> None:
    with serving("127.0.0.1", 0, Meter(), Verdict) as address:
        get(address, "/ready")
    assert capfd.readouterr() == ("", "")
