"""The application: routes, errors and measurements put together."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from mmd.api import changes, operations, persons, prefill, problems, things
from mmd.api.described import with_components
from mmd.api.guard import Guard
from mmd.api.metrics import FORM, RELEASE, ROUTE
from mmd.api.services import Services
from mmd.store.feed import Changes
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    PersonDocument,
    PlaceDocument,
    UnitDocument,
)

DESCRIPTION = (
    "Read the municipality's master data under a release: a purpose, a legal basis and the attributes it allows. "
    "Nothing is shown that the release does not hold, and a protected identity is decided once, in the hub. "
    "Errors are problem details (RFC 9457) with a stable `code`. A person whom the reader may not know of is answered "
    "like one that does not exist."
)


ANSWERS = (
    *(PersonDocument, UnitDocument, PlaceDocument, GroupDocument, LegalOrganisationDocument),
    *(prefill.PrefillAnswer, Changes, operations.State),
)
"""What a route may answer."""

PARTS = (persons, things, prefill, changes, operations)


class Application(FastAPI):
    """FastAPI whose description holds the schemas of the answers."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = with_components(super().openapi(), ANSWERS)
        return self.openapi_schema


def create_app(given: Services | None) -> FastAPI:
    """The API over its services; None gives an application that can only be described (OpenAPI)."""
    app = Application(
        title="Källan MMD",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the redirect would repeat what was sent, and the host that the client named
        generate_unique_id_function=_operation_id,
    )
    app.state.services = given
    for part in PARTS:
        app.include_router(part.router)
    problems.install(app)
    app.add_middleware(Guard, meter=given.meter if given else None)
    if given is not None:
        given.meter.know(
            ROUTE, [route.path for part in PARTS for route in part.router.routes if isinstance(route, APIRoute)]
        )
        given.meter.know(RELEASE, given.releases)
        given.meter.know(FORM, given.forms)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
