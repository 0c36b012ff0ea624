"""How a command finds the system that it is about: a stack that runs on this machine, or what the settings name."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict

from deploy.cli.stack import HOME, stack_file
from deploy.readings import Readings
from deploy.settings import ExecuteSettings, MasterSettings, ProvisioningSettings, load_settings
from deploy.wiring.base import Base
from deploy.wiring.data import read_policy, read_register
from deploy.wiring.readings import readings
from iam.domain.policy import Policy
from mmd.domain.register import SourceRegister
from streams.contracts.errors import KallanError, Unavailable

if TYPE_CHECKING:
    from connectors.sources.edge import Edge
    from connectors.targets.port import Target
    from streams.bus import Producer

_CONNECT_SECONDS = 5

Command = TypeVar("Command", bound=Callable[..., object])
Settings = Mapping[str, str]
"""By name without KALLAN_; empty: those of the environment."""


def home_option(command: Command) -> Command:
    """`--home`, for every command that looks for a running system."""
    folder = click.Path(file_okay=False, path_type=Path)
    return click.option("--home", type=folder, help="Folder of the running stack (default: KALLAN_HOME or .kallan)")(
        command
    )


@dataclass(frozen=True)
class Connection:
    """The parts that commands read and act with, each made, and its libraries loaded, when it is asked for: a command that
    looks at the store need not wait for those of the targets. `fields` are settings by name."""

    master: MasterSettings
    provisioning: ProvisioningSettings
    fields: Settings
    base: Base

    @cached_property
    def execute(self) -> ExecuteSettings:
        return load_settings(ExecuteSettings, self.fields)

    @cached_property
    def targets(self) -> "Mapping[str, Target]":
        from deploy.wiring import provisioning

        return provisioning.targets(self.execute)

    @cached_property
    def readings(self) -> Readings:
        """Stores and targets."""
        return readings(self.base, self.master, self.targets)

    @cached_property
    def stores(self) -> Readings:
        """The stores alone: no setting of a target is needed."""
        return readings(self.base, self.master, {})

    @cached_property
    def register(self) -> SourceRegister:
        return read_register(self.master.sources)

    @cached_property
    def policy(self) -> Policy:
        return read_policy(self.provisioning.policy, self.provisioning.authority_policies)

    @cached_property
    def producer(self) -> "Producer":
        from streams.kafka import KafkaProducer

        return KafkaProducer(self.master.broker, client_id="kallan-command")

    @property
    def reading_edge(self) -> "Edge":
        """Reads native files and publishes nothing."""
        from deploy.wiring import sources
        from streams.bus import MemoryBus

        return sources.edge(self.base, MemoryBus())

    @cached_property
    def edge(self) -> "Edge":
        """Publishes to Kafka."""
        from deploy.wiring import sources

        return sources.edge(self.base, self.producer)


@contextmanager
def connected(home: Path | None) -> Iterator[Connection]:
    """Looks in `home`, in KALLAN_HOME, in `.kallan` here, and then for KALLAN_* settings.

    Raises `Unavailable("service.unavailable")` where nothing runs or the database does not answer, and
    `KallanError("settings.invalid")` for settings that are wrong.
    """
    fields = settings_of(home)
    master = load_settings(MasterSettings, fields)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    _check(master.store_url)
    base = Base(master, "command")
    try:
        yield Connection(master, load_settings(ProvisioningSettings, fields), fields, base)
    finally:
        base.close()


def settings_of(home: Path | None) -> Settings:
    """The settings of the stack in the folder; empty where those of the environment are to be used."""
    named = home or (Path(os.environ["KALLAN_HOME"]) if os.environ.get("KALLAN_HOME") else None)
    if named is not None:
        return _of_stack(named)
    if _runs(HOME):
        return _of_stack(HOME)
    if os.environ.get("KALLAN_DATABASE_URL") or os.environ.get("KALLAN_SETTINGS"):
        return {}
    raise Unavailable(
        "service.unavailable",
        f"no stack runs in {HOME}; start one with `kallan up`, name its folder with --home or KALLAN_HOME, or give"
        " KALLAN_* settings",
    )


def _of_stack(home: Path) -> Settings:
    services = stack_file(home)["services"]
    if not _runs(home):
        raise Unavailable("service.unavailable", f"the stack in {home} has ended without cleaning up")
    ldap, scim = services["ldap"], services["scim"]
    return {
        "database_url": services["postgres"]["url"],
        "kafka": services["kafka"]["address"],
        "secrets": str(home.absolute() / "secrets"),
        "demo": "true",
        "ldap_url": ldap["url"],
        "ldap_bind_dn": ldap["bind_dn"],
        "ldap_base_dn": ldap["base_dn"],
        "scim_url": scim["url"],
    }


def _runs(home: Path) -> bool:
    """Whether a stack.json is there and any process that it names is: a stack that was killed leaves the file behind."""
    try:
        told = stack_file(home)
    except KallanError:
        return False
    pids = [entry.get("pid") for group in told.values() for entry in group.values()]
    return any(pid and Path("/proc", str(pid)).exists() for pid in pids)


def _check(url: str) -> None:
    """One look at the database, so that what is wrong is told in one line and at once."""
    named = conninfo_to_dict(url)
    where = f"{named.get('host') or 'localhost'}:{named.get('port') or 5432}"
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
            row = connection.execute("select exists (select from pg_tables where schemaname = 'mmd')").fetchone()
    except psycopg.OperationalError:
        raise Unavailable("service.unavailable", f"PostgreSQL at {where}") from None
    if row is None or not row[0]:
        raise Unavailable("service.unavailable", f"PostgreSQL at {where} has no tables of ours: run `kallan migrate`")
