"""The source register is data: dated, ranked, refused where it contradicts itself."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.person import derive_person
from mmd.domain.register import SourceRegister
from streams.contracts.claims import AgreedName, Name, PostalAddress, RegisteredAddress
from streams.contracts.errors import Rejected
from streams.contracts.time import local_date
from tests.unit.mmd_domain.making import person_id_of, register_data, said


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "information_set": "employment",
        "attribute": "agreed-name",
        "sources": ["hr"],
        "owner": "HR",
        **changes,
    }


def register(*entries: dict[str, Any]) -> SourceRegister:
    return SourceRegister.from_data({"designations": list(entries)})


def test_a_source_is_designated_on_its_days_only_and_in_rank_order() -> None:
    found = register(entry(sources=["new", "old"], valid_from="2026-01-01", valid_to="2026-12-31"))
    assert found.rank("agreed-name", "new", dt.date(2026, 1, 1)) == 0
    assert found.rank("agreed-name", "old", dt.date(2026, 12, 31)) == 1
    assert not found.designated("agreed-name", "new", dt.date(2027, 1, 1))
    assert not found.designated("agreed-name", "gossip", dt.date(2026, 5, 1))
    assert not found.designated("name", "new", dt.date(2026, 5, 1))


def test_a_persona_type_narrows_a_designation() -> None:
    found = register(entry(persona_type="employee"))
    assert found.designated("agreed-name", "hr", dt.date(2026, 1, 1), "employee")
    assert not found.designated("agreed-name", "hr", dt.date(2026, 1, 1), "pupil")


@pytest.mark.parametrize(
    ("entries", "path"),
    [
        ([entry(attribute="shoe-size")], "designations[0].attribute"),
        ([entry(persona_type="visitor")], "designations[0].persona_type"),
        ([entry(sources=[])], "designations[0].sources"),
        ([entry(sources=["hr", "hr"])], "designations[0].sources"),
        ([entry(owner="")], "designations[0].owner"),
        ([entry(information_set="")], "designations[0].information_set"),
        ([entry(valid_from="2026-02-01", valid_to="2026-01-01")], "designations[0].valid_to"),
        ([entry(valid_from="yesterday")], "designations[0].valid_from"),
        ([entry(extra=1)], "designations[0]"),
        ([entry(), entry(sources=["other"])], "designations[1].valid_from"),
    ],
)
def test_wrong_data_are_refused_by_path(entries: list[dict[str, Any]], path: str) -> None:
    with pytest.raises(Rejected) as caught:
        register(*entries)
    assert (caught.value.code, caught.value.detail) == ("input.invalid", path)


@pytest.mark.parametrize("data", [{}, {"designations": "all"}, {"designations": [], "more": 1}])
def test_a_register_of_another_shape_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        SourceRegister.from_data(data)


def test_the_version_follows_the_content_and_not_the_order_of_entries() -> None:
    rows = register_data()["designations"]
    version = register(*rows).version
    assert register(*reversed(rows)).version == version
    assert register(*rows[1:]).version != version


def test_r_06_the_successor_of_a_replaced_system_takes_over_by_date() -> None:
    found = register(
        entry(sources=["old"], valid_to="2026-05-31"),
        entry(sources=["new"], valid_from="2026-06-01"),
    )
    may, june = (dt.datetime(2026, month, 15, tzinfo=dt.UTC) for month in (5, 6))
    before = said(AgreedName("Before"), by="old", key="1", version="9", logged=may)
    late = said(AgreedName("Late"), by="old", key="1", version="99", logged=june)
    after = said(AgreedName("After"), by="new", key="x", version="1", logged=june)
    early = said(AgreedName("Early"), by="new", key="x", version="0", logged=may)

    def name(*claims: Any) -> str | None:
        value = derive_person(claims, found, person_id_of).agreed_name
        return value.value if value else None

    assert name(before, early) == "Before"
    assert name(before, after) == "After"
    assert name(late) is None


def test_a_value_older_than_the_designation_counts_when_it_is_said_while_designated() -> None:
    found = register(entry(attribute="registered-address", sources=["navet"], valid_from="2020-01-01"))
    body = RegisteredAddress(PostalAddress(street="Since long"))

    def place(**when: Any) -> object:
        return found.place(said(body, **when))

    assert place(since=dt.date(1985, 1, 1)) is not None
    assert place(since=dt.date(1985, 1, 1), until=dt.date(1990, 1, 1)) is None
    assert place(since=dt.date(1985, 1, 1), logged=dt.datetime(2019, 12, 31, tzinfo=dt.UTC)) is None


def test_a_value_that_begins_after_the_designation_ended_does_not_count() -> None:
    found = register(entry(attribute="name", sources=["navet"], valid_to="2026-05-31"))
    assert found.place(said(Name("x"), since=dt.date(2026, 5, 31))) is not None
    assert found.place(said(Name("x"), since=dt.date(2026, 6, 1))) is None


@given(st.integers(-200, 8900))
def test_a_claim_without_a_date_is_placed_by_the_swedish_day_it_was_logged(hours: int) -> None:
    logged = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hours)
    found = register(entry(valid_from="2026-01-01", valid_to="2026-12-31"))
    placed = found.place(said(AgreedName("x"), by="hr", logged=logged)) is not None
    assert placed == found.designated("agreed-name", "hr", local_date(logged))
