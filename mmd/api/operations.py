"""Health, readiness and metrics: no token, no personal data."""

import psycopg
import psycopg_pool
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mmd.api.services import ServicesDep
from streams.contracts.errors import Unavailable

router = APIRouter(tags=["operations"])


@router.get("/health", summary="The process answers")
def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/ready", summary="The process can do its work: the store answers and is migrated")
def ready(given: ServicesDep) -> dict[str, str]:
    try:
        with given.pool.connection(timeout=2.0) as connection:
            connection.execute("select 1 from mmd.document limit 1")
    except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
        raise Unavailable("service.unavailable", f"store: {type(error).__name__}") from None
    return {"status": "ready"}


@router.get("/metrics", summary="Prometheus metrics")
def metrics(given: ServicesDep) -> Response:
    return Response(generate_latest(given.metrics.registry), media_type=CONTENT_TYPE_LATEST)
