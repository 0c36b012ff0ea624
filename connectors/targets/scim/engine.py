"""scim2-client over httpx: one request with a hard end, every failure as an `HttpFailure`."""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from scim2_client import BaseSyncSCIMClient
from scim2_client.client import describe_resource_models
from scim2_models import ScimProvider, ServiceProviderConfig

from connectors.targets.scim.errors import (
    EXPECTED_EXCEPTIONS,
    STALE,
    HttpFailure,
    Outcome,
    outcome_of_exception,
    outcome_of_status,
)
from connectors.targets.scim.models import TOLERANT, Account, Group
from connectors.targets.scim.settings import ScimSettings

_LARGEST_ANSWER = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer that has been read to its end."""

    status_code: int
    headers: httpx.Headers
    text: str = field(repr=False)


class HttpxScimClient(BaseSyncSCIMClient):
    """Thread-safe. `request` takes `until`: the instant (monotonic seconds) at which it gives up. `knows_or`: False once
    the server has refused a filter with `or`."""

    def __init__(self, settings: ScimSettings) -> None:
        super().__init__(provider=provider_with(None))
        self._settings = settings
        self.knows_or = True
        self._http = httpx.Client(
            base_url=settings.url.rstrip("/") + "/",
            headers={
                "Authorization": f"Bearer {settings.token}",
                "Accept": "application/scim+json",
                "Content-Type": "application/scim+json",
            },
            verify=_verification(settings.ca_file),
            proxy=settings.proxy or None,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=settings.connections),
        )

    def close(self) -> None:
        self._http.close()

    def request(self, method: str, url: str, *, until: float = 0.0, **kwargs: Any) -> RawAnswer:
        """Raises `HttpFailure` for everything but a 2xx answer. A read that meets a connection which the server has
        closed in the meantime is sent once more; a write never is."""
        end = until or time.monotonic() + self._settings.deadline
        path = url.lstrip("/")
        try:
            answer = self._once(method, path, end, kwargs)
        except EXPECTED_EXCEPTIONS as error:
            if not (method == "GET" and isinstance(error, STALE)):
                raise HttpFailure(outcome_of_exception(error), type(error).__name__) from None
            try:
                answer = self._once(method, path, end, kwargs)
            except EXPECTED_EXCEPTIONS as again:
                raise HttpFailure(outcome_of_exception(again), type(again).__name__) from None
        outcome = outcome_of_status(answer.status_code)
        if outcome is not Outcome.DONE:
            raise HttpFailure(outcome, f"status {answer.status_code}", _scim_type(answer.text))
        return answer

    def _once(self, method: str, path: str, end: float, kwargs: Mapping[str, Any]) -> RawAnswer:
        left = end - time.monotonic()
        if left <= 0:
            raise HttpFailure(Outcome.NOT_NOW, "deadline")
        timeout = httpx.Timeout(min(left, self._settings.read_timeout), connect=self._settings.connect_timeout)
        body = bytearray()
        with self._http.stream(method, path, timeout=timeout, **kwargs) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_ANSWER or time.monotonic() > end:
                    raise HttpFailure(Outcome.LOST, "an answer without end")
            return RawAnswer(answer.status_code, answer.headers, body.decode("utf-8", "replace"))


def provider_with(config: ServiceProviderConfig | None) -> ScimProvider:
    """What the client knows of the server; with its configuration, writes become conditional where it has ETags."""
    models, resource_types = describe_resource_models((Account, Group))
    return ScimProvider(models=models, resource_types=resource_types, config=config, policy=TOLERANT)


def _verification(ca_file: str) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=ca_file) if ca_file else True


def _scim_type(text: str) -> str:
    """The keyword of a SCIM error, or nothing: the rest of the answer may hold values and is not kept."""
    try:
        found = json.loads(text).get("scimType", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""
