"""Servers that the settings name are used in place of embedded ones, also when they come half a minute later than `up`."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from deploy.embedded.stack import Stack
from tests.stack.life import SERVERS, WORKERS, until
from tests.stack.terminal import READY, healthy, interrupt, kallan

ABSENT_SECONDS = float(os.environ.get("KALLAN_STACK_ABSENT", "30"))

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Four servers that somebody else runs."""
    with Stack(tmp_path_factory.mktemp("elsewhere"), throwaway=True) as stack:
        yield stack


@pytest.fixture
def named(elsewhere: Stack) -> Mapping[str, str]:
    there = elsewhere.services
    return {
        "KALLAN_DATABASE_URL": there.database_url,
        "KALLAN_KAFKA": there.kafka,
        "KALLAN_LDAP_URL": there.ldap.url,
        "KALLAN_LDAP_BIND_DN": there.ldap.bind_dn,
        "KALLAN_LDAP_BASE_DN": there.ldap.base_dn,
        "KALLAN_SCIM_URL": there.scim.url,
        "KALLAN_SECRETS": str(elsewhere.secrets),
    }


def test_ctrl_c_while_it_waits_for_a_named_server_leaves_nothing(
    elsewhere: Stack, named: Mapping[str, str], tmp_path: Path
) -> None:
    for name in SERVERS:
        elsewhere.stop_process(name)
    with kallan(tmp_path / "home", "up", more=named) as run:
        run.says("named in the settings, does not answer", 30)
        interrupt(run)
        assert "Traceback" not in run.said


def test_up_waits_for_the_servers_that_the_settings_name_and_then_works(
    elsewhere: Stack, named: Mapping[str, str], tmp_path: Path
) -> None:
    """After the test above: none of them runs."""
    with kallan(tmp_path / "home", "up", more=named) as run:
        for name in SERVERS:
            run.says(f"{name}, named in the settings, does not answer", 30)
        time.sleep(ABSENT_SECONDS)
        assert READY not in run.said
        for name in SERVERS:
            elsewhere.start_process(name)
        run.says(READY)
        told = run.stack
        assert set(told["workers"]) == set(WORKERS)
        assert "pid" not in told["services"]["kafka"], "it is not ours"
        assert told["services"]["ldap"]["url"] == named["KALLAN_LDAP_URL"]
        until(lambda: healthy(run.stack), 30, "the API answers")
        interrupt(run)
    assert all(elsewhere.pid(name) for name in SERVERS), "what is not ours goes on"
