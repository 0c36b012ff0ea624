"""The traceability file: what is wrong with it is found, and the page says what was run and what was not."""

from pathlib import Path

import msgspec
import pytest

from deploy.checks import traces as check
from deploy.docs.traceability import traceability
from deploy.docs.traces import Mutation, Outcome, Recorded, Row, State, Traces, complaints, read_outcomes, read_traces

ROOT = Path(__file__).parents[3]
TRACES = read_traces(ROOT)


def changed(row_id: str, **changes: object) -> Traces:
    """The traces of this repository with one row changed."""

    def rows(of: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(msgspec.structs.replace(row, **changes) if row.id == row_id else row for row in of)

    return msgspec.structs.replace(TRACES, requirements=rows(TRACES.requirements), principles=rows(TRACES.principles))


def mutation_of(row_id: str) -> Mutation:
    return TRACES.mutations[row_id]


def test_this_repositorys_traces_are_true() -> None:
    assert check.broken(ROOT) == []


def test_a_row_that_is_left_out_is_told() -> None:
    less = msgspec.structs.replace(TRACES, requirements=TRACES.requirements[1:])
    assert complaints(less) == ["docs/sparbarhet: rows differ from the documents': M01"]
    twice = msgspec.structs.replace(TRACES, principles=(TRACES.principles[0], *TRACES.principles))
    assert complaints(twice) == ["docs/sparbarhet: rows differ from the documents': order or repetition"]


@pytest.mark.parametrize(
    ("row_id", "changes", "complaint"),
    [
        ("M01", {"source": "009"}, "an unknown source document"),
        ("M01", {"says": ""}, "says nothing"),
        ("M01", {"tests": ()}, "code and tests where something is built, and nowhere else"),
        ("I07", {"code": ("iam",)}, "code and tests where something is built, and nowhere else"),
        ("M01", {"not_yet": "x"}, "what is missing must be said, unless nothing is"),
        ("M01", {"state": State.PARTLY}, "what is missing must be said, unless nothing is"),
        (
            "Digg-2",
            {"mutation": None},
            "a mutation for each principle that something is built for, and for nothing else",
        ),
        ("Digg-2", {"tests": ("tests/unit/x",)}, "its mutation is held against a test that it does not name"),
        ("Digg-2", {"code": ("mmd",)}, "its mutation changes code that it does not name"),
        (
            "Digg-2",
            {"mutation": msgspec.structs.replace(mutation_of("Digg-2"), after=mutation_of("Digg-2").before)},
            "its mutation changes nothing",
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_told(row_id: str, changes: dict[str, object], complaint: str) -> None:
    assert complaints(changed(row_id, **changes)) == [f"{row_id}: {complaint}"]


def test_the_page_has_every_row_and_what_is_not_there_yet() -> None:
    page = traceability(TRACES, {})
    for row in TRACES.rows:
        assert f"\n| {row.id} | {row.source} | {row.says} |" in page
        assert row.not_yet in page
    assert page.count("inte körd sedan den skrevs") == len(TRACES.mutations)


def test_an_outcome_is_shown_only_for_the_mutation_that_it_was_recorded_of() -> None:
    mutation = mutation_of("Digg-2")
    told = Recorded(mutation.digest, Outcome.RED, "2026-11-22")
    assert "röd: provet märkte det | 2026-11-22 |" in traceability(TRACES, {"Digg-2": told})
    other = changed("Digg-2", mutation=msgspec.structs.replace(mutation, after="        # nothing\n"))
    assert "2026-11-22" not in traceability(other, {"Digg-2": told})
    green = Recorded(mutation.digest, Outcome.GREEN, "2026-11-22")
    assert "**grön: provet märkte ingenting**" in traceability(TRACES, {"Digg-2": green})


def test_every_mutation_was_run_and_noticed() -> None:
    """What `make mutations` wrote down, of the mutations as they are now."""
    recorded = read_outcomes(ROOT)
    assert {name: recorded[name].digest for name in TRACES.mutations} == {
        name: one.digest for name, one in TRACES.mutations.items()
    }
    assert {one.outcome for one in recorded.values()} == {Outcome.RED}
