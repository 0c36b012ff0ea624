"""Accounts of roles beside employment: under the policy that comes with Källan, and whatever a policy may say."""

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.settings import CONFIG
from deploy.wiring.data import read_policy
from iam.domain.account import Presence
from iam.domain.desired import DesiredAccount, desired, wanted
from iam.domain.policy import PUPILS, PUPILS_GROUP, Policy
from iam.domain.world import AccountKey, Given, World
from streams.contracts.claims import Segment, persona_key
from streams.contracts.documents import Persona, PersonaType, PersonDocument
from streams.contracts.errors import Rejected
from tests.unit.iam_domain.making import DAY, EMPLOYER, O1, O2, POLICY_DATA, STAMP, UNITS, at, given_of, person, work

POLICY = read_policy(Path(CONFIG) / "policy.yml")
SETS = {
    PersonaType.PUPIL: ("enrolment", "GR"),
    PersonaType.ADULT_STUDENT: ("enrolment", "VUX"),
    PersonaType.PRESCHOOL_CHILD: ("placement", "FS"),
    PersonaType.CONSULTANT: ("consultancy", ""),
    PersonaType.POLITICIAN: ("mandate", ""),
    PersonaType.ROBOT: ("robot", ""),
    PersonaType.GUARDIAN: ("custody", ""),
}
CLASSES = {
    PersonaType.EMPLOYEE: "staff",
    PersonaType.PUPIL: "pupil",
    PersonaType.ADULT_STUDENT: "pupil",
    PersonaType.CONSULTANT: "external",
    PersonaType.POLITICIAN: "elected",
    PersonaType.ROBOT: "robot",
}


def role(
    kind: PersonaType,
    number: str = "r1",
    *,
    since: dt.date = dt.date(2020, 1, 1),
    to: dt.date | None = None,
    at_unit: str = O1,
    title: str = "",
) -> Persona:
    if kind is PersonaType.EMPLOYEE:
        return work(number, since=since, to=to, at_unit=at_unit, title=title)
    information_set, school_type = SETS[kind]
    key = persona_key(information_set, EMPLOYER, number)
    segments = (Segment(since, to, unit=at_unit, title=title),)
    return Persona(key, kind, STAMP, EMPLOYER, number, segments, school_type=school_type)


def accounts(document: PersonDocument, policy: Policy = POLICY, on: dt.date = DAY) -> dict[str, DesiredAccount]:
    """By class, the account in the directory."""
    world = World(UNITS)
    names: dict[AccountKey, list[Given]] = {}
    for key in wanted(document, world, policy, at(on)):
        names |= given_of(key.person, key.account_class)
    class_of = {given.id: key.account_class for key, found in names.items() for given in found}
    found = desired(document, world, policy, names, at(on)).accounts
    return {class_of[one.account.id]: one for one in found if one.target == "directory"}


@pytest.mark.parametrize("kind", CLASSES)
def test_each_role_has_an_account_of_its_own_class(kind: PersonaType) -> None:
    found = accounts(person(role(kind)))
    assert found.keys() == {CLASSES[kind]}
    state = found[CLASSES[kind]].intent.state
    assert state.presence is Presence.ENABLED
    assert state.groups


@pytest.mark.parametrize("kind", [PersonaType.GUARDIAN, PersonaType.PRESCHOOL_CHILD])
def test_guardians_and_preschool_children_have_none(kind: PersonaType) -> None:
    assert accounts(person(role(kind))) == {}


def test_r_02_one_who_has_every_role_has_an_account_for_each_class_and_no_two_share_an_eppn() -> None:
    found = accounts(person(*(role(kind, f"r{n}") for n, kind in enumerate(CLASSES))))
    assert found.keys() == set(CLASSES.values())
    assert len({one.account.eppn for one in found.values()}) == len(found)


_kinds = st.lists(st.sampled_from(PersonaType), min_size=1, max_size=5)


