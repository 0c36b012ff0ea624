"""The whole system in one folder: the embedded servers, the schemas and topics, every worker and the API."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import issuer
from deploy.embedded.given import Given
from deploy.embedded.ports import free_port
from deploy.embedded.stack import Stack, Worker
from deploy.settings import ApiSettings, ExecuteSettings, MasterSettings
from deploy.wiring.base import migrate_all
from streams.kafka_topics import create_topics

SECRETS = ("master.key", "subject.secret", "person.secret", "digest.secret", "account.secret")
"""Made for each folder on first use; the subject and person secrets are permanent for the data in it."""

PARTITIONS = 4
"""Of the embedded broker: it runs on the same two cores as everything else (the default elsewhere is 24)."""

_WORKERS: Mapping[str, tuple[str, ...]] = {
    "ingest-urgent": ("ingest", "--lane", "urgent"),
    "ingest-bulk": ("ingest", "--lane", "bulk"),
    "relay": ("relay",),
    "evaluate-urgent": ("evaluate", "--lane", "urgent"),
    "evaluate-bulk": ("evaluate", "--lane", "bulk"),
    "execute": ("execute",),
}


@dataclass(frozen=True, slots=True)
class Running:
    """A stack whose workers are started. `environment` holds the settings that they were given."""

    stack: Stack
    environment: Mapping[str, str]
    api_url: str

    @property
    def master(self) -> MasterSettings:
        return MasterSettings.model_validate(self._fields())

    @property
    def execute(self) -> ExecuteSettings:
        return ExecuteSettings.model_validate(self._fields())

    @property
    def api(self) -> ApiSettings:
        return ApiSettings.model_validate(self._fields())

    def _fields(self) -> dict[str, str]:
        return {name.removeprefix("KALLAN_").lower(): value for name, value in self.environment.items()}


@contextlib.contextmanager
def running(
    home: Path, *, throwaway: bool = False, more: Mapping[str, str] | None = None, partitions: int = PARTITIONS
) -> Iterator[Running]:
    """Everything up for as long as the block lasts. Servers that KALLAN_* variables name are used instead of embedded
    ones; other KALLAN_* variables of this process reach the workers too. `more` adds settings,
    `partitions` is how many a topic gets that does not exist yet.

    Raises `KallanError("stack.in-use")` where another stack has the folder.
    """
    given = Given.from_environment(os.environ)
    with Stack(home, given, keys=SECRETS, throwaway=throwaway) as stack:
        port = free_port()
        environment = _environment(stack, port) | dict(more or {})
        found = Running(stack, environment, f"http://127.0.0.1:{port}")
        migrate_all(found.master)
        create_topics(stack.services.kafka, partitions=partitions)
        stack.start_workers([_worker(name, arguments, environment) for name, arguments in _WORKERS.items()])
        stack.start_workers([_api(environment, found.api_url)])
        yield found


def _environment(stack: Stack, port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name.startswith("KALLAN_")}
    services = stack.services
    return inherited | {
        "KALLAN_DATABASE_URL": services.database_url,
        "KALLAN_KAFKA": services.kafka,
        "KALLAN_SECRETS": str(stack.secrets),
        "KALLAN_DEMO": "true",
        "KALLAN_WORK_DIR": str(stack.home / "work"),
        "KALLAN_LDAP_URL": services.ldap.url,
        "KALLAN_LDAP_BIND_DN": services.ldap.bind_dn,
        "KALLAN_LDAP_BASE_DN": services.ldap.base_dn,
        "KALLAN_SCIM_URL": services.scim.url,
        "KALLAN_API_PORT": str(port),
        "KALLAN_JWKS": str(issuer.jwks(stack.home)),
        "KALLAN_ISSUER": issuer.ISSUER,
    }


def _worker(name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Worker:
    port = free_port()
    own = {**environment, "KALLAN_METRICS_PORT": str(port)}
    return Worker(name, _command(*arguments), own, metrics=f"http://127.0.0.1:{port}")


def _api(environment: Mapping[str, str], url: str) -> Worker:
    """It serves its metrics and readiness itself."""
    return Worker("api", _command("api"), environment, {"url": url}, metrics=url)


def _command(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "deploy.cli", *arguments)
