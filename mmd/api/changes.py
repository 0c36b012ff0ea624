"""The change feed: thin notices with a cursor; the reader then reads again. Each release has a sequence of its own."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from mmd.api.answers import json_answer
from mmd.api.services import ReleaseDep, ServicesDep
from streams.clock import today

router = APIRouter(prefix="/v1", tags=["changes"])


@router.get("/changes", summary="Persons and units whose answer to this reader has changed since the cursor")
def read_changes(
    given: ServicesDep,
    release: ReleaseDep,
    cursor: Annotated[str, Query(max_length=200, description="From the last answer; empty: from the beginning")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    return json_answer(given.feed.changes(release, cursor, limit, today(given.clock)))
