"""A ruling that lacks evidence or a second person, or is about no number, is refused at ingest too."""

import pytest

from mmd.ingest.validate import check_claim
from streams.contracts.claims import Body, Claim, DeathReversal, Lift, Merge, Return, SourceRecord, Split

ONE, OTHER, BY_ID = "a" * 32, "b" * 32, "id:00000000-0000-8000-8000-000000000001"


def refused(body: Body, subject: str = ONE) -> str | None:
    claim = Claim(body)
    found = check_claim(SourceRecord("ruling", "r1", "1", subject, (claim,)), claim)
    return None if found is None else found.code


def test_whole_rulings_and_a_proposed_lift_are_taken() -> None:
    for body in (
        Merge(OTHER, "e", "anna", "bo"),
        Split(("m",), "e", "anna", "bo"),
        Lift((), "e", "anna"),
        Lift((), "e", "anna", "bo"),
        Return("KS 1", "e", "anna", "bo"),
        DeathReversal((), "e", "anna", "bo"),
    ):
        assert refused(body) is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (Merge(OTHER, "e", "anna", "Anna"), "decision.two-persons"),
        (Merge(OTHER, "e", "anna", ""), "decision.two-persons"),
        (Split(("m",), "e", "anna", ""), "decision.two-persons"),
        (Lift((), "e", "anna", "anna"), "decision.two-persons"),
        (Return("KS 1", "e", "anna", " Anna"), "decision.two-persons"),
        (DeathReversal((), "e", "anna", ""), "decision.two-persons"),
        (DeathReversal((), "", "anna", "bo"), "input.missing"),
        (Return("KS 1", "e", "anna", ""), "decision.two-persons"),
        (Return(" ", "e", "anna", "bo"), "input.missing"),
        (Return("KS 1", "", "anna", "bo"), "input.missing"),
        (Return("K" * 201, "e", "anna", "bo"), "input.invalid"),
        (Merge(OTHER, " ", "anna", "bo"), "input.missing"),
        (Lift((), "e", ""), "input.missing"),
        (Merge(ONE, "e", "anna", "bo"), "input.invalid"),
        (Merge(BY_ID, "e", "anna", "bo"), "input.invalid"),
        (Merge("unit:k:1", "e", "anna", "bo"), "input.invalid"),
        (Split(("m" * 201,), "e", "anna", "bo"), "input.invalid"),
    ],
)
def test_what_is_no_ruling_is_refused(body: Body, code: str) -> None:
    assert refused(body) == code


def test_a_ruling_about_somebody_known_by_id_only_is_refused() -> None:
    assert refused(Merge(OTHER, "e", "anna", "bo"), BY_ID) == "input.invalid"
