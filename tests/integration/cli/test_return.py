"""`kallan return`, as docs/operations.md has it: told first, then done, by the id or by the number."""

from __future__ import annotations

import shlex
from string import Template
from typing import TYPE_CHECKING

import psycopg
import pytest

import deploy.cli.backup
import streams.kafka
from deploy.operations.backup import back_up
from deploy.operations.erase import erase
from deploy.operations.schema import schemas
from streams.contracts.claims import Marking
from tests.docs.reading import block_with
from tests.integration.cli.conftest import ANNA, BO, STRANGER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.cli.conftest import Kallan, Ran, Town

WORDS = {"DECISION": "KS 2026/0600", "REASON": "flyttat tillbaka", "ASKED_BY": "karin", "APPROVED_BY": "omar"}


def typed(kallan: Kallan, person: str, *, yes: bool, stdin: str = "", **words: str) -> Ran:
    told, done = block_with("docs/operations.md", "kallan return").splitlines()
    line = Template(done if yes else told).substitute(WORDS | words, PERSON_ID=person)
    return kallan(*shlex.split(line)[1:], stdin=stdin)


@pytest.fixture
def gone(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Both are erased. What the command publishes goes where the world reads."""
    for person in (town.anna, town.bo):
        erase(town.world.base, town.world.settings.execute, person, "KS 2026/0500", "anna", "bo")
    town.world.settle()
    monkeypatch.setattr(streams.kafka, "KafkaProducer", lambda *_, **__: town.world.bus)
    return town


def test_a_return_is_told_first_and_done_when_somebody_says_yes(kallan: Kallan, gone: Town) -> None:
    told = typed(kallan, gone.bo, yes=False)
    assert told.code == 0, told.err
    assert f"{gone.bo}: erased 2026-09-01 by decision KS 2026/0500" in told.out
    assert "1 numbers, marking sekretessmarkering" in told.out
    assert "Nothing was done" in told.out
    gone.world.settle()
    assert gone.world.readings.person_id(BO) is None
    done = typed(kallan, gone.bo, yes=True)
    assert done.code == 0, done.err
    assert "Taken in again." in done.out
    gone.world.settle()
    found = gone.world.readings.document(gone.bo)
    assert found is not None
    assert (found.marking, found.names, found.personas) == (Marking.SEKRETESSMARKERING, (), ())


def test_a_return_by_the_number_on_standard_input(kallan: Kallan, gone: Town) -> None:
    done = typed(kallan, "-", yes=True, stdin=ANNA)
    assert done.code == 0, done.err
    gone.world.settle()
    assert gone.world.readings.person_id(ANNA) == gone.anna
    assert gone.world.readings.person_id(BO) is None


def test_a_return_that_cannot_be_is_refused_with_its_code(kallan: Kallan, gone: Town) -> None:
    for person, words, stdin, code in (
        ("-", {}, STRANGER, "return.not-erased"),
        ("00000000-0000-8000-8000-000000000000", {}, "", "return.not-erased"),
        (gone.anna, {"APPROVED_BY": " Karin "}, "", "decision.two-persons"),
        (gone.anna, {"REASON": " "}, "", "input.missing"),
        (gone.anna, {"REASON": f"det var {BO}"}, "", "input.invalid"),
    ):
        ran = typed(kallan, person, yes=True, stdin=stdin, **words)
        assert (ran.code, ran.err.partition(":")[0]) == (2, code), ran.err
    gone.world.settle()
    assert gone.world.readings.person_id(ANNA) is None


def test_a_backup_from_before_is_brought_back_without_what_was_erased_and_without_ending_the_return(
    kallan: Kallan, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the places of the consumers, which no broker is there to keep."""
    base, folder = town.world.base, tmp_path / "backup"
    url = base.settings.store_url
    back_up(folder, folder / "keys", url, base.settings.keys_url, "1", schemas(base.settings), {})
    for person, decision in ((town.anna, "KS 2026/0500"), (town.bo, "KS 2026/0501")):
        erase(base, town.world.settings.execute, person, decision, "anna", "bo")
    town.world.settle()
    monkeypatch.setattr(streams.kafka, "KafkaProducer", lambda *_, **__: town.world.bus)
    assert typed(kallan, town.anna, yes=True).code == 0
    with psycopg.connect(url) as connection:
        connection.execute("drop schema mmd cascade; drop schema iam cascade; drop schema connectors cascade")
    monkeypatch.setattr(deploy.cli.backup, "rewind", lambda *_: None)
    restored = kallan("restore", str(folder), "--keys", str(folder / "keys"))
    assert restored.code == 0, restored.err
    assert "as they were" in restored.out
    with psycopg.connect(url) as connection:
        names = connection.execute("select bool_and(name like '#%') from iam.name_ledger").fetchone()
        left = connection.execute("select count(*) from mmd.claim where key_id <> ''").fetchone()
    assert (names, left) == ((True,), (0,))
    for person, decision in ((town.anna, "KS 2026/0600"), (town.bo, "KS 2026/0601")):
        assert typed(kallan, person, yes=True, DECISION=decision).code == 0  # that of the former is said once more
    town.world.settle()
    found = {one: town.world.readings.document(one) for one in (town.anna, town.bo)}
    assert {one: document and document.marking for one, document in found.items()} == {
        town.anna: Marking.UNVERIFIED,
        town.bo: Marking.SEKRETESSMARKERING,
    }
