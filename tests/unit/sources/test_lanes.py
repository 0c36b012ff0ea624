"""Which messages a record becomes, and that the same record always gets the same ids."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sources.lanes import Lanes, event_id
from streams.catalogue import SOURCE_EMPLOYMENT, SOURCE_URGENT
from streams.contracts.claims import (
    Absent,
    Body,
    Claim,
    Employment,
    Name,
    Protection,
    Registration,
    Segment,
    SourceRecord,
)

TODAY = dt.date(2026, 1, 15)
LANES = Lanes(SOURCE_EMPLOYMENT, "personal", b"s" * 32, dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC), TODAY)


def record(*bodies: Body, version: str = "1") -> SourceRecord:
    return SourceRecord("hr", "kommun:E1", version, "a" * 32, tuple(Claim(body) for body in bodies))


def employment(*ends: dt.date | None, cancelled: bool = False) -> Employment:
    segments = tuple(Segment(dt.date(2020, 1, 1), end) for end in ends)
    return Employment("kommun", "E1", segments, cancelled=cancelled)


@pytest.mark.parametrize(
    ("claim", "urgent"),
    [
        (Protection(), False),
        (Protection(sekretessmarkering=True), True),
        (Protection(skyddad_folkbokforing=True), True),
        (Protection(unknown_token=True), True),
    ],
)
def test_a_raise_travels_alone_on_the_urgent_lane(claim: Protection, urgent: bool) -> None:
    found = LANES.raises(record(claim, Name("A", "", "B")))
    assert [one.topic for one in found] == ([SOURCE_URGENT] if urgent else [])
    assert all(one.record.claims == (Claim(claim),) for one in found)


@pytest.mark.parametrize(
    ("body", "urgent"),
    [
        (employment(None), False),
        (employment(TODAY + dt.timedelta(days=1)), False),
        (employment(TODAY), True),
        (employment(TODAY - dt.timedelta(days=9)), True),
        (employment(TODAY, None), False),
        (employment(None, cancelled=True), True),
        (employment(), True),
        (Absent(of="employment"), True),
        (Absent(of="work-contact"), False),
        (Registration("AV", "2026-01"), True),
        (Registration("UV"), False),
        (Registration(), False),
    ],
)
def test_an_employment_or_a_life_that_is_over_is_urgent(body: Body, urgent: bool) -> None:
    assert bool(LANES.ends(record(body))) is urgent


def test_an_urgent_end_carries_the_protection_claim_of_its_post() -> None:
    claims = LANES.ends(record(Protection(sekretessmarkering=True), Name("A"), employment(TODAY)))[0].record.claims
    assert [claim.kind for claim in claims] == ["protection", "employment"]


def test_ids_tell_lanes_and_versions_apart_and_nothing_else() -> None:
    one = record(Protection(sekretessmarkering=True), employment(None))
    ids = {LANES.bulk(one).event_id, LANES.raises(one)[0].event_id, event_id(b"s" * 32, one, "end")}
    assert len(ids) == 3
    later = Lanes(LANES.topic, LANES.dataclass, LANES.secret, LANES.time + dt.timedelta(days=9), TODAY)
    assert later.bulk(one).event_id == LANES.bulk(one).event_id
    assert LANES.bulk(record(employment(None), version="2")).event_id != LANES.bulk(record(employment(None))).event_id


@given(given=st.text(max_size=9), family=st.text(max_size=9), other=st.text(max_size=9))
def test_equal_content_has_equal_ids_and_other_content_has_others(given: str, family: str, other: str) -> None:
    first, second = record(Name(given, "", family)), record(Name(given, "", other))
    assert (event_id(b"s" * 32, first, "bulk") == event_id(b"s" * 32, second, "bulk")) is (family == other)
    assert event_id(b"x" * 32, first, "bulk") != event_id(b"s" * 32, first, "bulk")
