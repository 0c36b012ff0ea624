"""Answers: the bytes are what `disclose` allows, and the ETag hashes exactly them."""

import datetime as dt
import hashlib
from typing import Protocol

import msgspec
from fastapi import Response

from mmd.api.services import Reading
from mmd.domain.disclosure import disclose, under_todays_marking
from mmd.domain.register import SourceRegister
from mmd.store.reader import Reader
from streams.contracts.documents import PersonaType, PersonDocument, Redirect
from streams.contracts.errors import Rejected


class Answering(Protocol):
    """What an answer about a person is made from: the API's services, or an operator's command."""

    @property
    def reader(self) -> Reader: ...

    @property
    def register(self) -> SourceRegister: ...


def json_answer(content: msgspec.Struct, if_none_match: str | None = None) -> Response:
    """A JSON answer with an ETag over its bytes (RFC 9110, section 8.8.3); 304 when the reader has them already."""
    body = msgspec.json.encode(content)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-store", "Vary": "Authorization, Kallan-Release"}
    if if_none_match is not None and _matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison (RFC 9110, section 13.1.2)."""
    given = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return etag in given or "*" in given


def whole_person(given: Answering, person: str) -> PersonDocument:
    """The master's own document, by id or by an alias of it. Raises `Rejected("resource.unknown")`."""
    found = given.reader.person(person)
    if isinstance(found, Redirect):
        found = given.reader.persons([person]).get(person)
    if not isinstance(found, PersonDocument):
        raise Rejected("resource.unknown")
    return found


def shown(
    given: Answering, reading: Reading, document: PersonDocument, valid: dt.date | None = None
) -> PersonDocument | None:
    """What this reader sees of a document that carries today's marking; None where it may not know of the person."""
    release = reading.release
    asks = (
        (release.allows("guardians") and document.guardians)
        or (release.covers(PersonaType.GUARDIAN) and document.wards)
        or (release.allows("personas") and any(s.manager for persona in document.personas for s in persona.segments))
    )
    people = given.reader.people_in(document) if asks else {}
    return disclose(document, release, reading.on, valid=valid, people=people)


def disclosed_person(
    given: Answering,
    reading: Reading,
    person: str,
    *,
    valid: dt.date | None = None,
    known: dt.datetime | None = None,
) -> PersonDocument:
    """What this reader may see of a person, with the protection that holds today also for old dates and old knowledge.

    Whether the reader may know of the person at all is decided by today's document too: what was known once by mistake
    opens nothing now. Raises `Rejected("resource.unknown")` both where there is no such person and where this reader may
    not know.
    """
    current = whole_person(given, person)
    answer = shown(given, reading, current, valid)
    if answer is not None and known is not None:
        then = given.reader.as_known(person, known, given.register)
        answer = None if then is None else shown(given, reading, under_todays_marking(then, current), valid)
    if answer is None:
        raise Rejected("resource.unknown")
    return answer
