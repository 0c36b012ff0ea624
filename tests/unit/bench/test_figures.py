"""The arithmetic of the bench: medians, percentiles by nearest rank, ratios, limits."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.bench.figures import Bound, Figure, Series, limit, rates

values = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=30)


def figure(*measured: float, bound: Bound | None = None, tail: bool = False) -> Figure:
    return Figure("it", "it", "s", Series(measured), bound, tail=tail)


def test_an_empty_series_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Series(())


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle() -> None:
    assert Series((4.0, 1.0, 3.0, 2.0)).median == 2.5


def test_a_percentile_is_a_value_that_was_measured() -> None:
    series = Series(tuple(float(one) for one in range(1, 101)))
    assert (series.percentile(0.5), series.percentile(0.95), series.percentile(1)) == (50, 95, 100)


def test_of_few_values_the_95th_percentile_is_the_worst() -> None:
    assert Series((1.0, 9.0, 2.0)).percentile(0.95) == 9


@given(values, st.floats(min_value=0.01, max_value=1))
def test_so_large_a_share_does_not_exceed_the_percentile(found: list[float], share: float) -> None:
    border = Series(tuple(found)).percentile(share)
    assert border in found
    assert sum(one <= border for one in found) >= share * len(found) - 1e-6


@given(values)
def test_the_order_of_the_repeats_changes_nothing(found: list[float]) -> None:
    one, other = Series(tuple(found)), Series(tuple(reversed(found)))
    assert (one.median, one.percentile(0.95)) == (other.median, other.percentile(0.95))
    assert one.low <= one.median <= one.high


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        Series((1.0,)).percentile(share)


def test_rates_are_things_by_seconds() -> None:
    assert rates(100, [2.0, 4.0]).values == (50, 25)


def test_a_ratio_is_median_by_median() -> None:
    bound = Bound("null", Series((90.0, 110.0, 100.0)))
    assert figure(40.0, 60.0, 50.0, bound=bound).ratio == 0.5


def test_of_durations_the_worst_is_held_against_the_limit() -> None:
    found = figure(1.0, 2.0, 6.0, bound=limit("required", 5), tail=True)
    assert found.counted == statistics.fmean([6])
    assert found.ratio == 1.2
    assert found.within is False


def test_a_limit_that_is_reached_is_not_kept() -> None:
    assert figure(5.0, bound=limit("required", 5)).within is False
    assert figure(4.99, bound=limit("required", 5)).within is True


def test_a_measured_bound_is_no_limit() -> None:
    assert figure(1.0, bound=Bound("null", Series((2.0,)))).within is None


def test_without_a_bound_there_is_no_ratio() -> None:
    assert figure(1.0).ratio is None
    assert figure(1.0, bound=Bound("null", Series((0.0,)))).ratio is None
