"""The plugin in somebody else's project: scenario files become tests, failures tell want and got, gaps are named."""

import pytest

pytest_plugins = ["pytester"]

INI = """
[pytest]
kallan_scenarios = stories/*.yml
kallan_through = direct
"""
GOOD = """
id: X-01
title: A person is known
start: 2026-09-01T08:00:00
cast: {anna: {born: 1985-03-02}}
steps:
  - {source: navet, records: [{PersonNr: "${anna}", totalpost: true, Fornamn: Anna, Efternamn: Annanby}]}
  - {expect: {persons: {anna: {has: {name: {family: Annanby}, marking: none}}}, dead_letters: {}}}
  - {needs: mail, note: a letter, expect: {dead_letters: {}}}
"""


@pytest.fixture
def project(pytester: pytest.Pytester, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("KALLAN_TEST_DATABASE_URL", postgres_url)
    pytester.makefile(".ini", pytest=INI)
    pytester.mkdir("stories")
    return pytester


def write(project: pytest.Pytester, text: str) -> None:
    (project.path / "stories" / "x01.yml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("shared", [(), ("-n", "2")], ids=["alone", "by two processes"])
def test_a_scenario_that_holds_passes_and_what_was_not_run_is_named(
    project: pytest.Pytester, shared: tuple[str, ...]
) -> None:
    write(project, GOOD)
    result = project.runpytest_subprocess("-q", *shared)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*not run*", "X-01 step 3 (a letter): needs mail, which is not built yet (direct)"])


def test_a_scenario_that_does_not_hold_fails_with_what_was_wanted_and_what_came(project: pytest.Pytester) -> None:
    write(project, GOOD.replace("family: Annanby}, marking", "family: Annorlunda}, marking"))
    result = project.runpytest_subprocess("-q")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*X-01 step 2: person anna: name.family: want 'Annorlunda', got 'Annanby'*"])


def test_a_mistake_in_a_file_fails_with_the_place(project: pytest.Pytester) -> None:
    write(project, GOOD.replace("Fornamn: Anna,", "Fornamm: Anna,"))
    result = project.runpytest_subprocess("-q")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*scenario.invalid*Fornamm*"])


def test_a_file_that_is_no_scenario_of_the_project_is_left_alone(project: pytest.Pytester) -> None:
    (project.path / "other.yml").write_text("a: b", encoding="utf-8")
    result = project.runpytest_subprocess("-q")
    result.assert_outcomes()
