"""Persons: by id, and by identifier in a POST body (a personnummer never stands in a URL)."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from mmd.api import readlog
from mmd.api.answers import disclosed_person, json_answer
from mmd.api.described import answers
from mmd.api.services import Reading, ReadingDep, Services, ServicesDep
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import parse_identifier
from streams.hashing import subject_of

router = APIRouter(prefix="/v1", tags=["persons"], default_response_class=Response)


class Asked(BaseModel):
    """A Swedish identifier with century: personnummer, samordningsnummer, or a TF or interim number with its issuer."""

    model_config = ConfigDict(extra="forbid")

    identifier: Annotated[str, Field(max_length=13, description="Twelve characters, `YYYYMMDDNNNN`")]
    issuer: Annotated[
        str,
        Field(max_length=200, description="Of a TF or interim number: the employer or school organiser whose it is"),
    ] = ""


def person_by_identifier(given: Services, reading: Reading, asked: Asked) -> str:
    """The person id of an identifier, superseded ones too. Raises `Rejected` (identifier.*, resource.unknown)."""
    identifier = parse_identifier(asked.identifier, reading.on, issuer=asked.issuer)
    found = given.reader.person_id_of_subject(subject_of(given.subject_secret, identifier))
    if found is None:
        raise Rejected("resource.unknown")
    return found


@router.get(
    "/persons/{person}",
    summary="One person under the client's release, each value with source and stamp",
    responses=answers(
        PersonDocument, "The person as the release shows it", "resource.unknown", "input.invalid", conditional=True
    ),
)
def read_person(
    person: UUID,
    given: ServicesDep,
    reading: ReadingDep,
    valid: Annotated[dt.date | None, Query(description="What holds on this date (inclusive)")] = None,
    known: Annotated[
        dt.datetime | None,
        Query(description="As it was known at this time, with a time zone; today's protection holds"),
    ] = None,
    if_none_match: Annotated[str | None, Header(description="ETag of the answer that the reader has")] = None,
) -> Response:
    if known is not None and known.tzinfo is None:
        raise Rejected("input.invalid", "query.known: time zone")
    answer = disclosed_person(given, reading, str(person), valid=valid, known=known)
    readlog.log(given, reading, "read", [readlog.entry(answer)])
    return json_answer(answer, if_none_match)


@router.post(
    "/persons/search",
    summary="Find one person by identifier; the answer is the person as the release shows it",
    responses=answers(
        PersonDocument,
        "The person as the release shows it",
        *("resource.unknown", "input.invalid", "input.not-decodable", "identifier.invalid", "identifier.ambiguous"),
    ),
)
def search_person(asked: Asked, given: ServicesDep, reading: ReadingDep) -> Response:
    answer = disclosed_person(given, reading, person_by_identifier(given, reading, asked))
    readlog.log(given, reading, "search", [readlog.entry(answer)])
    return json_answer(answer)
