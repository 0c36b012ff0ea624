"""The scenario format: what is accepted, what is refused and with which words."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from deploy.replay.scenario import SCHEMA_FILE, filled, json_schema, read_scenario
from streams.contracts.errors import Rejected

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yml"))
GOOD = """
id: S-99
title: A person is known
start: 2026-09-01T08:00:00
cast: {anna: {born: 1985-03-02}}
steps:
  - {source: navet, records: [{personNr: "${anna}"}]}
  - {expect: {persons: {anna: {has: {name: {given: Anna}}}}}}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "scenario.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_cast_member_is_given_the_published_test_number_of_the_birth_date(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path, GOOD))
    records = filled(scenario.steps[0].records, scenario.cast)
    assert records[0]["personNr"] == scenario.cast["anna"].number
    assert records[0]["personNr"].startswith("19850302238")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("title: A person is known\n", ""), "title"),
        (("cast: {anna:", "cast: {berit:"), "not in the cast: anna"),
        (("- {source: navet,", "- {source: navet, at: 2026-10-01,"), "exactly one of"),
        (('records: [{personNr: "${anna}"}]', "total: true"), "either records or file"),
        (("id: S-99", "id: scenario nine"), "id"),
        (("- {expect: {persons", "- {needs: magic, expect: {persons"), "unknown need"),
        (("has: {name", "hass: {name"), "hass"),
        (("steps:", "steps: ]"), "scenario.yml"),
        (("born: 1985-03-02}", "born: 1940-03-02}"), "cast anna"),
        (("born: 1985-03-02}", "born: 1985-03-02}, eva: {born: 1985-03-02}"), "anna and eva are one person"),
        (("  - {expect", "  - {at: 2026-13-45}\n  - {expect"), "step 2: at is no time"),
        (("  - {expect", "  - {operator: loads forget}\n  - {expect"), "unknown operator command"),
        (("  - {expect", "  - {operator: loads release}\n  - {expect"), "loads release takes"),
        (("  - {expect", "  - {operator: dlq retry, with: {code: 7}}\n  - {expect"), "its arguments are texts"),
        (("  - {expect", "  - {operator: dlq retry, with: {code: x, letter: a}}\n  - {expect"), "dlq retry takes"),
        (
            ("  - {expect", "  - {operator: erase, with: {person: a, decision: b}}\n  - {expect"),
            "erase takes `with: {approved_by: ..., decision: ..., person: ...}`, and `by`, `refused`",
        ),
        (("  - {expect", "  - {operator: rebuild, with: {by: karin}}\n  - {expect"), "rebuild takes `refused`"),
        (("- {expect: {persons", "- {expect: {unused_uid: [berit], persons"), "not in the cast: berit"),
        (("  - {expect", "  - {at: 2026-10-01, with: {by: karin}}\n  - {expect"), "`with` is for an operator"),
        (("  - {expect", "  - {at: 2026-10-01, needs: mail}\n  - {expect"), "only an expectation or an operator"),
    ],
)
def test_a_mistake_is_refused_with_the_file_and_the_place(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(Rejected) as refused:
        read_scenario(write(tmp_path, GOOD.replace(*change)))
    assert refused.value.code == "scenario.invalid"
    assert words in str(refused.value)


def test_an_operators_command_that_is_built_later_says_what_it_needs(tmp_path: Path) -> None:
    step = "  - {operator: brake release, with: {limit: 5}, needs: brake}\n"
    scenario = read_scenario(write(tmp_path, GOOD.replace("  - {expect", step + "  - {expect")))
    assert scenario.steps[1].needs == "brake"


def test_a_scenario_without_an_expectation_is_refused(tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("  - {expect")]
    with pytest.raises(Rejected, match="proves nothing"):
        read_scenario(write(tmp_path, text))


def test_a_number_of_someone_who_is_not_in_the_cast_is_refused(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path, GOOD))
    with pytest.raises(Rejected, match="not in the cast: bo"):
        filled(["${bo}"], scenario.cast)


def test_the_published_schema_is_the_one_of_the_types() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda p: p.stem)
def test_every_scenario_of_the_tree_follows_the_schema(path: Path) -> None:
    read_scenario(path)
    data = json.loads(
        json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=lambda value: value.isoformat())
    )
    jsonschema.Draft202012Validator(json_schema()).validate(data)


def test_whoever_a_scenario_erases_is_in_no_other_scenario() -> None:
    """Through Kafka they share one stack, and whoever is erased stays so."""
    told = {path: read_scenario(path) for path in SCENARIOS}
    numbers = {path: {one.number for one in scenario.cast.values()} for path, scenario in told.items()}
    erased = [
        (path, filled(step.with_["person"], scenario.cast))
        for path, scenario in told.items()
        for step in scenario.steps
        if step.operator == "erase"
    ]
    assert erased
    for path, number in erased:
        assert [other.stem for other in SCENARIOS if other != path and number in numbers[other]] == []


def test_a_cast_member_may_have_a_coordination_number_whose_day_is_sixty_more(tmp_path: Path) -> None:
    scenario = read_scenario(write(tmp_path, GOOD.replace("1985-03-02}", "1985-03-02, coordination: true}")))
    assert scenario.cast["anna"].number.startswith("19850362238")


def test_the_text_of_a_native_file_is_filled_like_records(tmp_path: Path) -> None:
    scenario = read_scenario(
        write(tmp_path, GOOD.replace('records: [{personNr: "${anna}"}]', 'text: "<PersonNr>${anna}</PersonNr>"'))
    )
    assert filled(scenario.steps[0].text, scenario.cast) == f"<PersonNr>{scenario.cast['anna'].number}</PersonNr>"
