"""Persons read through the API, beside a bare FastAPI endpoint with one select."""

import sys
from urllib.parse import urlsplit

import httpx

from deploy.bench import requests
from deploy.bench.figures import Bound, Figure, Series
from deploy.bench.machine import OthersMeter
from deploy.bench.waiting import Pool, until
from deploy.embedded import issuer
from deploy.embedded.ports import free_port
from deploy.embedded.stack import Worker
from deploy.running import Running

CLIENT = "intranet"
_WARM = 0.5
_PERSONS = 200
_NAME = "bench-bare-api"


def measure(found: Running, pool: Pool, *, seconds: float, repeats: int) -> Figure:
    """In turn, so that both meet the same machine."""
    with pool.connection() as connection:
        rows = connection.execute(
            "select d.id from mmd.document d join iam.account a on a.person_id = d.id order by d.id limit %s",
            (_PERSONS,),
        ).fetchall()
    port = free_port()
    argv = (sys.executable, "-m", "deploy.bench.bare_api", str(port))
    found.stack.start_workers([Worker(_NAME, argv, dict(found.environment))])
    try:
        until(lambda: _answers(port, f"/persons/{rows[0][0]}"), 30.0, "the bare endpoint")
        return _measure(found, port, [str(row[0]) for row in rows], seconds, repeats)
    finally:
        found.stack.stop_process(_NAME)


def _measure(found: Running, bare_port: int, persons: list[str], seconds: float, repeats: int) -> Figure:
    ours = urlsplit(found.api_url).port or 80
    token = {"Authorization": f"Bearer {issuer.issue(found.stack.home, CLIENT)}"}
    paths, bare_paths = [f"/v1/persons/{one}" for one in persons], [f"/persons/{one}" for one in persons]
    meter = OthersMeter()
    requests.load(ours, paths, token, _WARM)
    requests.load(bare_port, bare_paths, {}, _WARM)
    meter.start()
    through: list[float] = []
    bare: list[float] = []
    for _ in range(repeats):
        through.append(requests.load(ours, paths, token, seconds))
        bare.append(requests.load(bare_port, bare_paths, {}, seconds))
    return Figure(
        "api-reads",
        "persons read through the API",
        "reads/s",
        Series(tuple(through)),
        Bound("bare FastAPI, one select", Series(tuple(bare))),
        note=f"one API process, {requests.CONNECTIONS} connections; token, release, opening and read log in each",
        others=meter.share(),
    )


def _answers(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
