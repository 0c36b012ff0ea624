"""Health, readiness and metrics: no token, no personal data."""

import msgspec
import psycopg
from fastapi import APIRouter, Response

from mmd.api.answers import json_answer
from mmd.api.described import open_answers, text_answer
from mmd.api.services import ServicesDep
from streams.contracts.errors import Unavailable
from streams.keys import NOBODY
from streams.metrics import CONTENT_TYPE

router = APIRouter(tags=["operations"], default_response_class=Response)

_WAIT_SECONDS = 2.0
_NO_KEY = f"inner/{NOBODY}/1"


class State(msgspec.Struct, frozen=True):
    """`ok`: the process answers. `ready`: so does everything that it needs."""

    status: str


@router.get("/health", summary="The process answers", responses=open_answers(State, "It does"))
def health() -> Response:
    return json_answer(State("ok"))


@router.get(
    "/ready",
    summary="The process can do its work: store, data keys and token keys answer, and the store is migrated",
    responses=open_answers(State, "It can", "service.unavailable"),
)
def ready(given: ServicesDep) -> Response:
    place = "store"
    try:
        with given.pool.connection(timeout=_WAIT_SECONDS) as connection:
            connection.execute("select 1 from mmd.document limit 1")
        place = "data keys"
        given.keys.find({_NO_KEY})
    except psycopg.Error as error:
        raise Unavailable("service.unavailable", f"{place}: {type(error).__name__}") from None
    given.verifier.keys()
    return json_answer(State("ready"))


@router.get("/metrics", summary="Prometheus metrics", responses=text_answer("Prometheus text format"))
def metrics(given: ServicesDep) -> Response:
    return Response(given.meter.text(), media_type=CONTENT_TYPE)
