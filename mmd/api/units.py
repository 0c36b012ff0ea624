"""Organisation units: not personal data, still under a release."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from mmd.api.answers import json_answer
from mmd.api.services import ReleaseDep, ServicesDep
from mmd.domain.disclosure import disclose_unit
from streams.clock import today
from streams.contracts.errors import Rejected

router = APIRouter(prefix="/v1", tags=["organisation"])


@router.get("/units/{key}", summary="One organisation unit on its three dated axes")
def read_unit(
    key: Annotated[str, Path(max_length=200, description="Unit key, `unit:<employer>:<unit id>`")],
    given: ServicesDep,
    release: ReleaseDep,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    document = given.reader.unit(key)
    answer = None if document is None else disclose_unit(document, release, today(given.clock))
    if answer is None:
        raise Rejected("resource.unknown")
    return json_answer(answer, if_none_match)
