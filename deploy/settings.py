"""Every setting of every process, once: `KALLAN_*` environment variables or a `.env`-style file named by KALLAN_SETTINGS.

Secrets are read from files, never from variables. A process refuses to start with a placeholder secret unless it runs in
the embedded demo. `docs/settings.md` is generated from these classes.
"""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar, get_args
from urllib.parse import quote, urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.broker import Broker
from streams.contracts.errors import KallanError

CONFIG = Path(__file__).parent / "config"
_PLACEHOLDERS = ("changeme", "change-me", "placeholder", "secret", "example", "password", "todo")
_SECRET_BYTES = 32

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LOG_LEVELS: tuple[str, ...] = get_args(LogLevel)


def read_secret(path: Path, *, demo: bool, least: int = _SECRET_BYTES) -> bytes:
    """A secret of at least so many bytes from a file (surrounding white space is dropped).

    Raises `KallanError("settings.invalid")` naming the file, never its content.
    """
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise KallanError("settings.invalid", f"secret file {path.name}: {error.strerror}") from error
    if not demo and any(word in content.decode("latin-1").lower() for word in _PLACEHOLDERS):
        raise KallanError("settings.invalid", f"secret file {path.name} holds a placeholder")
    if len(content) < least:
        raise KallanError("settings.invalid", f"secret file {path.name} is shorter than {least} bytes")
    return content


class Settings(BaseSettings):
    """What every process needs."""

    model_config = SettingsConfigDict(env_prefix="KALLAN_", extra="ignore", frozen=True)

    database_url: Annotated[str, Field(description="PostgreSQL, `postgresql://user:password@host:port/database`")]
    keys_database_url: Annotated[
        str, Field(description="PostgreSQL of the data keys, clock and dead letters; empty: the same")
    ] = ""
    database_password: Annotated[
        str, Field(description="Name of the secret file with the password that the URL leaves out; empty: none")
    ] = ""
    keys_database_password: Annotated[
        str, Field(description="The same for KALLAN_KEYS_DATABASE_URL; empty: KALLAN_DATABASE_PASSWORD")
    ] = ""
    secrets: Annotated[Path, Field(description="Folder of the secret files; each process reads only its own")]
    demo: Annotated[bool, Field(description="The embedded demo: placeholder secrets are accepted")] = False
    log_level: Annotated[LogLevel, Field(description="DEBUG, INFO, WARNING or ERROR")] = "INFO"
    log_format: Annotated[
        Literal["text", "json"], Field(description="`text` for people, `json`: one object a line for collectors")
    ] = "text"
    metrics_port: Annotated[
        int,
        Field(
            ge=0, le=65535, description="Port of a worker's `/metrics`, `/health` and `/ready`; 0: none (not the API's)"
        ),
    ] = 0
    metrics_host: Annotated[str, Field(description="Address that they are served on")] = "127.0.0.1"
    stall_seconds: Annotated[
        float, Field(gt=0, description="A worker is not ready when work is pending and nothing has moved for so long")
    ] = 60.0

    @field_validator("database_url", "keys_database_url")
    @classmethod
    def _is_postgresql(cls, value: str) -> str:
        if value and not value.startswith("postgresql://"):
            raise ValueError("must start with postgresql://")
        return value

    @property
    def store_url(self) -> str:
        """Of the stores, with its password."""
        return self._with_password(self.database_url, self.database_password)

    @property
    def keys_url(self) -> str:
        """Of keys, clock and dead letters, with its password."""
        if not self.keys_database_url:
            return self.store_url
        return self._with_password(self.keys_database_url, self.keys_database_password or self.database_password)

    def _with_password(self, url: str, name: str) -> str:
        if not name:
            return url
        parts = urlsplit(url)
        user, _, place = parts.netloc.rpartition("@")
        if not user or ":" in user:
            raise KallanError("settings.invalid", "a password file is for a URL with a user and without a password")
        return parts._replace(netloc=f"{user}:{quote(self.text_secret(name), safe='')}@{place}").geturl()

    def secret(self, name: str) -> bytes:
        """The secret file `name` of the secrets folder."""
        return read_secret(self.secrets / name, demo=self.demo)

    def text_secret(self, name: str) -> str:
        """A password or token that another system decided: any length, as text."""
        content = read_secret(self.secrets / name, demo=self.demo, least=1)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise KallanError("settings.invalid", f"secret file {name} is not text in UTF-8") from None

    @cached_property
    def master_key(self) -> bytes:
        """Wraps the data keys: 32 bytes, from 64 hex digits."""
        try:
            key = bytes.fromhex(self.secret("master.key").decode("ascii"))
        except ValueError:
            raise KallanError("settings.invalid", "secret file master.key is not hexadecimal") from None
        if len(key) != _SECRET_BYTES:
            raise KallanError("settings.invalid", "secret file master.key is not 64 hexadecimal digits")
        return key


