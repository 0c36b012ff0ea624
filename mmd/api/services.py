"""What the routes are given, and who is asking: no route reads settings or opens a connection itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import psycopg
import psycopg_pool
from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from mmd.api.metrics import Metrics
from mmd.api.tokens import Verifier
from mmd.domain.prefill import Form
from mmd.domain.register import SourceRegister
from mmd.domain.release import Release
from mmd.store.feed import Feed
from mmd.store.reader import Reader
from streams.clock import Clock, today
from streams.contracts.errors import Rejected


@dataclass(frozen=True, slots=True)
class Services:
    """`releases` by release id; `clients` tells which releases a client may use."""

    pool: psycopg_pool.ConnectionPool[psycopg.Connection]
    reader: Reader
    feed: Feed
    register: SourceRegister
    releases: Mapping[str, Release]
    clients: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, Form]
    verifier: Verifier
    subject_secret: bytes
    clock: Clock
    metrics: Metrics


def services(request: Request) -> Services:
    found = request.app.state.services
    if not isinstance(found, Services):
        raise TypeError("the application was made without services")
    return found


ServicesDep = Annotated[Services, Depends(services)]
_bearer = HTTPBearer(auto_error=False, description="OAuth 2 access token (JWT)")


def release_of(
    given: ServicesDep,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    kallan_release: Annotated[
        str | None, Header(description="Release to read under, where a client has several")
    ] = None,
) -> Release:
    """The release that this request is made under. Deny by default: no token, no release, or one that has ended."""
    if token is None:
        raise Rejected("access.unauthenticated", "bearer token")
    allowed = given.clients.get(given.verifier.client_of(token.credentials), ())
    if kallan_release is None and len(allowed) == 1:
        chosen = allowed[0]
    elif kallan_release in allowed:
        chosen = kallan_release or ""
    else:
        raise Rejected("access.denied", "Kallan-Release")
    release = given.releases[chosen]
    if not release.in_force(today(given.clock)):
        raise Rejected("access.denied", "the release is not in force")
    return release


ReleaseDep = Annotated[Release, Depends(release_of)]
