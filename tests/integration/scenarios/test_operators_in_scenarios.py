"""What a scenario can and cannot say: an operator's commands, and expectations that name what there is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.replay.remaking import Remaking
from deploy.replay.run import Outcome, run_scenario
from deploy.replay.scenario import read_scenario
from streams.catalogue import SOURCE_URGENT
from streams.contracts.errors import Rejected
from streams.dead_letters import LetterState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.replay.direct import DirectWorld
    from streams.envelope import Message

BEGIN = """
id: X-01
title: told
start: 2026-09-01T08:00:00
cast: {anna: {born: 1985-03-02}}
steps:
  - {source: navet, records: [{PersonNr: "${anna}", totalpost: true, Fornamn: Anna, Efternamn: Annanby}]}
"""


def run(world: DirectWorld, folder: Path, *steps: str) -> Outcome:
    path = folder / "x01.yml"
    path.write_text(BEGIN + "".join(f"  - {step}\n" for step in steps), encoding="utf-8")
    return run_scenario(read_scenario(path), world, folder)


@pytest.mark.parametrize(("command", "state"), [("retry", LetterState.RETRIED), ("discard", LetterState.DISCARDED)])
def test_dead_letters_of_a_code_are_retried_and_discarded(
    direct_world: DirectWorld, tmp_path: Path, command: str, state: LetterState
) -> None:
    assert run(direct_world, tmp_path, "{expect: {dead_letters: {}}}").good
    letters = direct_world.base.dead_letters
    letters.add("ingest-bulk", direct_world.bus.log("source.person.v1")[0], Rejected("stamp.missing", "name"))
    done = run(
        direct_world,
        tmp_path,
        "{expect: {dead_letters: {stamp.missing: 1}}}",
        f"{{operator: dlq {command}, with: {{code: stamp.missing, by: karin}}}}",
        "{expect: {dead_letters: {}}}",
    )
    assert done.failures == []
    (letter,) = letters.list(None)
    assert (letter.state, letter.closed_by) == (state, "karin")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{operator: loads release, with: {source: hr}}", "no total load of hr is held"),
        ("{operator: dlq retry, with: {code: input.invalid}}", "no open dead letter of input.invalid"),
    ],
)
def test_a_command_that_cannot_be_done_fails_the_scenario_at_its_step(
    direct_world: DirectWorld, tmp_path: Path, step: str, words: str
) -> None:
    outcome = run(direct_world, tmp_path, "{expect: {dead_letters: {}}}", step, "{expect: {dead_letters: {a: 1}}}")
    (line,) = outcome.failures  # what stands after it is not looked at
    assert line.startswith("X-01 step 3: resource.unknown")
    assert words in line


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ("persons: {anna: {has: {adress: null}}}", "there is nothing called adress to see"),
        ("accounts: {anna: {directry: {state: absent}}}", "there is no target directry"),
        ("persons: {anna: {seen_by: newspaper}}", "no release 'newspaper'"),
    ],
)
def test_an_expectation_about_what_there_is_not_fails_also_where_it_wants_nothing(
    direct_world: DirectWorld, tmp_path: Path, expectation: str, words: str
) -> None:
    (line,) = run(direct_world, tmp_path, f"{{expect: {{{expectation}}}}}").failures
    assert words in line


def test_no_calls_to_a_target_can_be_wanted_before_there_was_any(direct_world: DirectWorld, tmp_path: Path) -> None:
    assert run(direct_world, tmp_path, "{expect: {target_calls: {directory: 0, collaboration: 0}}}").failures == []


EMPLOYED = (
    '{source: organisation, records: [{orgId: "1100", orgName: Norr, nodeFrom: 2020-01-01}]}',
    '{source: hr, records: [{employmentId: E1, personNumber: "${anna}", startDate: 2020-01-01, orgId: "1100"}]}',
)


def test_a_store_that_does_not_come_again_as_it_was_is_not_taken_into_use(
    direct_world: DirectWorld, tmp_path: Path
) -> None:
    assert run(direct_world, tmp_path, *EMPLOYED, "{expect: {dead_letters: {}}}").good
    with direct_world.base.pool.connection() as connection:
        connection.execute("delete from iam.name_ledger where kind = 'eppn'")
    (line,) = run(direct_world, tmp_path, "{operator: rebuild}", "{expect: {dead_letters: {}}}").failures
    assert line.startswith("X-01 step 2: store.differs: 1: name ")
    with direct_world.base.pool.connection() as connection:
        kept = connection.execute("select kind from iam.name_ledger").fetchall()
    assert kept == [("uid",)], "the store in use is the one that it was"
    assert left_over(direct_world) == []


def left_over(world: DirectWorld) -> list[object]:
    with world.base.pool.connection() as connection:
        databases = connection.execute("select datname from pg_database where datname like 'again%'").fetchall()
        schemas = connection.execute("select nspname from pg_namespace where nspname like '%replaced'").fetchall()
    return [*databases, *schemas]


def test_what_was_made_again_takes_the_place_of_what_was_lost(direct_world: DirectWorld, tmp_path: Path) -> None:
    told = "{expect: {accounts: {anna: {directory: {state: enabled}}}, same_uid: [anna]}}"
    outcome = run(direct_world, tmp_path, *EMPLOYED, told, "{operator: rebuild}", "{expect: {target_calls: 0}}", told)
    assert outcome.failures == []
    assert left_over(direct_world) == []


def test_a_rebuild_that_unmasks_somebody_on_the_way_fails_its_step(direct_world: DirectWorld, tmp_path: Path) -> None:
    """The markings are read first, in a pass of their own; here nothing is read first."""
    post = '{{source: navet, records: [{{PersonNr: "${{anna}}", totalpost: true, Fornamn: Anna{}}}]}}'
    posts = [post.format(f", Efternamn: Annan{count}") for count in range(6)]
    marked = post.format(", Efternamn: Annan, Sekretessmarkering: J")
    assert run(direct_world, tmp_path, *posts, marked, "{expect: {persons: {anna: {}}}}").failures == []
    asked: set[str] = set()

    def read(topic: str) -> Sequence[Message]:
        found = () if topic == SOURCE_URGENT or topic not in asked else direct_world.bus.log(topic)
        asked.add(topic)
        return found

    settings = direct_world.settings
    remake = Remaking(
        direct_world.base, settings.master, settings.execute, direct_world.targets, read, {}, lambda *_: None
    )
    with pytest.raises(Rejected, match=r"store\.differs: without protection on the way"):
        remake()
    assert left_over(direct_world) == []


def test_a_uid_that_an_account_has_is_not_unused(direct_world: DirectWorld, tmp_path: Path) -> None:
    unused = "{expect: {unused_uid: [anna]}}"
    seen = "{expect: {accounts: {anna: {directory: {state: enabled}}}}}"
    outcome = run(direct_world, tmp_path, unused, *EMPLOYED, seen, unused)
    assert [line.partition(": ")[2] for line in outcome.failures] == [
        "uid of anna: none was seen before",
        "uid of anna: is in collaboration",
        "uid of anna: is in directory",
    ]