class KafkaSettings(Settings):
    """Processes that talk to Kafka."""

    kafka: Annotated[str, Field(description="Kafka bootstrap servers, `host:port[,host:port]`")]
    kafka_user: Annotated[
        str,
        Field(
            description="Login at Kafka by SCRAM-SHA-512 over TLS, its password the secret file `kafka.password`; "
            "empty: neither login nor TLS"
        ),
    ] = ""
    kafka_ca: Annotated[
        str, Field(description="Certificate authority of the brokers (PEM file); empty: those of the system")
    ] = ""
    partitions: Annotated[int, Field(ge=1, description="Partitions of a topic when it is created")] = 24
    dead_letter_brake: Annotated[
        int,
        Field(
            ge=0,
            description="So many records of a source in a row that all become dead letters: the rest stays in the log "
            "until a restart; 0: never",
        ),
    ] = 50
    work_dir: Annotated[Path, Field(description="Scratch folder of the Faust workers")] = Path(".kallan/work")

    @property
    def broker(self) -> Broker:
        """Where Kafka is, and as whom this process talks to it."""
        if not self.kafka_user:
            return Broker(self.kafka)
        return Broker(self.kafka, self.kafka_user, self.text_secret("kafka.password"), self.kafka_ca)


class PrepareSettings(KafkaSettings):
    """`kallan compose prepare`: the administrator's step. KALLAN_DATABASE_URL is the owner's, whom it makes."""

    admin_database_url: Annotated[
        str, Field(description="PostgreSQL as its superuser, whose password is the secret file `postgres.password`")
    ]

    @property
    def admin_url(self) -> str:
        return self._with_password(self.admin_database_url, "postgres.password")


class MasterSettings(KafkaSettings):
    """`kallan ingest`, `kallan relay`, `kallan load`."""

    sources: Annotated[Path, Field(description="The source register: who is designated for what")] = (
        CONFIG / "sources.yml"
    )
    releases: Annotated[Path, Field(description="The releases: which reader may see what, for which purpose")] = (
        CONFIG / "releases.yml"
    )


class ProvisioningSettings(KafkaSettings):
    """`kallan evaluate`, `kallan execute`."""

    policy: Annotated[Path, Field(description="The provisioning policy")] = CONFIG / "policy.yml"
    authority_policies: Annotated[
        str, Field(description="Folder of the stricter policies of legal authorities, one YAML file each; empty: none")
    ] = ""
    name_domain: Annotated[str, Field(description="Domain of ePPN and mail")] = "kommun.test"


class ExecuteSettings(ProvisioningSettings):
    """`kallan execute`: the target systems. Passwords and tokens are secret files `ldap.password`, `scim.token`."""

    ldap_url: Annotated[str, Field(description="Directory, `ldap://host:port` or `ldaps://host:port`; empty: none")] = (
        ""
    )
    ldap_ca: Annotated[
        str, Field(description="Certificate authority of the directory (PEM file); empty: those of the system")
    ] = ""
    ldap_bind_dn: Annotated[str, Field(description="Whom execute binds as")] = ""
    ldap_base_dn: Annotated[str, Field(description="Where ou=people and ou=groups are")] = "dc=kommun,dc=test"
    ldap_disabling: Annotated[
        Literal["locked-time", "password-removed"], Field(description="`locked-time` (OpenLDAP) or `password-removed`")
    ] = "password-removed"
    scim_url: Annotated[str, Field(description="SCIM 2.0 base URL; empty: none")] = ""
    scim_ca: Annotated[
        str, Field(description="Certificate authority of the SCIM server (PEM file); empty: the usual ones")
    ] = ""
    execute_threads: Annotated[int, Field(ge=2, description="Threads a target; one is kept for revocations")] = 3


class ApiSettings(MasterSettings):
    """`kallan api`."""

    api_host: Annotated[str, Field(description="Address that the API listens on")] = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65535, description="Port of the API")] = 8080
    api_certificate: Annotated[
        Path | None, Field(description="The API's certificate chain (PEM file); empty: plain HTTP, behind a proxy")
    ] = None
    api_key: Annotated[Path | None, Field(description="The key of that certificate (PEM file)")] = None
    jwks: Annotated[Path, Field(description="Public keys (JWKS) of the token issuer")]
    issuer: Annotated[str, Field(description="`iss` that tokens must carry")]
    audience: Annotated[str, Field(description="`aud` that tokens must carry")] = "kallan"
    forms: Annotated[Path, Field(description="The forms that are prefilled")] = CONFIG / "forms.yml"


Kind = TypeVar("Kind", bound=Settings)


def load_settings(kind: type[Kind], fields: Mapping[str, str] = MappingProxyType({})) -> Kind:
    """The settings of one process; `fields` (by name, without KALLAN_) go before variables and file.

    Raises `KallanError("settings.invalid")` naming each variable, never a value.
    """
    file = os.environ.get("KALLAN_SETTINGS")
    if file and not Path(file).is_file():
        raise KallanError("settings.invalid", "KALLAN_SETTINGS: there is no such file")
    try:
        return kind(_env_file=file, **fields)  # type: ignore[call-arg,arg-type]  # pydantic-settings' own
    except ValidationError as error:
        wrong = "; ".join(f"KALLAN_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise KallanError("settings.invalid", wrong) from None
    except (OSError, UnicodeDecodeError) as error:
        raise KallanError("settings.invalid", f"KALLAN_SETTINGS: {type(error).__name__}") from None
