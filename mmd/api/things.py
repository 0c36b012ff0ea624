"""Places, groups and legal organisations: what is about no person, but may tell of some."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from mmd.api import readlog
from mmd.api.answers import json_answer
from mmd.api.described import answers
from mmd.api.services import Reading, ReadingDep, Services, ServicesDep
from mmd.domain.disclosing_things import disclose_thing
from streams.contracts.claims import GROUP_PREFIX, LEGAL_PREFIX, PLACE_PREFIX
from streams.contracts.documents import GroupDocument, LegalOrganisationDocument, PlaceDocument
from streams.contracts.errors import Rejected

router = APIRouter(prefix="/v1", tags=["organisation"], default_response_class=Response)

_CODES = ("resource.unknown", "input.invalid")
_ETag = Annotated[str | None, Header(description="ETag of the answer that the reader has")]
_FORM = r"[^\x00-\x1f]+$"


def _answer(given: Services, reading: Reading, key: str, if_none_match: str | None) -> Response:
    """As released; what this reader may not know of is answered like what does not exist."""
    document = given.reader.thing(key)
    if document is None:
        raise Rejected("resource.unknown")
    people = given.reader.people_in(document)
    answer = disclose_thing(document, reading.release, reading.on, people)
    if answer is None:
        raise Rejected("resource.unknown")
    readlog.log(given, reading, "read", readlog.entries_of(document, answer, people))
    return json_answer(answer, if_none_match)


@router.get(
    "/places/{key}",
    summary="One place with its address and the units that are housed there",
    responses=answers(PlaceDocument, "The place", *_CODES, conditional=True),
)
def read_place(
    key: Annotated[
        str, Path(max_length=200, pattern=f"^{PLACE_PREFIX}{_FORM}", description="Place key, `place:<issuer>:<id>`")
    ],
    given: ServicesDep,
    reading: ReadingDep,
    if_none_match: _ETag = None,
) -> Response:
    return _answer(given, reading, key, if_none_match)


@router.get(
    "/groups/{key}",
    summary="One class, teaching group or preschool section, with the members that the reader may know of",
    responses=answers(GroupDocument, "The group", *_CODES, conditional=True),
)
def read_group(
    key: Annotated[
        str, Path(max_length=200, pattern=f"^{GROUP_PREFIX}{_FORM}", description="Group key, `group:<employer>:<id>`")
    ],
    given: ServicesDep,
    reading: ReadingDep,
    if_none_match: _ETag = None,
) -> Response:
    return _answer(given, reading, key, if_none_match)


@router.get(
    "/legal-organisations/{key}",
    summary="One legal organisation: a company, an association, a sole trader",
    responses=answers(LegalOrganisationDocument, "The legal organisation", *_CODES, conditional=True),
)
def read_legal_organisation(
    key: Annotated[
        str,
        Path(
            pattern=f"^{LEGAL_PREFIX}[0-9a-f]{{32}}$",
            description="Key of the legal organisation, `legal:<keyed hash>`: never the number, which may be a personnummer",
        ),
    ],
    given: ServicesDep,
    reading: ReadingDep,
    if_none_match: _ETag = None,
) -> Response:
    return _answer(given, reading, key, if_none_match)
