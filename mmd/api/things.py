"""Units, places, groups and legal organisations: what is about no person, but may tell of some."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from mmd.api import readlog
from mmd.api.answers import json_answer
from mmd.api.described import answers
from mmd.api.services import ReadingDep, ServicesDep
from mmd.domain.disclosing_things import disclose_thing
from streams.contracts.claims import GROUP_PREFIX, LEGAL_PREFIX, PLACE_PREFIX
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    PlaceDocument,
    Thing,
    UnitDocument,
)
from streams.contracts.errors import Rejected

router = APIRouter(prefix="/v1", tags=["organisation"], default_response_class=Response)

_CODES = ("resource.unknown", "input.invalid")
_FORM = r"[^\x00-\x1f]+$"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and what that reader has already."""

    given: ServicesDep
    reading: ReadingDep
    if_none_match: Annotated[str | None, Header(description="ETag of the answer that the reader has")] = None

    def answer(self, kind: type[Thing], key: str) -> Response:
        """As released; what this reader may not know of is answered like what does not exist."""
        given, reading = self.given, self.reading
        document = given.reader.thing(key)
        if document is None or not isinstance(document, kind):
            raise Rejected("resource.unknown")
        people = given.reader.people_in(document)
        answer = disclose_thing(document, reading.release, reading.on, people)
        if answer is None:
            raise Rejected("resource.unknown")
        readlog.log(given, reading, "read", readlog.entries_of(document, answer, people))
        return json_answer(answer, self.if_none_match)


AskedDep = Annotated[Asked, Depends()]


@router.get(
    "/units/{key}",
    summary="One organisation unit on its three dated axes",
    responses=answers(UnitDocument, "The unit", *_CODES, conditional=True),
)
def read_unit(
    key: Annotated[str, Path(max_length=200, pattern=f"^{_FORM}", description="Unit key, `unit:<employer>:<unit id>`")],
    asked: AskedDep,
) -> Response:
    return asked.answer(UnitDocument, key)


@router.get(
    "/places/{key}",
    summary="One place with its address and the units that are housed there",
    responses=answers(PlaceDocument, "The place", *_CODES, conditional=True),
)
def read_place(
    key: Annotated[
        str, Path(max_length=200, pattern=f"^{PLACE_PREFIX}{_FORM}", description="Place key, `place:<issuer>:<id>`")
    ],
    asked: AskedDep,
) -> Response:
    return asked.answer(PlaceDocument, key)


@router.get(
    "/groups/{key}",
    summary="One class, teaching group or preschool section, with the members that the reader may know of",
    responses=answers(GroupDocument, "The group", *_CODES, conditional=True),
)
def read_group(
    key: Annotated[
        str, Path(max_length=200, pattern=f"^{GROUP_PREFIX}{_FORM}", description="Group key, `group:<employer>:<id>`")
    ],
    asked: AskedDep,
) -> Response:
    return asked.answer(GroupDocument, key)


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
    asked: AskedDep,
) -> Response:
    return asked.answer(LegalOrganisationDocument, key)
