"""Organisation units on three dated axes, in any order of arrival."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.canonical import canonical_bytes
from mmd.domain.claims import LoggedClaim
from mmd.domain.references import references_of
from mmd.domain.unit import derive_unit
from streams.contracts.claims import Absent, Body, DatedName, UnitName, UnitNode, UnitParent, UnitPeriod, UnitStructure
from streams.contracts.documents import UnitDocument
from tests.unit.mmd_domain.making import REGISTER, said

KEY = "unit:kommunen:1"
OTHER = "unit:kommunen:2"
days = st.integers(0, 30).map(lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=n))
ends = st.none() | days
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(UnitNode, st.lists(st.builds(UnitPeriod, days, ends), max_size=3).map(tuple)),
    st.builds(
        UnitStructure, st.lists(st.builds(UnitParent, st.sampled_from([OTHER, ""]), days, ends), max_size=3).map(tuple)
    ),
    st.builds(UnitName, st.lists(st.builds(DatedName, st.sampled_from("xy"), days, ends), max_size=3).map(tuple)),
    st.builds(Absent, st.sampled_from(["unit-node", "unit-structure", "unit-name"])),
)
said_of_unit = st.builds(
    lambda body, version, by: said(body, by=by, of=KEY, key="1", version=version),
    bodies,
    st.sampled_from("abc"),
    st.sampled_from(["org", "org", "hr"]),
)


def derived(*claims: LoggedClaim) -> UnitDocument:
    return derive_unit(KEY, claims, REGISTER)


@given(st.lists(said_of_unit, max_size=10), st.data())
def test_neither_order_nor_repetition_changes_a_unit(claims: list[LoggedClaim], data: st.DataObject) -> None:
    again = data.draw(st.permutations(claims + claims[:3]))
    unit = derived(*claims)
    assert canonical_bytes(derived(*again)) == canonical_bytes(unit)
    for axis in (unit.periods, unit.names, unit.parents):
        for entry, following in zip(axis, axis[1:], strict=False):
            assert entry.valid_to is not None  # type: ignore[attr-defined]
            assert entry.valid_to < following.valid_from  # type: ignore[attr-defined]


def test_a_renamed_unit_keeps_its_former_name_as_history() -> None:
    names = (DatedName("Skolan", dt.date(2020, 1, 1)), DatedName("Lärandet", dt.date(2026, 6, 1), None, "LÄR"))
    unit = derived(said(UnitName(names), by="org", of=KEY))
    assert [(n.name, n.valid_to) for n in unit.names] == [("Skolan", dt.date(2026, 5, 31)), ("Lärandet", None)]


def test_a_unit_exists_on_the_days_of_its_node_and_refers_to_its_parents() -> None:
    node = UnitNode((UnitPeriod(dt.date(2026, 1, 1), dt.date(2026, 6, 30)),), "enhet", "Socialnämnden", "4711")
    structure = UnitStructure((UnitParent(OTHER, dt.date(2026, 1, 1)),))
    unit = derived(said(node, by="org", of=KEY), said(structure, by="org", of=KEY))
    assert unit.exists(dt.date(2026, 6, 30))
    assert not unit.exists(dt.date(2026, 7, 1))
    assert (unit.legal_authority, unit.responsibility_code) == ("Socialnämnden", "4711")
    assert references_of(unit) == {OTHER}


def test_periods_that_adjoin_or_overlap_are_one() -> None:
    periods = (
        UnitPeriod(dt.date(2026, 1, 1), dt.date(2026, 1, 31)),
        UnitPeriod(dt.date(2026, 2, 1), dt.date(2026, 3, 31)),
        UnitPeriod(dt.date(2026, 3, 1), dt.date(9999, 12, 31)),
    )
    assert derived(said(UnitNode(periods), by="org", of=KEY)).periods == (UnitPeriod(dt.date(2026, 1, 1)),)


def test_a_unit_that_only_an_undesignated_source_names_is_empty() -> None:
    assert derived(said(UnitName((DatedName("x", dt.date(2026, 1, 1)),)), by="hr", of=KEY)) == UnitDocument(id=KEY)
