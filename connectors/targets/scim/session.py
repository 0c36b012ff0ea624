"""The requests of one call of the port: users by key, groups, lists in pages; failures as the port's errors."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from scim2_client.errors import SCIMClientException
from scim2_models import ListResponse, Resource, SCIMException, ServiceProviderConfig

from connectors.targets.scim.engine import HttpxScimClient
from connectors.targets.scim.errors import HttpFailure, Outcome, error_for
from connectors.targets.scim.models import Account, User
from connectors.targets.scim.settings import ScimSettings
from streams.contracts.errors import KallanError, Unavailable

T = TypeVar("T")
ResourceT = TypeVar("ResourceT", bound=Resource[Any])
Operation = Mapping[str, object]
"""One PATCH operation as it is sent: op, path, value (RFC 7644, section 3.5.2)."""

Expected = Callable[[HttpFailure], bool]

_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_TRIES = 3


def _none(failure: HttpFailure) -> bool:
    return False


def _is_missing(failure: HttpFailure) -> bool:
    return failure.outcome is Outcome.MISSING


def _refuses_the_filter(failure: HttpFailure) -> bool:
    return failure.outcome is Outcome.REFUSED and failure.scim_type == "invalidFilter"


class Session:
    """Remembers whether anything was written: after that no failure may be called `nothing was sent`."""

    def __init__(self, client: HttpxScimClient, settings: ScimSettings, *, listing: bool = False) -> None:
        self._client = client
        self._settings = settings
        self._until = time.monotonic() + settings.deadline
        self._listing = listing  # reads everything: every page has the whole deadline
        self._wrote = False

    # --- reading ---

    def configuration(self) -> ServiceProviderConfig | None:
        """What the server can, or None where it does not tell."""
        try:
            found = self._read(lambda: self._client.query(ServiceProviderConfig, until=self._until), _is_missing)
        except HttpFailure:
            return None
        return found if isinstance(found, ServiceProviderConfig) else None

    def get(self, user_id: str) -> Account | None:
        try:
            found = self._read(lambda: self._client.query(Account, user_id, until=self._until), _is_missing)
        except HttpFailure:
            return None
        return found if isinstance(found, User) else None

    def find_any(self, model: type[ResourceT], conditions: Sequence[str]) -> list[ResourceT]:
        """Everything that fits one of the conditions, in one request. A server that refuses `or` in a filter, against RFC
        7644, section 3.4.2.2, is asked for one after the other from then on."""
        if len(conditions) > 1 and self._client.knows_or:
            try:
                return self.find_all(model, " or ".join(conditions), expected=_refuses_the_filter)
            except HttpFailure:
                self._client.knows_or = False
        return [one for condition in conditions for one in self.find_all(model, condition)]

    def find_all(
        self, model: type[ResourceT], condition: str, attributes: Sequence[str] = (), *, expected: Expected = _none
    ) -> list[ResourceT]:
        """Everything that fits, all pages. Raises rather than giving a part: pages are read again where the number of
        results and what was read differ, as they do when somebody writes in between. An `expected` failure comes as
        `HttpFailure`."""
        query: dict[str, Any] = {"filter": condition, "count": self._settings.page_size}
        if attributes:
            query["attributes"] = [*attributes]
        for _ in range(_TRIES):
            found, total = self._pages(model, query, expected)
            if len(found) >= total:
                return [*found.values()]
        raise Unavailable("target.unreachable", f"{self._settings.name}: the list changes while it is read")

    def _pages(
        self, model: type[ResourceT], query: dict[str, Any], expected: Expected
    ) -> tuple[dict[str, ResourceT], int]:
        found: dict[str, ResourceT] = {}
        start = 1
        while True:
            page = self._page(model, {**query, "startIndex": start}, expected)
            rows = page.resources or []
            found.update({row.id: row for row in rows if row.id})
            total = page.total_results or 0
            start += len(rows)
            if not rows or start > total:
                return found, total

    def _page(self, model: type[ResourceT], query: dict[str, Any], expected: Expected) -> ListResponse[ResourceT]:
        until = time.monotonic() + self._settings.deadline if self._listing else self._until
        answer = self._read(lambda: self._client.query(model, query_parameters=query, until=until), expected)
        if not isinstance(answer, ListResponse):
            raise error_for(Outcome.REFUSED, f"{self._settings.name}: not a list", may_be_done=False)
        return answer

    # --- writing ---

    def create(self, resource: ResourceT, also: set[Outcome]) -> str:
        """The new resource's id. Outcomes in `also` come as `HttpFailure`, here and below."""
        made = self._write(lambda: self._client.create(resource, until=self._until), also)
        if not isinstance(made, Resource) or not made.id:
            raise error_for(Outcome.LOST, f"{self._settings.name}: create: no id", may_be_done=True)
        return made.id

    def patch(self, resource: Resource[Any], operations: Sequence[Operation], also: set[Outcome]) -> None:
        """Only if it is still the version that was read, where the server has ETags (If-Match)."""
        change = {"schemas": [_PATCH], "Operations": [*operations]}
        self._write(
            lambda: self._client.modify(resource, change, check_response_payload=False, until=self._until), also
        )

    def patch_any_version(
        self, model: type[Resource[Any]], resource_id: str, operation: Operation, also: set[Outcome]
    ) -> None:
        """Whatever the version: for members of groups, which many change at once. Of the answer only the name is
        asked for: nobody reads the members in it."""
        change = {"schemas": [_PATCH], "Operations": [operation]}
        options: dict[str, Any] = {"check_response_payload": False, "params": {"attributes": "displayName"}}
        self._write(lambda: self._client.modify(model, resource_id, change, until=self._until, **options), also)

    def delete(self, model: type[Resource[Any]], resource_id: str) -> None:
        """Not being there is success."""
        try:
            self._write(lambda: self._client.delete(model, resource_id, until=self._until), {Outcome.MISSING})
        except HttpFailure:
            return

    # --- inside ---

    def _read(self, call: Callable[[], T], expected: Expected) -> T:
        """A failure that is `expected` is the caller's to handle, as `HttpFailure`."""
        try:
            return call()
        except HttpFailure as failure:
            if expected(failure):
                raise
            raise self._error(failure.outcome, "read", failure.why, may_be_done=self._wrote) from None
        except (SCIMException, SCIMClientException) as error:
            raise self._error(Outcome.REFUSED, "read", type(error).__name__, may_be_done=self._wrote) from None

    def _write(self, call: Callable[[], T], also: set[Outcome]) -> T:
        """Outcomes in `also` are the caller's to handle, as `HttpFailure`."""
        try:
            done = call()
        except HttpFailure as failure:
            if failure.outcome in also:
                raise
            sent = failure.outcome is Outcome.LOST
            raise self._error(failure.outcome, "write", failure.why, may_be_done=self._wrote or sent) from None
        except SCIMClientException as error:  # a success whose answer cannot be read
            raise self._error(Outcome.LOST, "write", type(error).__name__, may_be_done=True) from None
        except SCIMException as error:  # found in the request before it was sent
            raise self._error(Outcome.REFUSED, "write", type(error).__name__, may_be_done=self._wrote) from None
        self._wrote = True
        return done

    def refusal(self, failure: HttpFailure) -> KallanError:
        """The port's error for a failure that a caller asked for and cannot handle after all."""
        return self._error(failure.outcome, "write", failure.why, may_be_done=self._wrote)

    def _error(self, outcome: Outcome, verb: str, why: str, *, may_be_done: bool) -> KallanError:
        return error_for(outcome, f"{self._settings.name}: {verb}: {why}", may_be_done=may_be_done)


def equals(path: str, value: str) -> str:
    """A filter for one value; strings are JSON strings (RFC 7644, section 3.4.2.2)."""
    return f"{path} eq {json.dumps(value, ensure_ascii=False)}"
