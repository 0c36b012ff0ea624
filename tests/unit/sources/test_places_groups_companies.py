"""The exports of places, groups and companies."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.sources.companies.reader import key_of
from connectors.sources.posts import Context, Item, Post, Reject
from connectors.sources.registry import SOURCES
from streams.contracts.claims import Group, GroupMembers, LegalOrganisation, Place
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.testnumbers import all_test_numbers

Read = Callable[..., list[Item]]
NUMBER, OTHER = list(all_test_numbers())[:2]
PLACE: dict[str, Any] = {"placeId": "p1", "placeName": "Ekskolan", "placeFrom": "2015-01-01", "street": "Ekvägen 1"}
CLASS: dict[str, Any] = {"groupId": "4B", "groupName": "4B", "groupFrom": "2025-08-01", "orgId": "1031"}
PUPIL: dict[str, Any] = {
    "groupId": "4B",
    "personNumber": NUMBER,
    "personaType": "pupil",
    "memberFrom": "2025-08-01",
    "sourceId": "I-7",
}
FIRM: dict[str, Any] = {"organisationNumber": NUMBER, "companyName": "Eks bygg", "registeredFrom": "2015-01-01"}
UNIT: dict[str, Any] = {"orgId": "1031", "orgName": "Ekskolan", "nodeFrom": "2015-01-01"}
COMPANY = FIRM | {"organisationNumber": "556999-9997"}


def only(items: list[Item]) -> Post:
    (post,) = [item for item in items if isinstance(item, Post)]
    assert not [item for item in items if isinstance(item, Reject)]
    return post


def refused(items: list[Item]) -> tuple[str, str]:
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert not [item for item in items if isinstance(item, Post)]
    return reject.code, reject.detail


def test_a_place_of_two_units_is_one_record(read: Read) -> None:
    post = only(read("places", [PLACE | {"orgId": "1031"}, PLACE | {"orgId": "1032", "unitFrom": "2024-08-01"}]))
    assert post.record.subject == "place:kommun:p1"
    (claim,) = post.record.claims
    assert isinstance(claim.body, Place)
    assert [one.unit for one in claim.body.units] == ["unit:kommun:1031", "unit:kommun:1032"]
    assert len(claim.body.periods) == len(claim.body.names) == 1
    assert not claim.body.restricted


@pytest.mark.parametrize(("word", "restricted"), [("N", False), ("", False), ("J", True), ("nej", True), ("?", True)])
def test_a_word_that_is_not_known_makes_a_place_restricted(read: Read, word: str, restricted: bool) -> None:
    (claim,) = only(read("places", [PLACE | {"restricted": word}])).record.claims
    assert isinstance(claim.body, Place)
    assert claim.body.restricted is restricted


def test_rows_that_say_two_things_of_what_has_no_dates_are_refused(read: Read) -> None:
    assert refused(read("places", [PLACE, PLACE | {"street": "Annan gata"}]))[0] == "input.invalid"


def test_a_class_is_its_rows_and_its_members_are_subjects_without_names(read: Read, context: Context) -> None:
    teacher = PUPIL | {"personNumber": OTHER, "personaType": "employee", "sourceId": "E1"}
    nothing = {"personNumber": " ", "personaType": None, "memberFrom": ""}
    post = only(read("groups", [CLASS | nothing, PUPIL | {"givenName": "Canary"}, teacher]))
    base, listed = (claim.body for claim in post.record.claims)
    assert isinstance(base, Group)
    assert isinstance(listed, GroupMembers)
    assert (post.record.subject, base.unit) == ("group:kommun:4B", "unit:kommun:1031")
    subject = context.subject_of(Identifier(IdentifierType.PERSONNUMMER, NUMBER))
    assert {(one.subject == subject, one.persona_type, one.persona) for one in listed.members} == {
        (True, "pupil", "enrolment:kommun:I-7"),
        (False, "employee", "employment:kommun:E1"),
    }
    assert "Canary" not in str(post.record)
    assert NUMBER not in str(post.record)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (PUPIL | {"personNumber": NUMBER[:11] + "x"}, "identifier.invalid"),
        (PUPIL | {"personNumber": NUMBER[2:]}, "identifier.ambiguous"),
        (PUPIL | {"personaType": "politician"}, "code.unknown"),
        (PUPIL | {"personaType": ""}, "code.unknown"),
        (PUPIL | {"memberFrom": None}, "input.missing"),
        (CLASS | PUPIL | {"personNumber": ""}, "input.missing"),
        (CLASS | {"personNumber": None, "personaType": "pupil"}, "input.missing"),
    ],
)
def test_a_class_with_a_member_who_cannot_be_read_is_refused_whole(read: Read, row: dict[str, Any], code: str) -> None:
    assert refused(read("groups", [CLASS, PUPIL, row]))[0] == code


def test_a_sole_trader_and_a_company_have_keys_of_one_form_that_hold_no_number(read: Read, context: Context) -> None:
    firm, company = only(read("companies", [FIRM])).record, only(read("companies", [COMPANY])).record
    body, other = firm.claims[0].body, company.claims[0].body
    assert isinstance(body, LegalOrganisation)
    assert isinstance(other, LegalOrganisation)
    person = Identifier(IdentifierType.PERSONNUMMER, NUMBER)
    assert (body.number, body.owner) == (person, context.subject_of(person))
    assert (other.number.value, other.owner) == ("5569999997", "")
    assert [len(one.subject) for one in (firm, company)] == [38, 38]
    assert firm.subject == key_of(person, context)
    assert NUMBER[2:] not in firm.subject + firm.source_key
    assert context.subject_of(person) not in firm.subject


def test_twelve_digits_with_16_are_the_same_company(read: Read) -> None:
    assert (
        only(read("companies", [COMPANY | {"organisationNumber": "165569999997"}])).record.subject
        == only(read("companies", [COMPANY])).record.subject
    )


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (NUMBER[2:], "identifier.ambiguous"),
        ("556999-9998", "identifier.invalid"),
        ("20130101TF01", "identifier.invalid"),
        ("", "input.missing"),
    ],
)
def test_a_number_that_is_none_is_refused_and_never_guessed(read: Read, number: str, code: str) -> None:
    assert refused(read("companies", [COMPANY | {"organisationNumber": number}]))[0] == code


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("groups", [CLASS, PUPIL, PUPIL | {"personNumber": OTHER}]),
        ("places", [PLACE | {"orgId": "1031"}, PLACE | {"orgId": "1032"}]),
        ("companies", [FIRM | {"registeredTo": "2019-12-31"}, FIRM | {"registeredFrom": "2020-01-01"}]),
        ("organisation", [UNIT | {"nodeTo": "2019-12-31"}, UNIT | {"nodeFrom": "2020-01-01"}]),
    ],
    ids=["groups", "places", "companies", "organisation"],
)
def test_of_a_thing_with_a_row_in_which_a_field_stands_twice_nothing_is_told(
    read: Read, context: Context, source: str, rows: list[dict[str, Any]]
) -> None:
    """The row left out, and the others published, somebody would have left the class, and the unit would be closed."""
    whole = SOURCES[source].write(rows, context, 1, False)
    assert only(read(source, whole))
    lines = whole.split(b"\n")
    lines[len(rows)] = lines[len(rows)].removesuffix(b"}") + b', "more": 1, "more": 2}'
    assert refused(read(source, b"\n".join(lines))) == ("input.invalid", "a field twice")
