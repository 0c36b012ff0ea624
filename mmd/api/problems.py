"""Problem details (RFC 9457) with the project's stable codes, in English and Swedish. None repeats what was sent."""

import logging
from collections.abc import Mapping

import msgspec
import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from streams.contracts.errors import TEXTS, KallanError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
UNEXPECTED = "internal.unexpected"
CODES = frozenset(
    {
        "access.denied",
        "access.unauthenticated",
        "cursor.invalid",
        "identifier.ambiguous",
        "identifier.invalid",
        "input.invalid",
        "input.missing",
        "input.not-decodable",
        "input.too-large",
        "request.method-not-allowed",
        "resource.unknown",
        "service.unavailable",
        UNEXPECTED,
    }
)
"""What a client can be told. Any other code is about the inside of the hub and leaves as `internal.unexpected`."""

_BY_STATUS = {400: "input.not-decodable", 404: "resource.unknown", 405: "request.method-not-allowed"}
_RETRY_AFTER_SECONDS = "5"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document (RFC 9457). `detail` names fields and rules and never holds a value."""

    type: str
    title: str
    title_sv: str
    status: int
    code: str
    detail: str = ""


def problem(code: str, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """The answer for a code."""
    text = TEXTS[code]
    body = Problem(f"urn:kallan:problem:{code}", text.en, text.sv, text.status, code, detail)
    found = {"Cache-Control": "no-store", **(headers or {})}
    if text.status == 401:  # RFC 6750, section 3: no error code where no token was sent
        found["WWW-Authenticate"] = 'Bearer error="invalid_token"' if detail else "Bearer"
    elif text.status == 503:
        found["Retry-After"] = _RETRY_AFTER_SECONDS
    return Response(msgspec.json.encode(body), text.status, found, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Every expected error of this application leaves as a problem document."""
    app.add_exception_handler(KallanError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(psycopg.OperationalError, _store_away)


async def _known(_: Request, error: Exception) -> Response:
    if not isinstance(error, KallanError):
        raise error
    if error.code not in CODES:
        logger.error("an answer failed: %s", error.code)
        return problem(UNEXPECTED)
    if error.text.status == 503:
        logger.warning("not available: %s", error.detail)
    return problem(error.code, error.detail)


async def _invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem("input.not-decodable", "body")
    return problem("input.invalid", ", ".join(sorted({_place(one["type"], one["loc"]) for one in found})))


def _place(kind: str, loc: tuple[str | int, ...]) -> str:
    """Where a value stands. The name of a field that nobody asked for is something that was sent, and is left out."""
    return ".".join(str(part) for part in (loc[:-1] if kind == "extra_forbidden" else loc))


async def _http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException) or error.status_code not in _BY_STATUS:
        raise error
    return problem(_BY_STATUS[error.status_code], headers=error.headers)


async def _store_away(_: Request, error: Exception) -> Response:
    logger.warning("not available: store: %s", type(error).__name__)
    return problem("service.unavailable", "store")
