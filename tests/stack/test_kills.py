"""While thousands of source events flow, everything is killed at random moments: nothing is lost, nothing doubled, nothing
wrong. The same history undisturbed, with the same secrets, tells what must come out.

    KALLAN_KILL_EVENTS  source records after the first loads   (5000 for the long run)
    KALLAN_KILL_ROUNDS  how often each worker and server is killed at least
    KALLAN_KILL_SEED    draws the history and the disturbances
"""

import datetime as dt
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ldap3
import psycopg
import pytest

from deploy.municipality.cast import Cast, NativeFile
from deploy.municipality.generate import generate
from streams.contracts.errors import Unavailable
from tests.stack.disturber import KILLED_SERVERS, Disturber
from tests.stack.history import START, History
from tests.stack.life import WORKERS, Life, Made, alive
from tests.stack.proxy import Proxy

EVENTS = int(os.environ.get("KALLAN_KILL_EVENTS", "1000"))
ROUNDS = int(os.environ.get("KALLAN_KILL_ROUNDS", "2"))
SEED = int(os.environ.get("KALLAN_KILL_SEED", "20260"))
PERSONS, UNITS = 200, 15
KILLS = ROUNDS * len((*WORKERS, *KILLED_SERVERS))
"""At least; about half as many again are made, for the least killed is the likeliest and no more."""
PATIENCE = 180.0 + EVENTS / 10

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.kills, pytest.mark.timeout(900 + EVENTS / 2)]


@dataclass(frozen=True, slots=True)
class Ending:
    """What a run came to. `people` are all entries of the directory as an outsider counts them."""

    made: Made
    people: int
    names: dict[str, int]


def _ending(life: Life) -> Ending:
    there = life.found.stack.services.ldap
    server = ldap3.Server(there.url, get_info=ldap3.NONE, connect_timeout=3)
    with ldap3.Connection(server, there.bind_dn, there.password, client_strategy=ldap3.SAFE_SYNC) as connection:
        found = connection.search(f"ou=people,{there.base_dn}", "(uid=*)", attributes=["uid"])[2]
    with life.world.base.pool.connection() as connection:
        counted = connection.execute(
            "select 'accounts', count(*) from iam.account union all select 'names', count(*) from iam.name_ledger"
        ).fetchall()
    return Ending(life.made(), len(found), {str(kind): int(count) for kind, count in counted})


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    return generate(tmp_path_factory.mktemp("town"), SEED, PERSONS, UNITS)


@pytest.fixture(scope="module")
def waves(cast: Cast) -> Sequence[tuple[NativeFile, NativeFile]]:
    return History(cast, SEED, EVENTS, per_wave=max(10, EVENTS // (2 * KILLS))).waves()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("undisturbed")


@pytest.fixture(scope="module")
def undisturbed(cast: Cast, waves: Sequence[tuple[NativeFile, NativeFile]], home: Path) -> Ending:
    with alive(home) as life:
        life.world.set_clock(START + dt.timedelta(days=20))
        for files in (cast.files, [file for wave in waves for file in wave]):
            _feed(life, files)
            life.world.quiet.wait(PATIENCE)
        return _ending(life)


def _feed(life: Life, files: Sequence[NativeFile]) -> None:
    """As an operator's script would: a load that ends because a server is away is started again."""
    for file in files:
        for attempt in range(60):
            try:
                life.feed([file])
                break
            except (Unavailable, psycopg.OperationalError) as error:
                log.info("load of %s, attempt %d: %s", file.path.name, attempt + 1, type(error).__name__)
                time.sleep(1.0)
        else:
            pytest.fail(f"{file.path.name} could not be loaded")


@pytest.fixture(scope="module")
def disturbed(
    cast: Cast,
    waves: Sequence[tuple[NativeFile, NativeFile]],
    home: Path,
    undisturbed: Ending,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Ending, Disturber]]:
    with Proxy(SEED) as proxy:
        more = {"KALLAN_LDAP_URL": f"ldap://127.0.0.1:{proxy.port}"}
        with alive(tmp_path_factory.mktemp("disturbed"), home / "secrets", more) as life:
            port = int(life.found.stack.services.ldap.url.rsplit(":", 1)[1].strip("/"))
            proxy.upstream = ("127.0.0.1", port)
            life.world.set_clock(START + dt.timedelta(days=20))
            _feed(life, cast.files)
            life.world.quiet.wait(PATIENCE)
            disturber = Disturber(life, proxy, SEED, ROUNDS)
            failed: list[BaseException] = []

            def feed() -> None:
                """A wave before each kill, so that work is on its way; what is left when everything has been killed."""
                try:
                    for wave in waves:
                        while not disturber.over.is_set() and not disturber.hungry.acquire(timeout=0.1):
                            pass
                        _feed(life, wave)
                except BaseException as error:  # noqa: BLE001  (shown by the test below: a thread's end is silent)
                    failed.append(error)

            feeder = threading.Thread(target=feed)
            feeder.start()
            try:
                disturber.run(PATIENCE)
            finally:
                disturber.over.set()
                proxy.behave()
                feeder.join(PATIENCE)
            assert not failed, failed
            began = time.monotonic()
            life.world.quiet.wait(PATIENCE)
            log.info("quiet %.1f s after the last kill; %s", time.monotonic() - began, dict(disturber.kills))
            yield _ending(life), disturber


def test_everything_was_killed_with_work_on_its_way(disturbed: tuple[Ending, Disturber]) -> None:
    _, disturber = disturbed
    assert all(disturber.kills[name] >= ROUNDS for name in (*WORKERS, *KILLED_SERVERS))
    assert all(disturber.while_pending[name] for name in WORKERS)
    assert disturber.proxy.cuts, "the line was cut after a write"


@pytest.mark.parametrize("state", ["master", "desired", "observed"])
def test_the_final_hashes_are_those_of_the_undisturbed_history(
    undisturbed: Ending, disturbed: tuple[Ending, Disturber], state: str
) -> None:
    assert disturbed[0].made.hashes[state] == undisturbed.made.hashes[state]


@pytest.mark.parametrize("target", ["directory", "collaboration"])
def test_the_targets_hold_what_they_hold_after_the_undisturbed_history(
    undisturbed: Ending, disturbed: tuple[Ending, Disturber], target: str
) -> None:
    assert disturbed[0].made.accounts[target] == undisturbed.made.accounts[target]


def test_nobody_has_two_entries_two_accounts_or_two_names(
    undisturbed: Ending, disturbed: tuple[Ending, Disturber]
) -> None:
    assert disturbed[0].people == undisturbed.people == len(undisturbed.made.accounts["directory"])
    assert disturbed[0].names == undisturbed.names


def test_no_record_is_set_aside(disturbed: tuple[Ending, Disturber]) -> None:
    assert not disturbed[0].made.dead_letters
