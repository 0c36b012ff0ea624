"""R-04: the guardian's form asks nothing that is known, and of a protected family it tells nothing."""

import datetime as dt
from typing import Any

import pytest

from mmd.domain.claims import LoggedClaim
from mmd.domain.person import derive_person
from mmd.domain.prefill import HANDED_OVER, Form, prefill
from streams.contracts.claims import Custody, Name, Protection, Relation
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected
from tests.unit.mmd_domain.making import (
    NOW,
    REGISTER,
    SUBJECTS,
    TODAY,
    A,
    B,
    C,
    everything,
    person_id_of,
    registered,
    release,
    said,
)


def field(name: str, attribute: str = "", of: str = "applicant") -> dict[str, Any]:
    return {"name": name, "label": {"sv": f"{name} (sv)", "en": f"{name} (en)"}, "of": of, "attribute": attribute}


FORM = Form.from_data(
    {
        "id": "preschool-place",
        "title": {"sv": "Ansökan om förskoleplats", "en": "Application for a preschool place"},
        "fields": [
            field("guardian", "full-name"),
            field("guardian_number", "number"),
            field("street", "street"),
            field("care_of", "care-of"),
            field("phone", "work-phone"),
            field("child", "full-name", "child"),
            field("child_birth", "birth-date", "child"),
            field("wanted_from"),
        ],
    }
)
RELEASE = release(persona_types="all")


def parent(*more: LoggedClaim) -> PersonDocument:
    custody = Custody((Relation("VF", B), Relation("VF", C, None, dt.date(2026, 5, 31))))
    return derive_person([*registered(), said(custody), *more], REGISTER, person_id_of)


def child(subject: str = B, *more: LoggedClaim) -> PersonDocument:
    guardian = Custody((Relation("V", A),))
    given = said(Name("Barnet", "", "Canaryfamily"), of=subject, since=dt.date(2010, 5, 1), version="20260102")
    return derive_person([*registered(subject), given, said(guardian, of=subject), *more], REGISTER, person_id_of)


def test_what_is_known_is_filled_in_with_source_and_date_and_not_asked() -> None:
    form = prefill(FORM, parent(), [child()], RELEASE, TODAY)
    values = {f.name: f.value for f in form.fields}
    assert values == {
        "guardian": "Canarygiven Canarymiddle Canaryfamily",
        "guardian_number": SUBJECTS[A].value,
        "street": "Canarystreet 1",
        "care_of": "Canarycareof",
        "phone": None,
        "0.child": "Barnet Canaryfamily",
        "0.child_birth": "1981-03-05",
        "wanted_from": None,
    }
    assert (form.questions, form.size, form.handed_over) == (2, 8, False)
    street = form.fields[2]
    assert (street.source, street.as_of, street.asked, street.label_sv) == ("navet", NOW, False, "street (sv)")


@pytest.mark.parametrize("protection", [Protection(True), Protection(skyddad_folkbokforing=True)])
def test_the_form_of_a_protected_child_or_parent_is_handed_over_and_tells_nothing(protection: Protection) -> None:
    marked_child = child(B, said(protection, of=B, version="20260501"))
    marked_parent = parent(said(protection, version="20260501"))
    forms = [
        prefill(FORM, parent(), [marked_child], RELEASE, TODAY),
        prefill(FORM, marked_parent, [child()], RELEASE, TODAY),
    ]
    for form in forms:
        assert (form.handed_over, form.reason) == (True, HANDED_OVER)
        assert form.questions == 1
        for secret in ("Canary", "Barnet", SUBJECTS[A].value, "sekretess", "skyddad"):
            assert secret not in everything(form)
    assert everything(forms[0]) == everything(forms[1])


def test_even_a_cleared_release_prefills_nothing_for_a_protected_child() -> None:
    marked = child(B, said(Protection(True), of=B, version="20260501"))
    assert prefill(FORM, parent(), [marked], release(marked="cleared"), TODAY).handed_over


def test_a_child_that_nobody_has_vouched_for_is_handled_as_protected() -> None:
    unverified = derive_person([said(Name("Barnet"), of=B)], REGISTER, person_id_of)
    assert prefill(FORM, parent(), [unverified], RELEASE, TODAY).handed_over


def test_a_child_of_others_or_of_ended_custody_is_not_in_the_form() -> None:
    form = prefill(FORM, parent(), [child(B), child(C)], RELEASE, TODAY)
    assert [f.name for f in form.fields if "child" in f.name] == ["0.child", "0.child_birth"]
    may = prefill(FORM, parent(), [child(B), child(C)], RELEASE, dt.date(2026, 5, 31))
    assert len([f for f in may.fields if "child" in f.name]) == 4


def test_a_child_whose_own_post_names_other_guardians_is_not_in_the_form() -> None:
    other = said(Custody((Relation("V", C),)), of=B, version="20260601")
    form = prefill(FORM, parent(), [child(B, other)], RELEASE, TODAY)
    assert not any("child" in f.name for f in form.fields)


def test_a_child_whose_own_post_names_nobody_is_for_an_officer_to_look_at() -> None:
    """Custody may have ended there while the post of the former guardian has not come yet."""
    nobody = said(Custody(()), of=B, version="20260601")
    form = prefill(FORM, parent(), [child(B, nobody)], RELEASE, TODAY)
    assert form.handed_over
    assert all(field.value is None for field in form.fields)


def test_what_the_release_does_not_hold_is_asked() -> None:
    form = prefill(FORM, parent(), [child()], release(attributes=["names"]), TODAY)
    assert {f.name for f in form.fields if not f.asked} == {"guardian", "0.child"}


def test_without_a_release_in_force_there_is_no_form_and_no_hint() -> None:
    ended = release(valid_until="2026-05-01")
    for applicant in (parent(), parent(said(Protection(True), version="20260501"))):
        with pytest.raises(Rejected) as caught:
            prefill(FORM, applicant, [], ended, TODAY)
        assert caught.value.code == "access.denied"


@pytest.mark.parametrize(
    "change",
    [
        {"fields": [field("a", "shoe-size")]},
        {"fields": [field("a"), field("a")]},
        {"fields": [field("a", of="neighbour")]},
        {"fields": [{"name": "a"}]},
        {"id": 7},
    ],
)
def test_a_form_that_asks_for_what_is_not_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        Form.from_data({"id": "x", "title": {"sv": "x", "en": "x"}, "fields": [], **change})
