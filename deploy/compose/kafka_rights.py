"""Who may do what in Kafka: one login (principal) for each worker, its rights derived from the catalogue of topics.

A catalogue's reader is a consumer group of the same name; a writer only writes. Whatever is not said here is denied by
the broker (`allow.everyone.if.no.acl.found=false`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from streams.catalogue import TOPICS
from streams.kafka_client import ANSWER_SECONDS

ADMIN = "admin"
"""The broker's superuser: makes topics, logins and rights, and nothing else uses it."""

OPERATOR = "operator"
"""Commands that a person runs: reads every topic, feeds the sources' topics, asks how far the groups have come."""

SOURCES = "source-connectors"
_READ_AGAIN = "kallan-read-"
"""How groups begin in whose name the log is read again (`streams.kafka_log`); they never join and commit nothing."""

_ITERATIONS = 8192


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """`login` may do `operation` (READ, WRITE, DESCRIBE) on the topic or group `name`, or on all that begin so."""

    login: str
    kind: str
    name: str
    operation: str
    prefix: bool = False

    def binding(self) -> AclBinding:
        pattern = ResourcePatternType.PREFIXED if self.prefix else ResourcePatternType.LITERAL
        return AclBinding(
            ResourceType[self.kind],
            self.name,
            pattern,
            f"User:{self.login}",
            "*",
            AclOperation[self.operation],
            AclPermissionType.ALLOW,
        )


def rights() -> frozenset[Right]:
    """Every right there is, from the catalogue."""
    found = set[Right]()
    for topic in TOPICS:
        found |= {Right(writer, "TOPIC", topic.name, "WRITE") for writer in topic.writers}
        found |= {Right(reader, "TOPIC", topic.name, "READ") for reader in topic.readers}
        found |= {Right(reader, "GROUP", reader, "READ") for reader in topic.readers}
        found |= {Right(OPERATOR, "GROUP", reader, "DESCRIBE") for reader in topic.readers}
        found.add(Right(OPERATOR, "TOPIC", topic.name, "READ"))
        if SOURCES in topic.writers:
            found.add(Right(OPERATOR, "TOPIC", topic.name, "WRITE"))
    found.add(Right(OPERATOR, "GROUP", _READ_AGAIN, "READ", prefix=True))
    return frozenset(found)


def logins() -> tuple[str, ...]:
    """Whom the broker knows besides its superuser."""
    return tuple(sorted({right.login for right in rights()}))


def apply_rights(admin: AdminClient, wanted: Iterable[Right]) -> tuple[int, int]:
    """Make the broker's rights exactly these; how many were added and how many taken away. Safe to repeat."""
    everything = AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name: the stub forgets it
        ResourcePatternType.ANY,
        None,  # type: ignore[arg-type]  # anybody
        None,  # type: ignore[arg-type]  # from anywhere
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    there = set(admin.describe_acls(everything, request_timeout=ANSWER_SECONDS).result(ANSWER_SECONDS))
    bindings = {right.binding() for right in wanted}
    missing, surplus = sorted(bindings - there), sorted(there - bindings)
    if missing:
        for created in admin.create_acls(missing, request_timeout=ANSWER_SECONDS).values():
            created.result(ANSWER_SECONDS)
    if surplus:
        for deleted in admin.delete_acls([_filter(one) for one in surplus], request_timeout=ANSWER_SECONDS).values():
            deleted.result(ANSWER_SECONDS)
    return len(missing), len(surplus)


def _filter(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def apply_logins(admin: AdminClient, passwords: Mapping[str, str]) -> None:
    """These logins with these passwords, and no other login but the superuser's. Safe to repeat."""
    described = admin.describe_user_scram_credentials()
    if isinstance(described, dict):
        raise TypeError("one answer about every login was expected")
    there = set(described.result(ANSWER_SECONDS))
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
    changes: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(login, info, password.encode()) for login, password in sorted(passwords.items())
    ]
    changes += [
        UserScramCredentialDeletion(login, ScramMechanism.SCRAM_SHA_512)
        for login in sorted(there - set(passwords) - {ADMIN})
    ]
    for future in admin.alter_user_scram_credentials(changes).values():
        future.result(ANSWER_SECONDS)
