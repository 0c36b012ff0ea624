"""The provisioning leg: evaluate, execute with the target systems, and the relay of account facts."""

from collections.abc import Mapping
from typing import Protocol

from connectors.targets.ldap.settings import LdapSettings
from connectors.targets.ldap.target import LdapTarget
from connectors.targets.port import Disabling, Target
from connectors.targets.scim.settings import ScimSettings
from connectors.targets.scim.target import ScimTarget
from deploy.settings import ExecuteSettings, ProvisioningSettings
from deploy.wiring.base import Base, Pool
from deploy.wiring.data import read_policy
from iam.evaluate.handler import EvaluateHandler
from iam.evaluate.timers import Timers
from iam.execute.executor import Executor
from iam.relay.relay import AccountRelay
from streams.bus import Producer
from streams.codec import PublishedCodec, RecordCodec
from streams.sealing import KeyClass


def evaluate_handler(base: Base, settings: ProvisioningSettings, pool: Pool | None = None) -> EvaluateHandler:
    """`pool`: another than the base's, for a rehearsal."""
    return EvaluateHandler(
        pool or base.pool,
        PublishedCodec(base.keys),
        base.keys,
        read_policy(settings.policy, settings.authority_policies),
        settings.secret("account.secret"),
        settings.name_domain,
        base.clock,
    )


def timers(base: Base, settings: ProvisioningSettings) -> Timers:
    secret = settings.secret("account.secret")
    return Timers(
        base.pool,
        base.keys,
        read_policy(settings.policy, settings.authority_policies),
        secret,
        settings.name_domain,
        base.clock,
    )


_CONNECT, _ANSWER, _CALL = 2.0, 4.0, 8.0
"""Seconds. Short, because what a crashed executor was doing waits for its lease, and the lease outlives these."""
LEASE_SECONDS = 25.0


class Connected(Target, Protocol):
    """A target that keeps connections until it is closed."""

    def close(self) -> None: ...


def targets(settings: ExecuteSettings) -> dict[str, Connected]:
    """The connected target systems, by the names that the policy uses. To be closed by whoever asked."""
    found: dict[str, Connected] = {}
    if settings.ldap_url:
        found["directory"] = LdapTarget(
            LdapSettings(
                url=settings.ldap_url,
                bind_dn=settings.ldap_bind_dn,
                password=settings.text_secret("ldap.password"),
                base_dn=settings.ldap_base_dn,
                ca_file=settings.ldap_ca,
                name="directory",
                disabling=Disabling(settings.ldap_disabling),
                connect_timeout=_CONNECT,
                receive_timeout=_ANSWER,
                deadline=_CALL,
            )
        )
    if settings.scim_url:
        found["collaboration"] = ScimTarget(
            ScimSettings(
                url=settings.scim_url,
                token=settings.text_secret("scim.token"),
                ca_file=settings.scim_ca,
                name="collaboration",
                hosting="cloud",
                connect_timeout=_CONNECT,
                read_timeout=_ANSWER,
                deadline=_CALL,
            )
        )
    return found


def executor(base: Base, settings: ExecuteSettings, given: Mapping[str, Target]) -> Executor:
    return Executor(
        *(base.pool, base.keys, given, base.ticker, base.clock, base.owner),
        threads=settings.execute_threads,
        lease_seconds=LEASE_SECONDS,
        meter=base.meter,
    )


def account_relay(base: Base, producer: Producer) -> AccountRelay:
    codec = RecordCodec(base.keys, KeyClass.ACCOUNT)
    return AccountRelay(base.pool, codec, producer, base.clock, base.ticker, base.owner)
