"""Answers about persons: the bytes are what `disclose` allows, the ETag hashes exactly them, and each answer is logged."""

import datetime as dt
import hashlib
from typing import Any

import msgspec
from fastapi import Response

from mmd.api.services import Services
from mmd.domain.disclosure import disclose, under_todays_marking
from mmd.domain.release import Release
from streams.clock import today
from streams.contracts.documents import PersonDocument, Redirect
from streams.contracts.errors import Rejected


def json_answer(content: Any, if_none_match: str | None = None) -> Response:
    """A JSON answer with an ETag over its bytes (RFC 9110, section 8.8.3); 304 when the reader has them already."""
    body = msgspec.json.encode(content)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-store", "Vary": "Authorization, Kallan-Release"}
    if if_none_match is not None and etag in {part.strip() for part in if_none_match.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def disclosed_person(
    given: Services,
    release: Release,
    person: str,
    *,
    valid: dt.date | None = None,
    known: dt.datetime | None = None,
) -> PersonDocument:
    """What this reader may see of a person, with the protection that holds today also for old dates.

    Raises `Rejected("resource.unknown")` both where there is no such person and where this reader may not know.
    """
    current = whole_person(given, person)
    document: PersonDocument | None = current
    if known is not None:
        then = given.reader.as_known(current.id, known, given.register)
        document = None if then is None else under_todays_marking(then, current)
    if document is None:
        raise Rejected("resource.unknown")
    answer = disclose(document, release, today(given.clock), valid=valid, unmarked=given.reader.unmarked([document]))
    if answer is None:
        raise Rejected("resource.unknown")
    given.metrics.disclosures.labels(release=release.reader).inc()
    return answer


def whole_person(given: Services, person: str) -> PersonDocument:
    """The master's own document, by id or by an alias of it. Raises `Rejected("resource.unknown")`."""
    found = given.reader.person(person)
    if isinstance(found, Redirect):
        found = given.reader.person(found.to)
    if not isinstance(found, PersonDocument):
        raise Rejected("resource.unknown")
    return found


def relatives(given: Services, person: PersonDocument) -> list[PersonDocument]:
    """The guardians and wards of a person, as the master holds them."""
    ids = {entry.person for entry in (*person.guardians, *person.wards)}
    return [found for _, found in sorted(given.reader.persons(ids).items())]


def log_disclosure(given: Services, release: Release, answer: PersonDocument, occasion: str) -> None:
    """Who got which attribute groups of whom, when and why (the read log; GDPR article 15). Never a value."""
    groups = sorted(
        name
        for name in answer.__struct_fields__
        if name not in ("id", "aliases", "restricted") and getattr(answer, name)
    )
    with given.pool.connection() as connection:
        connection.execute(
            "insert into mmd.disclosure (release, person, occasion, attribute_groups, restricted, at)"
            " values (%s, %s, %s, %s, %s, %s)",
            (release.reader, answer.id, occasion, groups, answer.restricted, given.clock.now()),
        )
