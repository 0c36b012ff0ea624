"""What the explanation says when the reason is no rule: kept, closed, by date, withheld. True, and in sentences."""

from typing import get_args

import pytest

from iam.explain.phrases import Language
from iam.explain.render import render
from streams.contracts.claims import Leave, Marking
from streams.contracts.documents import Withheld
from tests.integration.iam_execute.test_explain import D, House, house
from tests.unit.iam_domain.making import DAY, at, person, work

__all__ = ["house"]


def told(house: House, language: Language) -> str:
    house.work()
    return render(house.explain(), language)


@pytest.mark.parametrize("language", get_args(Language))
def test_groups_that_are_kept_are_told_with_what_is_missing_not_with_a_rule(house: House, language: Language) -> None:
    house.iam.say(person(work()))
    house.work()
    house.iam.say(person(work(at_unit="unit:kommun:unheard-of")))
    text = told(house, language)
    assert "kept:" not in text
    if language == "en":
        assert f"Kept as it was for {work().key}: the organisation unit is not known yet." in text
        assert f"Rule staff gives less than it could for {work().key}: the organisation unit is not known yet." in text
    else:
        assert f"Behålls som det var för {work().key}: organisationsenheten är inte känd än." in text


@pytest.mark.parametrize("language", get_args(Language))
def test_a_change_by_date_is_told_as_such_and_not_as_an_event(house: House, language: Language) -> None:
    house.iam.say(person(work(to=DAY)))
    house.work()
    house.iam.pass_to(at(DAY + D, 0))
    text = told(house, language)
    assert "timer" not in text
    if language == "en":
        assert f"The latest change came with the date: it was due {DAY + D} 00:00:00." in text
        assert "2 seconds from when it was due until the account was read back." in text
    else:
        assert f"Den senaste ändringen kom med datumet: den skulle ske {DAY + D} 00:00:00." in text


def test_a_closed_target_is_named_and_the_open_one_is_not_denied(house: House) -> None:
    house.iam.say(person(work(), marking=Marking.SEKRETESSMARKERING))
    text = told(house, "en")
    assert f"Rule staff gives no account in cloud for {work().key}" in text
    assert "Rule staff gives nothing" not in text


def test_somebody_who_has_left_is_not_told_of_closed_targets_too(house: House) -> None:
    house.iam.say(person(work(to=DAY - D), marking=Marking.SEKRETESSMARKERING))
    text = told(house, "en")
    assert "it has ended" in text
    assert "handled with care" not in text


@pytest.mark.parametrize("language", get_args(Language))
def test_an_account_of_somebody_withheld_says_why_it_is_closed(house: House, language: Language) -> None:
    house.iam.say(person(work()))
    house.work()
    house.iam.say(Withheld("p1"))
    text = told(house, language)
    expected = {
        "en": "Nothing is given: no role is left that provisioning may know of.",
        "sv": "Ingenting ges: ingen roll finns kvar som kontohanteringen får känna till.",
    }
    assert expected[language] in text


def test_leave_is_the_reason_only_where_the_rule_would_match_otherwise(house: House) -> None:
    house.iam.say(person(work(aid="199599", leaves=(Leave(DAY - D, None, "leave"),))))
    text = told(house, "en")
    assert f"Rule usk gives nothing for {work().key}: another AID code." in text
    assert "leave of absence" not in text
