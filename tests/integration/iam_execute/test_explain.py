"""From a document of the master to accounts in two targets, and the explanation of what happened and why."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

import msgspec
import pytest

from connectors.targets.memory import MemoryTarget
from connectors.targets.port import Target
from iam.domain.conditions import WHY_NOT
from iam.execute.executor import Executor
from iam.execute.metrics import Outcome
from iam.explain.explain import explain
from iam.explain.explanation import Explanation, InTarget
from iam.explain.latency import latencies
from iam.explain.phrases import CAUSE, OUTCOME, TEXT, Language
from iam.explain.render import render
from iam.relay.relay import AccountRelay
from streams.bus import MemoryBus
from streams.clock import SystemTicker
from streams.codec import RecordCodec
from streams.contracts.claims import Marking
from streams.database import open_pool
from streams.sealing import KeyClass
from tests.integration.iam_evaluate.conftest import Iam
from tests.unit.iam_domain.making import DAY, O1, O2, POLICY, UNITS, at, person, work

D = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


@dataclass
class House:
    """Evaluation, relay and execution over one store, with a target for each of the policy's."""

    iam: Iam
    targets: dict[str, MemoryTarget] = field(
        default_factory=lambda: {name: MemoryTarget(name) for name in POLICY.targets}
    )

    def __post_init__(self) -> None:
        targets: dict[str, Target] = dict(self.targets)
        iam = self.iam
        self.relay = AccountRelay(
            iam.pool, RecordCodec(iam.keys, KeyClass.ACCOUNT), MemoryBus(), iam.clock, SystemTicker(), "relay"
        )
        self.executor = Executor(iam.pool, iam.keys, targets, SystemTicker(), iam.clock, "execute")

    def work(self, seconds: int = 2) -> None:
        """Carry out everything; business time passes meanwhile."""
        self.iam.clock.instant += seconds * SECOND
        while self.relay.run_once():
            pass
        self.executor.run_once()

    def explain(self, who: str = "p1", moment: dt.datetime | None = None) -> Explanation:
        return explain(self.iam.pool, self.iam.keys, who, self.iam.clock.now(), at=moment, policy=POLICY)

    def directory(self, who: str = "p1", moment: dt.datetime | None = None) -> InTarget:
        (account,) = self.explain(who, moment).accounts
        (found,) = [one for one in account.targets if one.target == "directory"]
        return found


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with open_pool(database_url, size=6, name="test") as pool:
        iam = Iam(pool)
        iam.say(*UNITS.values())
        yield House(iam)


def test_every_group_is_explained_by_rule_policy_persona_and_fact(house: House) -> None:
    house.iam.say(person(work()))
    house.work()
    (account,) = house.explain().accounts
    assert account.names["uid"]
    found = house.directory()
    assert (found.desired, found.observed, found.equal, found.waiting) == ("enabled", "enabled", True, None)
    assert [one.name for one in found.groups] == [f"org:{O1}", "role:usk"]
    for group in found.groups:
        assert group.wanted
        assert group.held
        (basis, *_) = group.why
        assert basis.policy == POLICY.version
        assert basis.persona == work().key
        assert basis.facts[0].event
    assert found.why, "the account itself has a basis too"
    (operation,) = found.operations
    assert (operation.outcome, operation.asked, operation.found, operation.seconds) == (
        "done",
        "enabled",
        "enabled",
        2.0,
    )
    assert operation.added == (f"org:{O1}", "role:usk")
    assert "display_name" in operation.attributes


def test_s03_a_mover_is_explained_by_what_came_and_what_went(house: House) -> None:
    house.iam.say(person(work()))
    house.work()
    house.iam.say(person(work(at_unit=O2)))
    before = house.directory()
    assert {(group.name, group.wanted, group.held) for group in before.groups} >= {
        (f"org:{O1}", False, True),
        (f"org:{O2}", True, False),
    }
    assert before.waiting is not None
    assert before.waiting.lane == "remove"
    house.work()
    after = house.directory()
    assert all(group.wanted and group.held for group in after.groups)
    assert after.operations[-1].removed[0] == f"org:{O1}"
    assert house.targets["directory"].groups_of(house.explain().accounts[0].account) == {g.name for g in after.groups}