@given(_kinds, st.sampled_from([O1, O2]), st.sampled_from(["", "lärare", "ordförande"]))
def test_no_account_of_a_pupil_is_ever_in_a_group_of_others(kinds: list[PersonaType], unit: str, title: str) -> None:
    document = person(*(role(kind, f"r{n}", at_unit=unit, title=title) for n, kind in enumerate(kinds)))
    for account_class, one in accounts(document).items():
        of_pupils = {group.endswith(PUPILS_GROUP) for group in one.intent.state.groups}
        assert of_pupils <= {account_class == "pupil"}
        personas = {reason.persona for reason in one.intent.reasons}
        types = {persona.type for persona in document.personas if persona.key in personas}
        assert types <= PUPILS if account_class == "pupil" else types.isdisjoint(PUPILS)


@given(_kinds, st.sampled_from(PersonaType))
def test_the_end_of_one_role_leaves_the_accounts_of_other_classes_as_they_are(
    kinds: list[PersonaType], ended: PersonaType
) -> None:
    roles = [role(kind, f"r{n}") for n, kind in enumerate(kinds)]
    over = [role(p.type, p.source_id, to=DAY - dt.timedelta(1)) if p.type is ended else p for p in roles]
    before, after = accounts(person(*roles)), accounts(person(*over))
    for account_class, one in before.items():
        if account_class != CLASSES.get(ended):
            assert after[account_class].intent.state == one.intent.state


def test_a_name_agreed_with_the_employer_stands_on_the_staff_account_alone() -> None:
    found = accounts(person(role(PersonaType.EMPLOYEE, "e1"), role(PersonaType.PUPIL), agreed="Fröken Vera"))
    assert found["staff"].intent.state.attributes["display_name"] == "Fröken Vera"
    assert found["pupil"].intent.state.attributes["display_name"] == "Kanariefågel Utpekad"
    hidden = accounts(person(role(PersonaType.PUPIL), agreed="Fröken Vera", restricted=True))["pupil"]
    assert hidden.intent.state.attributes["display_name"] == hidden.account.uid


def test_a_rule_may_choose_by_type_of_school() -> None:
    data = _with_pupils()
    data["accounts"][1]["when"] = {"school_types": ["GY"]}
    assert accounts(person(role(PersonaType.PUPIL)), Policy.from_data(data)) == {}
    data["accounts"][1]["when"] = {"school_types": ["GY", "GR"]}
    assert accounts(person(role(PersonaType.PUPIL)), Policy.from_data(data)).keys() == {"pupil"}


def _with_pupils() -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(POLICY_DATA)
    data["accounts"].append({"id": "pupil", "persona": "pupil", "class": "pupil", "targets": ["directory"]})
    data["grants"].append({"id": "school", "persona": "pupil", "groups": ["org:{unit}:pupils"]})
    return data


@pytest.mark.parametrize(
    ("place", "changed", "said"),
    [
        (("accounts", 1), {"class": "staff"}, "pupils have accounts of a class of their own"),
        (("accounts", 0), {"class": "pupil"}, "pupils have accounts of a class of their own"),
        (("accounts", 0), {"persona": "guardian"}, "sign in with an eID"),
        (("grants", 4), {"groups": ["org:{unit}"]}, "groups of pupils, and no others"),
        (("grants", 4), {"groups": ["role:elev:pupils"]}, "pupils have no roles by rule"),
        (("grants", 4), {"persona": "adult-student", "groups": ["role:larare"]}, "pupils have no roles by rule"),
        (("grants", 0), {"groups": ["org:{unit}:pupils"]}, "groups of pupils, and no others"),
    ],
)
def test_a_policy_that_would_mix_pupils_with_others_is_refused(
    place: tuple[str, int], changed: dict[str, Any], said: str
) -> None:
    Policy.from_data(_with_pupils())
    data = _with_pupils()
    data[place[0]][place[1]] |= changed
    with pytest.raises(Rejected, match=said):
        Policy.from_data(data)
