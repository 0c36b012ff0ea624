"""A guardian applies for a preschool place: the e-service asks the API for the prefilled form, as any client would."""

from dataclasses import dataclass
from typing import Any

import httpx

from deploy.embedded import issuer
from deploy.municipality import cast as roles
from deploy.municipality.cast import Member
from deploy.running import Running
from streams.contracts.errors import Unavailable

FORM = "preschool-place"
CLIENT = "e-services"
APPLICANTS = ((roles.GUARDIAN, roles.CHILD), (roles.PROTECTED_GUARDIAN, roles.PROTECTED_CHILD))
"""Who applies for whom."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the API answered, and for whom. `leaked`: texts of the protected that the answer held (none, ever)."""

    applicant: Member
    handed_over: bool
    fields: list[dict[str, Any]]
    questions: int
    size: int
    leaked: list[str]


def ask(found: Running, applicant: Member, child: Member) -> Form:
    """One request with a token of the e-service platform. Raises `Unavailable` where the API does not answer."""
    token = issuer.issue(found.stack.home, CLIENT)
    try:
        answer = httpx.post(
            f"{found.api_url}/v1/prefill/{FORM}",
            json={"identifier": applicant.number},
            headers={"Authorization": f"Bearer {token}"},
            timeout=10.0,
            trust_env=False,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable("service.unavailable", f"API: {type(error).__name__}") from error
    content = answer.json()
    form = content["form"]
    hidden = (child.person.street, child.person.family) if form["handed_over"] else ()
    return Form(
        applicant=applicant,
        handed_over=form["handed_over"],
        fields=form["fields"],
        questions=content["questions"],
        size=content["fields"],
        leaked=[text for text in hidden if text in answer.text],
    )
