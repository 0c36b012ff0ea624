"""Prefill: a form that no longer asks what the municipality knows; shown to the applicant before it is sent (R-04)."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from mmd.api.answers import json_answer, log_disclosure, relatives, whole_person
from mmd.api.persons import person_by_identifier
from mmd.api.services import ReleaseDep, ServicesDep
from mmd.domain.prefill import Prefilled, prefill
from streams.clock import today
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected

router = APIRouter(prefix="/v1", tags=["prefill"])


class Applicant(BaseModel):
    """Who has signed in to the e-service, as its identity provider says."""

    model_config = ConfigDict(extra="forbid")

    identifier: Annotated[str, Field(max_length=13, description="Twelve characters, `YYYYMMDDNNNN`")]


class PrefillAnswer(msgspec.Struct, frozen=True):
    """The filled form with how much had to be asked. `handed_over`: a case officer takes over, no reason is told."""

    form: Prefilled
    questions: int
    fields: int


@router.post("/prefill/{form}", summary="A form filled with what is known of the applicant and the children in custody")
def prefill_form(
    form: Annotated[str, Path(max_length=64)], applicant: Applicant, given: ServicesDep, release: ReleaseDep
) -> Response:
    known = given.forms.get(form)
    if known is None:
        raise Rejected("resource.unknown", "form")
    person = whole_person(given, person_by_identifier(given, applicant.identifier))
    children = relatives(given, person)
    filled = prefill(known, person, children, release, today(given.clock))
    log_disclosure(given, release, PersonDocument(person.id, restricted=filled.handed_over), f"prefill {form}")
    for asked, count in (("yes", filled.questions), ("no", filled.size - filled.questions)):
        given.metrics.questions.labels(form=form, asked=asked).inc(count)
    return json_answer(PrefillAnswer(filled, filled.questions, filled.size))
