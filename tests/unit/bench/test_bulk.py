"""Persons of the bulk: as many as are asked for, each another, none with a personnummer."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from deploy.bench.bulk import identifier
from streams.contracts.identifiers import IdentifierType, parse_identifier

numbers = st.integers(min_value=0, max_value=2_000_000)


@given(numbers)
def test_an_identifier_of_the_bulk_is_a_valid_tf_number(number: int) -> None:
    made = identifier(number)
    assert made.type is IdentifierType.TF
    assert parse_identifier(made.value, dt.date(2026, 1, 1), issuer=made.issuer) == made


@given(numbers, numbers)
def test_two_numbers_give_two_identifiers(one: int, other: int) -> None:
    assert (identifier(one) == identifier(other)) is (one == other)
