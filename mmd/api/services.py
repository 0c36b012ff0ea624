"""What the routes are given, and who is asking: no route reads settings or opens a connection itself."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import psycopg
import psycopg_pool
from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from mmd.api.tokens import Verifier
from mmd.domain.prefill import Form
from mmd.domain.register import SourceRegister
from mmd.domain.release import Release
from mmd.store.feed import Feed
from mmd.store.reader import Reader
from streams.clock import Clock
from streams.contracts.errors import Rejected
from streams.contracts.time import local_date
from streams.metrics import Meter
from streams.sealing import KeyRing


@dataclass(frozen=True, slots=True)
class Services:
    """`releases` by release id; `clients` tells which releases a client may use."""

    pool: psycopg_pool.ConnectionPool[psycopg.Connection]
    keys: KeyRing
    reader: Reader
    feed: Feed
    register: SourceRegister
    releases: Mapping[str, Release]
    clients: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, Form]
    verifier: Verifier
    subject_secret: bytes
    clock: Clock
    meter: Meter


async def services(request: Request) -> Services:
    """Asynchronous because it only looks: a thread of its own would cost more."""
    found = request.app.state.services
    if not isinstance(found, Services):
        raise TypeError("the application was made without services")
    return found


ServicesDep = Annotated[Services, Depends(services)]
_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="accessToken",
    description="OAuth 2 access token (RFC 9068) of the municipality's authorization server; `client_id` names the client",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One request: under which release (its id, and the decision with unit subtrees worked out) and when (UTC).

    `now` is read once, so that one answer has one day.
    """

    id: str
    release: Release
    now: dt.datetime

    @property
    def on(self) -> dt.date:
        """The Swedish date of the request."""
        return local_date(self.now)


def reading(
    given: ServicesDep,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    kallan_release: Annotated[
        str | None, Header(description="The release to read under; needed where the client has several")
    ] = None,
) -> Reading:
    """What this request is made under. Deny by default: no token, no release, or one that is not in force."""
    if token is None:
        raise Rejected("access.unauthenticated")
    allowed = given.clients.get(given.verifier.client_of(token.credentials), ())
    if kallan_release is None:
        if len(allowed) > 1:
            raise Rejected("input.missing", "header.Kallan-Release")
        chosen = next(iter(allowed), None)
    else:
        chosen = kallan_release if kallan_release in allowed else None
    if chosen is None:
        raise Rejected("access.denied", "release")
    now = given.clock.now()
    release = given.releases[chosen]
    if not release.in_force(local_date(now)):
        raise Rejected("access.denied", "the release is not in force")
    if release.units is not None and release.subtree:
        release = release.with_units(given.reader.units(), local_date(now))
    return Reading(chosen, release, now)


ReadingDep = Annotated[Reading, Depends(reading)]
