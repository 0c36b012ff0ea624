"""How long a row waits: growing, capped, and short for a revocation."""

from hypothesis import given
from hypothesis import strategies as st

from iam.execute.backoff import REVOCATION_CAP, delay
from iam.execute.metrics import Outcome

waiting = st.sampled_from(
    [Outcome.UNREACHABLE, Outcome.UNKNOWN, Outcome.REFUSED, Outcome.DIFFERS, Outcome.UNREADABLE, Outcome.HELD]
)


@given(waiting, st.integers(1, 10_000), st.booleans())
def test_a_wait_is_positive_never_shrinks_and_has_an_end(outcome: Outcome, failures: int, revocation: bool) -> None:
    now, next_one = (delay(outcome, n, revocation=revocation) for n in (failures, failures + 1))
    assert 0 < now <= next_one <= 3600


@given(waiting, st.integers(1, 10_000))
def test_a_revocation_is_tried_at_least_every_minute(outcome: Outcome, failures: int) -> None:
    assert delay(outcome, failures, revocation=True) <= REVOCATION_CAP


def test_a_row_whose_target_is_away_is_ready_when_the_target_is_back() -> None:
    assert delay(Outcome.UNREACHABLE, 1000, revocation=False) <= 1.0
