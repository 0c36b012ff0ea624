"""Problem details (RFC 9457) with the project's stable codes, in English and Swedish."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from streams.contracts.errors import TEXTS, KallanError

logger = logging.getLogger(__name__)

_BY_STATUS = {401: "access.unauthenticated", 403: "access.denied", 404: "resource.unknown", 405: "resource.unknown"}


def problem(code: str, detail: str = "") -> JSONResponse:
    """One problem document. `detail` names fields and never holds a value."""
    text = TEXTS[code]
    body = {
        "type": f"urn:kallan:problem:{code}",
        "title": text.en,
        "title_sv": text.sv,
        "status": text.status,
        "code": code,
    }
    if detail:
        body["detail"] = detail
    headers = {"WWW-Authenticate": "Bearer"} if text.status == 401 else {}
    return JSONResponse(body, status_code=text.status, media_type="application/problem+json", headers=headers)


def install(app: FastAPI) -> None:
    """Every error of this application leaves as a problem document; none repeats what was sent."""

    async def known(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, KallanError)  # noqa: S101  # FastAPI dispatches by this class
        return problem(error.code, error.detail)

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        places = sorted({".".join(str(part) for part in e["loc"]) for e in error.errors()})
        return problem("input.invalid", ", ".join(places))

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        return problem(_BY_STATUS.get(error.status_code, "input.invalid"))

    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        logger.error("unexpected error: %s", type(error).__name__)
        return problem("internal.unexpected")

    app.add_exception_handler(KallanError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
