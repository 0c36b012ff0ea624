"""Prefill: a form that no longer asks what the municipality knows; shown to the applicant before it is sent (R-04)."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Response

from mmd.api import readlog
from mmd.api.answers import json_answer, shown, whole_person
from mmd.api.described import answers
from mmd.api.metrics import QUESTIONS
from mmd.api.persons import Asked, person_by_identifier
from mmd.api.services import Reading, ReadingDep, Services, ServicesDep
from mmd.domain.prefill import APPLICANT, CHILD, Form, Prefilled, applicant_shown, in_custody, prefill, wards_on
from streams.contracts.documents import PersonaType, PersonDocument
from streams.contracts.errors import Rejected

router = APIRouter(prefix="/v1", tags=["prefill"], default_response_class=Response)


class PrefillAnswer(msgspec.Struct, frozen=True):
    """The filled form, and how many of its fields the applicant must answer (`questions` of `fields`)."""

    form: Prefilled
    questions: int
    fields: int


@router.post(
    "/prefill/{form}",
    summary="A form filled with what is known of the applicant and the children in custody",
    responses=answers(
        PrefillAnswer,
        "The form, to be shown to the applicant before it is sent. `handed_over`: a case officer takes over, "
        "nothing known is shown, and no reason is told",
        *("resource.unknown", "input.invalid", "input.not-decodable", "identifier.invalid", "identifier.ambiguous"),
    ),
)
def prefill_form(
    form: Annotated[str, Path(max_length=64, description="Form id")],
    asked: Asked,
    given: ServicesDep,
    reading: ReadingDep,
) -> Response:
    wanted = given.forms.get(form)
    if wanted is None:
        raise Rejected("resource.unknown", "form")
    about_children = any(field.of == CHILD for field in wanted.fields)
    if about_children:
        _may_ask_about_children(reading)
    applicant = whole_person(given, person_by_identifier(given, reading, asked))
    seen = applicant_shown(applicant, reading.release, reading.on)
    if seen is None:
        raise Rejected("resource.unknown")
    children, not_known = _children(given, reading, applicant) if about_children else ([], 0)
    filled = prefill(wanted, applicant, children, reading.release, reading.on, not_known=not_known)
    readlog.log(given, reading, f"prefill {form}", _entries(given, reading, wanted, filled, seen, children))
    for asks, count in (("yes", filled.questions), ("no", filled.size - filled.questions)):
        given.meter.count(QUESTIONS, count, form=form, asked=asks)
    return json_answer(PrefillAnswer(filled, filled.questions, filled.size))


def _may_ask_about_children(reading: Reading) -> None:
    """A form with a child's fields tells how many children there are. Decided before anybody is looked up."""
    if not (reading.release.allows("wards") and reading.release.covers_all(PersonaType.GUARDIAN)):
        raise Rejected("access.denied", "wards")


def _children(given: Services, reading: Reading, applicant: PersonDocument) -> tuple[list[PersonDocument], int]:
    """Those in the applicant's custody today, each once, by id; and how many more there are of whom nothing is known yet."""
    wards = wards_on(applicant, reading.on)
    found = given.reader.persons(wards)
    own = {child.id: child for child in found.values() if in_custody(applicant, child, reading.on)}
    return [own[one] for one in sorted(own)], len(wards - found.keys())


def _entries(
    given: Services,
    reading: Reading,
    form: Form,
    filled: Prefilled,
    applicant: PersonDocument,
    children: Sequence[PersonDocument],
) -> list[readlog.Entry]:
    """The applicant and each child, with what the form was filled from. `applicant` is what the release shows."""

    def filled_from(person: PersonDocument, of: str) -> frozenset[str]:
        if filled.handed_over:
            return frozenset()
        return readlog.groups_of_fields(person, (field for field in form.fields if field.of == of))

    told = frozenset({"wards"}) if children or filled.children_not_known else frozenset()
    entries = [readlog.Entry(applicant.id, filled_from(applicant, APPLICANT) | told, applicant.restricted)]
    for child in children:
        seen = shown(given, reading, child)
        if seen is None:
            entries.append(readlog.Entry(child.id, frozenset(), restricted=True))
        else:
            entries.append(readlog.Entry(child.id, filled_from(seen, CHILD), seen.restricted))
    return entries
