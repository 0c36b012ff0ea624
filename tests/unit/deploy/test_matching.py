"""Partial matching: what is written is asserted, nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.replay.matching import differences

values = st.recursive(
    st.one_of(st.integers(), st.text(max_size=5), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(st.text(max_size=3), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_everything_matches_itself(value: Any) -> None:
    assert differences(value, value) == []


@given(st.dictionaries(st.text(max_size=3), values, min_size=1, max_size=4), st.data())
def test_a_part_matches_the_whole_and_a_changed_part_does_not(whole: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(whole)))
    assert differences({key: whole[key]}, whole) == []
    assert differences({key: "something else entirely"}, whole) != []


@pytest.mark.parametrize(
    ("want", "got", "fails"),
    [
        (None, "", False),
        (None, [], False),
        (None, "x", True),
        ([], [], False),
        ([], ["x"], True),
        ([{"a": 1}], [{"a": 2}, {"a": 1, "b": 3}], False),
        ([{"a": 1}], [{"a": 2}], True),
        ({"a": 1}, None, True),
        (1, 2, True),
    ],
)
def test_matching_by_example(want: Any, got: Any, fails: bool) -> None:
    assert bool(differences(want, got)) is fails


def test_a_difference_tells_where_what_was_wanted_and_what_came() -> None:
    assert differences({"a": {"b": 1}}, {"a": {"b": 2}}) == ["a.b: want 1, got 2"]
