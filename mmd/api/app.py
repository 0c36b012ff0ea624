"""The application: routes, errors and measurements put together."""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from mmd.api import changes, operations, persons, prefill, problems, units
from mmd.api.services import Services

DESCRIPTION = (
    "Read the municipality's master data under a release: a purpose, a legal basis and the attributes it allows. "
    "Nothing is shown that the release does not hold, and a protected identity is decided once, in the hub."
)


def create_app(given: Services | None) -> FastAPI:
    """The API over its services; None gives an application that can only be described (OpenAPI)."""
    app = FastAPI(title="Källan MMD", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.services = given
    for part in (persons, units, prefill, changes, operations):
        app.include_router(part.router)
    problems.install(app)

    @app.middleware("http")
    async def measured(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        if given is not None:
            route = getattr(request.scope.get("route"), "path", "unknown")
            given.metrics.requests.labels(route=route, method=request.method, status=str(response.status_code)).inc()
            given.metrics.seconds.labels(route=route).observe(time.perf_counter() - started)
        return response

    return app