def test_s04_a_leaver_is_explained_by_the_end_and_what_was_is_told_as_of_before(house: House) -> None:
    house.iam.say(person(work(to=DAY)))
    house.work()
    last_evening = at(DAY, 22)
    house.iam.pass_to(at(DAY + D, 0))
    house.work()
    now = house.directory()
    assert (now.desired, now.observed, now.groups) == ("disabled", "disabled", ())
    assert now.operations[-1].lane == "disable"
    assert "closed" in {one.code for one in now.not_given}
    then = house.directory(moment=last_evening)
    assert (then.desired, then.observed, then.equal) == ("enabled", "enabled", True)
    assert [(group.name, group.held) for group in then.groups] == [(f"org:{O1}", True), ("role:usk", True)]
    assert then.groups[0].why[0].persona == work().key
    assert house.explain(moment=at(DAY - 9 * D)).accounts == ()


def test_who_has_no_account_is_told_which_rules_gave_none_and_why(house: House) -> None:
    house.iam.say(person(work(since=DAY + 100 * D)))
    house.work()
    found = house.explain()
    assert found.known
    assert found.accounts == ()
    assert {one.code for one in found.not_given} == {"planned"}
    assert not house.explain("nobody").known


def test_a_restricted_person_is_told_that_a_cloud_target_is_closed_and_no_name_is_shown(house: House) -> None:
    house.iam.say(person(work(), marking=Marking.SEKRETESSMARKERING))
    house.work()
    found = house.explain()
    assert "protected-hosting" in {one.code for one in found.not_given}
    assert "cloud" not in {one.target for one in found.accounts[0].targets}


def test_what_waits_says_for_what(house: House) -> None:
    house.iam.say(person(work()))
    waiting = house.directory().waiting
    assert waiting is not None
    assert (waiting.lane, waiting.for_names, waiting.target_away) == ("create", True, False)
    house.targets["directory"].go_down()
    house.work()
    found = house.directory()
    assert found.observed == "unknown"
    assert found.error_code == "target.unreachable"
    assert found.waiting is not None
    assert (found.waiting.for_names, found.waiting.target_away) == (False, True)
    assert [one.outcome for one in found.operations] == ["unreachable"]


def test_a_time_out_is_explained_by_the_attempt_and_the_read_back(house: House) -> None:
    house.targets["directory"].time_out_after_write()
    house.iam.say(person(work()))
    house.work()
    house.executor.retry_now()
    house.work()
    assert [one.outcome for one in house.directory().operations] == ["unknown", "unchanged"]


@pytest.mark.parametrize("language", get_args(Language))
def test_the_text_is_plain_sentences_that_tell_rule_fact_operation_and_time(house: House, language: Language) -> None:
    house.iam.say(person(work()))
    house.work()
    text = render(house.explain(), language)
    house.iam.say(person(work(to=DAY - D)))
    house.work()
    text += render(house.explain(), language)
    assert re.fullmatch(r"[\w\s.,:;()@|+/-]+", text), "no picture, table or colour"
    assert POLICY.version in text
    assert work().key in text
    assert ("2 sekunder" if language == "sv" else "2 seconds") in text
    assert "{" not in text
    assert all(line == "" or len(line) - len(line.lstrip()) <= 8 for line in text.splitlines())


def test_json_is_the_whole_answer_and_can_be_read_again(house: House) -> None:
    house.iam.say(person(work()))
    house.work()
    found = house.explain()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Explanation) == found


def test_an_explanation_shows_no_value_of_a_person(house: House) -> None:
    document = person(work())
    house.iam.say(document)
    house.work()
    told = msgspec.json.encode(house.explain()).decode() + render(house.explain(), "sv")
    names = [text for name in document.names for text in (name.given, name.family) if text]
    assert names
    assert not [text for text in names if text in told]


def test_latency_is_from_the_first_logging_to_the_read_back_per_lane(house: House) -> None:
    for number, seconds in enumerate((2, 4, 30)):
        house.iam.say(person(work(f"e{number}"), who=f"p{number}"))
        house.work(seconds)
    house.iam.say(person(work("e0", to=DAY - D), who="p0"))
    house.work(1)
    found = latencies(house.iam.pool)
    targets = len(house.explain("p1").accounts[0].targets)
    created = found.lanes["create"]
    assert (created.count, created.median, created.worst) == (3 * targets, 4.0, 30.0)
    assert found.lanes["disable"].worst == 1.0
    assert found.all.count == created.count + found.lanes["disable"].count
    assert found.unmeasured == 0
    assert latencies(house.iam.pool, since=house.iam.clock.now() + D).all.count == 0


def test_every_outcome_and_reason_has_words_in_both_languages() -> None:
    assert {outcome.value for outcome in Outcome} <= set(OUTCOME)
    for words in (CAUSE, OUTCOME, TEXT, WHY_NOT):
        for english, swedish in words.values():
            assert english
            assert swedish
            assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", swedish))
