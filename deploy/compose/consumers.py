"""Who is given which secret files: each container a folder of its own, and nothing in it that it does not need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.compose.database_rights import OWNER, SCHEMAS
from deploy.compose.kafka_rights import ADMIN, OPERATOR, SOURCES, logins
from deploy.running import SECRETS

KALLAN, KAFKA, POSTGRES, OPENLDAP = 10001, 1000, 999, 10002
"""User ids in the images."""

SERVERS: Mapping[str, Sequence[str]] = {
    "kafka": ("kafka", "localhost"),
    "postgres": ("postgres",),
    "openldap": ("openldap",),
    "scim": ("scim",),
    "api": ("api", "localhost", "127.0.0.1"),
}
"""The names by which each server with a certificate is reached."""

MASTER_KEY = "master.key"
_CA = "ca.pem"


@dataclass(frozen=True, slots=True)
class Consumer:
    """A container, the user that it runs as, and its files: name there -> name in the authority's folder."""

    name: str
    uid: int
    files: Mapping[str, str]


def kafka_password(login: str) -> str:
    return f"kafka-{login}.password"


def database_password(login: str) -> str:
    return f"database-{login}.password"


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _process(name: str, kafka: str, database: str, *more: str) -> Consumer:
    """One of our processes: its logins, the key that opens the data keys, and what it names besides."""
    files = _same(_CA, MASTER_KEY, *more)
    files |= {"database.password": database_password(database), "keys.password": database_password("streams")}
    if kafka:
        files["kafka.password"] = kafka_password(kafka)
    return Consumer(name, KALLAN, files)


_TARGETS = ("ldap.password", "scim.token")
_INGEST = ("person.secret", "digest.secret")

CONSUMERS: tuple[Consumer, ...] = (
    Consumer("kafka", KAFKA, _same(_CA, "kafka.store", "cluster.id", "admin.scram")),
    Consumer("postgres", POSTGRES, _same("postgres.pem", "postgres.key", "postgres.password")),
    Consumer("openldap", OPENLDAP, _same(_CA, "openldap.pem", "openldap.key", "ldap.password")),
    Consumer("scim", KALLAN, _same(_CA, "scim.pem", "scim.key", "scim.token")),
    Consumer(
        "prepare",
        KALLAN,
        _same(_CA, "postgres.password")
        | {"kafka.password": kafka_password(ADMIN), "database.password": database_password(OWNER)}
        | _same(*(kafka_password(login) for login in logins()))
        | _same(*(database_password(login) for login in SCHEMAS)),
    ),
    _process("ingest-urgent", "ingest-urgent", "mmd", *_INGEST),
    _process("ingest-bulk", "ingest-bulk", "mmd", *_INGEST),
    _process("relay", "mmd-relay", "mmd"),
    _process("evaluate-urgent", "evaluate-urgent", "iam", "account.secret"),
    _process("evaluate-bulk", "evaluate-bulk", "iam", "account.secret"),
    _process("execute", "iam-relay", "iam", *_TARGETS),
    _process("api", "", "mmd", *_INGEST, "subject.secret", "api.pem", "api.key"),
    _process("load", SOURCES, "connectors", "subject.secret"),
    _process("operator", OPERATOR, "operator", *(name for name in SECRETS if name != MASTER_KEY), *_TARGETS),
    Consumer("replay", KALLAN, _same(_CA) | {"database.password": database_password("replay")}),
)
