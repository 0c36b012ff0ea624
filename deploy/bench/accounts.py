"""Accounts into the targets: through the executor, beside what a bare client of the same server does."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator

import httpx
import ldap3

from connectors.targets.ldap.entries import ACTIVE, CLASSES, KEY, person_dn
from deploy.bench.figures import Bound, Figure, rates
from deploy.bench.machine import OthersMeter
from deploy.bench.population import Population
from deploy.bench.waiting import Pool, decided, number, until
from deploy.running import Running
from deploy.wiring import provisioning
from deploy.wiring.base import Base
from streams.contracts.errors import Unavailable
from streams.kafka import KafkaProducer

DIRECTORY, CLOUD = "directory", "collaboration"
_PATIENCE = 120.0

_OPEN = "select count(*) from iam.work where target = %s"
_MARK = "select coalesce(max(id), 0) from iam.journal"
_CALLS = "select count(*) from iam.journal where target = %s and kind = 'intent' and id > %s"

_TOOK = """
select extract(epoch from max(recorded_at) - min(recorded_at)) from iam.journal where target = %s and id > %s
"""


def measure(found: Running, population: Population, *, batch: int, repeats: int) -> list[Figure]:
    """Loads everybody in `repeats` batches. The worker `execute` stands still meanwhile; an executor of this process, with
    the worker's settings, carries out the directory's part alone. Then the worker goes on with the other target."""
    meter, pool = OthersMeter(), population.world.base.pool
    found.stack.stop_process("execute")
    meter.start()
    through: list[float] = []
    raw: list[float] = []
    calls = 0.0
    for turn in range(repeats):
        with _facts_delivered(found):
            population.load(turn * batch, batch)
            decided(population.world.quiet, _PATIENCE)
        mark = number(pool, _MARK)
        through.append(_directory_alone(found, pool))
        calls += number(pool, _CALLS, DIRECTORY, int(mark))
        raw.append(_raw_ldap(found, batch))
    directory = Figure(
        "accounts-ldap",
        "accounts into LDAP through the executor",
        "accounts/s",
        rates(batch, through),
        Bound("raw ldap3 adds, one connection", rates(batch, raw)),
        note=f"each with unit, role and manager; {batch} at a time, read back",
        others=meter.share(),
        details={"calls of the target per account": calls / (batch * repeats)},
    )
    meter.start()
    cloud = [_worker_alone(found, pool)]
    raw = [_raw_scim(found, batch) for _ in range(repeats)]
    return [
        directory,
        Figure(
            "accounts-scim",
            "accounts into SCIM through the executor",
            "accounts/s",
            rates(batch * repeats, cloud),
            Bound("raw POSTs of users, one connection", rates(batch, raw)),
            note="the same accounts at once, by the worker",
            others=meter.share(),
        ),
    ]


@contextlib.contextmanager
def _facts_delivered(found: Running) -> Iterator[None]:
    """The part of the worker `execute` that brings the names that were given out to the log, by itself: nothing is made
    in a target before they are there."""
    base = Base(found.execute, "bench-facts")
    stop = threading.Event()
    relay = provisioning.account_relay(base, KafkaProducer(found.execute.kafka, client_id="bench-facts"))
    thread = threading.Thread(target=relay.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        base.close()


def _directory_alone(found: Running, pool: Pool) -> float:
    """Seconds until no work is left for the directory."""
    settings = found.execute
    base = Base(settings, "bench-execute", pool_size=4 + settings.execute_threads)
    targets = {name: target for name, target in provisioning.targets(settings).items() if name == DIRECTORY}
    executor = provisioning.executor(base, settings, targets)
    stop = threading.Event()
    thread = threading.Thread(target=executor.run, args=(stop,), daemon=True)
    try:
        began = time.perf_counter()
        thread.start()
        until(lambda: number(pool, _OPEN, DIRECTORY) == 0, _PATIENCE, "accounts in the directory", every=0.02)
        return time.perf_counter() - began
    finally:
        stop.set()
        thread.join()
        base.close()


def _worker_alone(found: Running, pool: Pool) -> float:
    """Seconds from the first intent to the last read-back, as the journal has them: the worker starts before."""
    mark = int(number(pool, _MARK))
    found.stack.start_process("execute")
    until(lambda: number(pool, _OPEN, CLOUD) == 0, _PATIENCE, "accounts over SCIM")
    return number(pool, _TOOK, CLOUD, mark)


def _raw_ldap(found: Running, count: int) -> float:
    """Seconds for so many adds of entries like ours, one after the other; they are deleted again, not timed."""
    ldap = found.stack.services.ldap
    server = ldap3.Server(ldap.url, get_info=ldap3.NONE)
    connection = ldap3.Connection(server, ldap.bind_dn, ldap.password, client_strategy=ldap3.SAFE_SYNC)
    connection.bind()
    entries = [_entry(ldap.base_dn) for _ in range(count)]
    try:
        began = time.perf_counter()
        for dn, values in entries:
            done, result, _, _ = connection.add(dn, list(CLASSES), values)
            if not done:
                raise Unavailable("target.unreachable", f"bench: raw add: result {result['result']}")
        seconds = time.perf_counter() - began
        for dn, _ in entries:
            connection.delete(dn)
        return seconds
    finally:
        connection.unbind()


def _entry(base_dn: str) -> tuple[str, dict[str, str]]:
    key = str(uuid.uuid4())
    uid = f"bench{key[:8]}"
    values = {
        "uid": uid,
        "cn": "Linnéa Lindqvist",
        "sn": "Lindqvist",
        "givenName": "Linnéa",
        "displayName": "Linnéa Lindqvist",
        "title": "undersköterska",
        "ou": "Hemtjänst Centrum",
        "mail": f"{uid}@kommun.test",
        "eduPersonPrincipalName": f"{uid}@kommun.test",
        KEY: key,
        ACTIVE: "TRUE",
    }
    return person_dn(uid, f"ou=people,{base_dn}"), values


def _raw_scim(found: Running, count: int) -> float:
    """Seconds for so many POSTs of users like ours over one connection; they are deleted again, not timed."""
    scim = found.stack.services.scim
    headers = {"Authorization": f"Bearer {scim.token}", "Content-Type": "application/scim+json"}
    made = []
    with httpx.Client(base_url=f"{scim.url}/", headers=headers, trust_env=False, timeout=10.0) as client:
        users = [_user() for _ in range(count)]
        began = time.perf_counter()
        for user in users:
            made.append(client.post("Users", json=user).raise_for_status().json()["id"])
        seconds = time.perf_counter() - began
        for one in made:
            client.delete(f"Users/{one}").raise_for_status()
    return seconds


def _user() -> dict[str, object]:
    key = str(uuid.uuid4())
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
        "externalId": key,
        "userName": f"bench{key[:8]}",
        "active": True,
        "displayName": "Linnéa Lindqvist",
        "name": {"givenName": "Linnéa", "familyName": "Lindqvist"},
        "title": "undersköterska",
        "emails": [{"value": f"bench{key[:8]}@kommun.test", "type": "work"}],
        enterprise: {"department": "Hemtjänst Centrum"},
    }
