"""The change feed: thin notices with a cursor; the reader then reads again. Each release has a sequence of its own."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from mmd.api.answers import json_answer
from mmd.api.described import answers
from mmd.api.services import ReadingDep, ServicesDep
from mmd.store.feed import Changes

router = APIRouter(prefix="/v1", tags=["changes"], default_response_class=Response)


@router.get(
    "/changes",
    summary="Persons, units, places, groups, legal organisations whose answer to this reader has changed",
    responses=answers(Changes, "A page of notices, and where to go on", "cursor.invalid", "input.invalid"),
)
def read_changes(
    given: ServicesDep,
    reading: ReadingDep,
    cursor: Annotated[str, Query(description="From the last answer; empty: from the beginning")] = "",
    limit: Annotated[int, Query(ge=1, le=1000, description="The most notices on a page")] = 100,
) -> Response:
    # The release with its subtrees worked out: when the organisation moves, the feed looks at everybody again.
    return json_answer(given.feed.changes(reading.release, cursor, limit, reading.on))
