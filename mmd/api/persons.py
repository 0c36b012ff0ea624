"""Persons: by id, and by identifier in a POST body (a personnummer never stands in a URL)."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from mmd.api.answers import disclosed_person, json_answer, log_disclosure
from mmd.api.services import ReleaseDep, Services, ServicesDep
from streams.clock import today
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import parse_identifier
from streams.hashing import subject_of

router = APIRouter(prefix="/v1", tags=["persons"])


class Search(BaseModel):
    """A Swedish identifier with century: personnummer, samordningsnummer, TF or interim number."""

    model_config = ConfigDict(extra="forbid")

    identifier: Annotated[str, Field(max_length=13, description="Twelve characters, `YYYYMMDDNNNN`")]


def person_by_identifier(given: Services, text: str) -> str:
    """The person id of an identifier, superseded ones too. Raises `Rejected` (identifier.*, resource.unknown)."""
    identifier = parse_identifier(text, today(given.clock))
    found = given.reader.person_id_of_subject(subject_of(given.subject_secret, identifier))
    if found is None:
        raise Rejected("resource.unknown")
    return found


@router.get("/persons/{person}", summary="One person under the client's release, each value with source and stamp")
def read_person(
    person: UUID,
    given: ServicesDep,
    release: ReleaseDep,
    valid: Annotated[dt.date | None, Query(description="What holds on this date (inclusive)")] = None,
    known: Annotated[dt.datetime | None, Query(description="As it was known at this time")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    if known is not None and known.tzinfo is None:
        raise Rejected("input.invalid", "query.known: a time zone is needed")
    answer = disclosed_person(given, release, str(person), valid=valid, known=known)
    log_disclosure(given, release, answer, "read")
    return json_answer(answer, if_none_match)


@router.post(
    "/persons/search", summary="Find one person by identifier; the answer is the person as the release shows it"
)
def search_person(search: Search, given: ServicesDep, release: ReleaseDep) -> Response:
    answer = disclosed_person(given, release, person_by_identifier(given, search.identifier))
    log_disclosure(given, release, answer, "search")
    return json_answer(answer)
