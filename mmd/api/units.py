"""Organisation units: not personal data, still under a release."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from mmd.api.answers import json_answer
from mmd.api.described import answers
from mmd.api.services import ReadingDep, ServicesDep
from mmd.domain.disclosure import disclose_unit
from streams.contracts.documents import UnitDocument
from streams.contracts.errors import Rejected

router = APIRouter(prefix="/v1", tags=["organisation"], default_response_class=Response)


@router.get(
    "/units/{key}",
    summary="One organisation unit on its three dated axes",
    responses=answers(UnitDocument, "The unit", "resource.unknown", "input.invalid", conditional=True),
)
def read_unit(
    key: Annotated[
        str,
        Path(max_length=200, pattern=r"^[^\x00-\x1f]+$", description="Unit key, `unit:<employer>:<unit id>`"),
    ],
    given: ServicesDep,
    reading: ReadingDep,
    if_none_match: Annotated[str | None, Header(description="ETag of the answer that the reader has")] = None,
) -> Response:
    document = given.reader.unit(key)
    answer = None if document is None else disclose_unit(document, reading.release, reading.on)
    if answer is None:
        raise Rejected("resource.unknown")
    return json_answer(answer, if_none_match)
