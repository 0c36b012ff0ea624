"""Servers that the settings name: used in place of embedded ones."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.embedded import kafka, ldap, postgres, scim
from deploy.embedded.ldap import BASE_DN, Directory
from deploy.embedded.processes import log
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
        """Wait until all of them answer, up to a minute; says at once which ones it waits for.

        Raises Unavailable naming those that still do not.
        """
        absent = {name: answers for name, answers in self._checks().items() if not answers()}
        for name in absent:
            log.warning("%s, named in the settings, does not answer; waiting up to %.0f s", name, _PATIENCE)
        end = time.monotonic() + _PATIENCE
        while absent:
            if time.monotonic() > end:
                raise Unavailable("service.unavailable", f"{', '.join(absent)}: named in the settings, no answer")
            time.sleep(0.5)
            for name in [name for name, answers in absent.items() if answers()]:
                log.info("%s answers", name)
                del absent[name]

    def _checks(self) -> dict[str, Callable[[], bool]]:
        checks: dict[str, Callable[[], bool]] = {}
        if self.kafka:
            checks["kafka"] = partial(kafka.answers, self.kafka)
        if self.database_url:
            checks["postgres"] = partial(postgres.answers, self.database_url)
        if self.ldap:
            checks["ldap"] = partial(ldap.answers, self.ldap)
        if self.scim:
            checks["scim"] = partial(scim.answers, self.scim)
        return checks


def _secret(environment: Mapping[str, str], name: str) -> str:
    folder = environment.get("KALLAN_SECRETS")
    if not folder or not (Path(folder) / name).exists():
        raise KallanError("settings.invalid", f"KALLAN_SECRETS: the secret file {name} is missing")
    return (Path(folder) / name).read_text().strip()
