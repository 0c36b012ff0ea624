"""Servers that the settings name: used in place of embedded ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import kafka, ldap, postgres, scim
from deploy.embedded.ldap import BASE_DN, Directory
from deploy.embedded.processes import log, wait_until
from deploy.embedded.scim import Scim
from streams.contracts.errors import KallanError, Unavailable

_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Given:
    """What exists already; None stands for: start one."""

    database_url: str | None = None
    kafka: str | None = None
    ldap: Directory | None = None
    scim: Scim | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Given":
        """Read KALLAN_DATABASE_URL, KALLAN_KAFKA, KALLAN_LDAP_URL with _BIND_DN and _BASE_DN, KALLAN_SCIM_URL. Password
        and token are the files `ldap.password` and `scim.token` in the folder KALLAN_SECRETS."""
        ldap_url, scim_url = environment.get("KALLAN_LDAP_URL"), environment.get("KALLAN_SCIM_URL")
        directory = target = None
        if ldap_url:
            bind_dn = environment.get("KALLAN_LDAP_BIND_DN", "")
            base_dn = environment.get("KALLAN_LDAP_BASE_DN", BASE_DN)
            directory = Directory(ldap_url, bind_dn, _secret(environment, "ldap.password"), base_dn)
        if scim_url:
            target = Scim(scim_url, _secret(environment, "scim.token"))
        return cls(
            environment.get("KALLAN_DATABASE_URL") or None, environment.get("KALLAN_KAFKA") or None, directory, target
        )

    def entries(self) -> dict[str, dict[str, str]]:
        """Their fields in stack.json."""
        found: dict[str, dict[str, str]] = {}
        if self.kafka:
            found["kafka"] = {"address": self.kafka}
        if self.database_url:
            found["postgres"] = {"url": self.database_url}
        if self.ldap:
            there = self.ldap
            found["ldap"] = {
                "url": there.url,
                "bind_dn": there.bind_dn,
                "password": there.password,
                "base_dn": there.base_dn,
            }
        if self.scim:
            found["scim"] = {"url": self.scim.url, "token": self.scim.token}
        return found

    def wait(self) -> None:
        """Wait until each of them answers. Raises Unavailable naming the one that does not."""
        checks: dict[str, Callable[[], bool]] = {}
        if self.kafka:
            address = self.kafka
            checks["kafka"] = lambda: kafka.answers(address)
        if self.database_url:
            url = self.database_url
            checks["postgres"] = lambda: postgres.answers(url)
        if self.ldap:
            directory = self.ldap
            checks["ldap"] = lambda: ldap.answers(directory)
        if self.scim:
            target = self.scim
            checks["scim"] = lambda: scim.answers(target)
        for name, answers in checks.items():
            if not answers():
                log.warning("%s, named in the settings, does not answer; waiting up to %.0f s", name, _PATIENCE)
                if not wait_until(answers, _PATIENCE, every=0.5):
                    raise Unavailable("service.unavailable", f"{name}, named in the settings, does not answer")


def _secret(environment: Mapping[str, str], name: str) -> str:
    folder = environment.get("KALLAN_SECRETS")
    if not folder or not (Path(folder) / name).exists():
        raise KallanError("settings.invalid", f"KALLAN_SECRETS: the secret file {name} is missing")
    return (Path(folder) / name).read_text().strip()
