"""Laws of timelines: laid over each other day by day, nothing lost and nothing invented."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.timeline import Span, close, coalesce, overlay

days = st.integers(0, 25).map(lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=n))
spans = st.lists(
    st.builds(Span, st.none() | days, st.none() | days, st.sampled_from("xyz")),
    max_size=6,
    unique_by=lambda span: span.valid_from,
)


def on(timeline: list[Span[str]], day: dt.date) -> str | None:
    holding = [s for s in timeline if (s.valid_from or dt.date.min) <= day <= (s.valid_to or dt.date.max)]
    assert len(holding) <= 1
    return holding[0].value if holding else None


CALENDAR = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(-2, 30)]


@given(spans)
def test_a_later_start_closes_the_earlier_the_day_before(told: list[Span[str]]) -> None:
    closed = close(told)
    real = [s for s in told if (s.valid_from or dt.date.min) <= (s.valid_to or dt.date.max)]
    for day in CALENDAR:
        begun = [s for s in real if (s.valid_from or dt.date.min) <= day]
        last = max(begun, key=lambda s: s.valid_from or dt.date.min, default=None)
        expected = last.value if last is not None and (last.valid_to is None or day <= last.valid_to) else None
        assert on(closed, day) == expected


@given(spans, spans, spans)
def test_each_day_shows_the_best_level_that_has_something(
    best: list[Span[str]], middle: list[Span[str]], last: list[Span[str]]
) -> None:
    levels = [close(best), close(middle), close(last)]
    laid = overlay(levels)
    for day in CALENDAR:
        expected = next((value for level in levels if (value := on(level, day)) is not None), None)
        assert on(laid, day) == expected


@given(spans)
def test_joining_equal_neighbours_changes_no_day_and_leaves_none(told: list[Span[str]]) -> None:
    closed = close(told)
    joined = coalesce(closed, str.__eq__)
    for day in CALENDAR:
        assert on(joined, day) == on(closed, day)
    for span, following in zip(joined, joined[1:], strict=False):
        assert span.valid_to is not None
        assert following.valid_from is not None
        assert span.value != following.value or span.valid_to + dt.timedelta(days=1) < following.valid_from
