"""S-16: what a rule may ask of how sure it is who somebody is."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.domain.conditions import unassured
from iam.domain.policy import Policy, When
from streams.contracts.claims import Assurance
from streams.contracts.documents import AssuranceEntry, PersonDocument
from streams.contracts.errors import Rejected
from tests.unit.iam_domain.making import DAY, POLICY, STAMP, Provisioning, at, person, work
from tests.unit.iam_domain.test_policy import changed

LEVELS = (None, Assurance.UNCERTAIN, Assurance.PROBABLE, Assurance.CONFIRMED)
"""From the least to the most sure."""

levels, flags = st.sampled_from(LEVELS), st.booleans()
asked = st.sampled_from([None, "probable", "confirmed"])
refusals = st.sampled_from([None, "refused"])


def known(level: Assurance | None, *, dormant: bool = False) -> AssuranceEntry | None:
    return None if level is None else AssuranceEntry(level, STAMP, dormant)


def someone(level: Assurance | None, *, dormant: bool = False) -> PersonDocument:
    return msgspec.structs.replace(person(work()), assurance=known(level, dormant=dormant))


@given(levels, levels, flags, asked, refusals)
def test_whoever_is_known_better_never_loses_by_it(
    one: Assurance | None, other: Assurance | None, dormant: bool, level: Any, refused: Any
) -> None:
    less, more = sorted((one, other), key=LEVELS.index)
    when = When(assurance=level, dormant=refused)
    if unassured(when, known(less, dormant=dormant)) is None:
        assert unassured(when, known(more, dormant=dormant)) is None or less is None


@given(levels, flags, asked)
def test_a_level_suffices_exactly_for_itself_and_less(level: Assurance | None, dormant: bool, demanded: Any) -> None:
    enough = demanded is None or LEVELS.index(level) >= LEVELS.index(Assurance(demanded))
    assert (unassured(When(assurance=demanded), known(level, dormant=dormant)) is None) is enough


@given(levels, flags)
def test_a_policy_that_does_not_ask_gives_everybody_the_same(level: Assurance | None, dormant: bool) -> None:
    """Whoever holds a dormant number is no leaver."""
    asks_nothing = Provisioning(POLICY)
    assert asks_nothing.see(someone(level, dormant=dormant), at(DAY)) == Provisioning(POLICY).see(
        someone(None), at(DAY)
    )


@pytest.mark.parametrize(
    ("when", "level", "dormant", "why"),
    [
        ({"assurance": "confirmed"}, Assurance.CONFIRMED, True, None),
        ({"assurance": "confirmed"}, Assurance.PROBABLE, False, "assurance"),
        ({"assurance": "probable"}, Assurance.PROBABLE, False, None),
        ({"assurance": "probable"}, None, False, "assurance"),
        ({"dormant": "refused"}, Assurance.UNCERTAIN, False, None),
        ({"dormant": "refused"}, Assurance.CONFIRMED, True, "dormant"),
        ({"dormant": "refused"}, None, False, "dormant"),
    ],
)
def test_a_group_that_asks_for_a_level_is_given_and_refused_with_its_reason_and_the_account_stays(
    when: dict[str, Any], level: Assurance | None, dormant: bool, why: str | None
) -> None:
    policy = Policy.from_data(changed(("grants", 1, "when"), when))
    found = Provisioning(policy).see(someone(level, dormant=dormant), at(DAY))["directory"].intent
    assert ("role:usk" in found.state.groups) is (why is None)
    assert [one.code for one in found.why_not if one.rule == "usk"] == ([] if why is None else [why])
    assert found.state.presence.value == "enabled"


def test_an_account_rule_may_ask_for_a_level_too() -> None:
    policy = Policy.from_data(changed(("accounts", 0, "when"), {"assurance": "probable"}))
    assert Provisioning(policy).presence(someone(Assurance.UNCERTAIN), at(DAY)) is None
    assert Provisioning(policy).presence(someone(Assurance.PROBABLE), at(DAY)) is not None


@pytest.mark.parametrize("when", [{"assurance": "confirmd"}, {"assurance": "uncertain"}, {"dormant": "false"}])
def test_a_level_that_there_is_not_is_a_mistake_and_asks_for_nothing_less(when: dict[str, str]) -> None:
    with pytest.raises(Rejected, match=r"input\.invalid: policy: .*grants"):
        Policy.from_data(changed(("grants", 1, "when"), when))
