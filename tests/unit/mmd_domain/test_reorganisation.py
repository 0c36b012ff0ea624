"""What is found in a reorganisation before it takes effect."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.reorganisation import FINDINGS, TOLD_ONLY, Finding, verify, wrong_on
from streams.contracts.claims import UnitPeriod, unit_key
from streams.contracts.documents import Stamp, UnitDocument, UnitNameEntry, UnitParentEntry

STAMP = Stamp("organisation", "k", "1", dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
SINCE, TODAY, DAY = dt.date(2020, 1, 1), dt.date(2026, 6, 1), dt.date(2026, 9, 1)
EVE = DAY - dt.timedelta(1)
TOP, OLD, NEW, LEAF, GONE = (unit_key("kommun", name) for name in ("top", "old", "new", "leaf", "gone"))


def unit(
    key: str,
    parent: str = TOP,
    *,
    moved: str | None = None,
    to: dt.date | None = None,
    since: dt.date = SINCE,
    name: str = "n",
    code: str = "",
) -> UnitDocument:
    """A unit below `parent`, from the day below `moved`."""
    hangs = [(parent, since, to if moved is None else EVE), *([] if moved is None else [(moved, DAY, to)])]
    return UnitDocument(
        key,
        periods=(UnitPeriod(since, to),),
        responsibility_code=code,
        names=(UnitNameEntry(name, STAMP, "", since, to),) if name else (),
        parents=tuple(UnitParentEntry(above, STAMP, start, end) for above, start, end in hangs if above),
    )


NOW = {one.id: one for one in (unit(TOP, ""), unit(OLD), unit(LEAF, OLD))}


def found(*draft: UnitDocument, employed: dict[str, frozenset[str]] | None = None, day: dt.date = DAY) -> set[Finding]:
    return set(verify({one.id: one for one in draft}, NOW, employed or {}, day, TODAY))


def test_a_split_with_a_new_unit_a_move_and_a_closed_one_is_in_order() -> None:
    closed = unit(OLD, to=EVE)
    draft = (unit(NEW, since=DAY), unit(LEAF, OLD, moved=NEW), closed)
    assert found(*draft) == set()
    left = found(*draft, employed={OLD: frozenset({"employment:kommun:E2", "employment:kommun:E1"})})
    assert left == {Finding(OLD, "employments-left", ("employment:kommun:E1", "employment:kommun:E2"))}
    assert not any(one.blocks for one in left)


def test_a_unit_that_is_left_below_a_closed_one_is_found_though_the_draft_does_not_name_it() -> None:
    assert found(unit(OLD, to=EVE)) == {Finding(LEAF, "parent-closed", (OLD,))}


def test_a_unit_below_one_that_nobody_knows_is_found() -> None:
    assert found(unit(LEAF, OLD, moved=GONE)) == {Finding(LEAF, "parent-unknown", (GONE,))}


def test_a_circle_is_found_at_each_of_its_units() -> None:
    draft = (unit(OLD, moved=LEAF),)
    assert found(*draft) == {Finding(one, "cycle", tuple(sorted([OLD, LEAF]))) for one in (OLD, LEAF)}
    assert found(unit(OLD, moved=OLD)) >= {Finding(OLD, "cycle", (OLD,))}


def test_what_changes_before_the_day_or_has_no_date_is_found() -> None:
    assert found(unit(OLD, name="renamed all along")) == {Finding(OLD, "past-changed")}
    assert found(unit(NEW, since=SINCE)) == {Finding(NEW, "past-changed")}
    assert found(unit(OLD, code="4711")) == {Finding(OLD, "holds-at-once")}
    assert found(unit(NEW, since=DAY, name="")) == {Finding(NEW, "no-name")}
    assert found(unit(OLD), day=TODAY) == {Finding(OLD, "not-ahead")}


def test_what_was_broken_before_is_not_the_drafts_doing() -> None:
    broken = {**NOW, GONE: unit(GONE, unit_key("kommun", "never heard of"))}
    assert verify({NEW: unit(NEW, since=DAY)}, broken, {}, DAY, TODAY) == ()


def test_what_is_wrong_with_the_organisation_as_it_stands_is_found_on_a_day() -> None:
    standing = {one.id: one for one in (unit(TOP, "", to=EVE), unit(OLD), unit(LEAF, GONE, name=""))}
    assert set(wrong_on(standing, EVE)) == {Finding(LEAF, "parent-unknown", (GONE,)), Finding(LEAF, "no-name")}
    assert Finding(OLD, "parent-closed", (TOP,)) in wrong_on(standing, DAY)


def test_every_finding_is_explained_in_two_languages() -> None:
    assert FINDINGS.keys() > TOLD_ONLY
    assert all(sv and en and sv != en for en, sv in FINDINGS.values())


units = st.sampled_from([TOP, OLD, NEW, LEAF, GONE])
parents = st.one_of(units, st.just(""))


@given(st.dictionaries(units, parents), st.dictionaries(units, parents))
def test_any_organisation_is_verified_to_an_end_and_without_findings_every_line_reaches_the_top(
    before: dict[str, str], draft: dict[str, str]
) -> None:
    now = {key: unit(key, parent) for key, parent in before.items()}
    changed = {
        key: unit(key, before.get(key, ""), moved=parent, since=SINCE if key in before else DAY)
        for key, parent in draft.items()
    }
    told = verify(changed, now, {}, DAY, TODAY)
    assert {one.code for one in told} <= {"cycle", "parent-unknown"}
    after = before | draft
    for key in draft:
        line, current = set(), key
        while current in after and current not in line:
            line.add(current)
            current = after[current]
        assert (current == "") is not any(one.unit == key for one in told)
    assert {one for one in told if one.unit in draft} <= set(wrong_on(now | changed, DAY))
