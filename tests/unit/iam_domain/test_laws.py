"""Laws of `desired` and `permit`, for any history that the strategies can think of."""

import datetime as dt

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from iam.domain.account import AccountState, Lane, Presence, digest
from iam.domain.conditions import WHY_NOT
from iam.domain.permit import BrakeView, lane_of, permit
from iam.domain.profile import restricted
from streams.contracts.claims import Leave, Marking, Segment
from streams.contracts.documents import Persona, PersonDocument
from tests.unit.iam_domain.making import DAY, O1, O2, TOP, UNITS, Provisioning, at, person, unit, work

NAMES = ("Kanariefågel", "Utpekad")

days = st.integers(-40, 40).map(lambda n: DAY + dt.timedelta(days=n))
ends = st.none() | st.integers(0, 60)
units = st.sampled_from([O1, O2, "unit:kommun:unheard", ""])


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    since, length = draw(days), draw(ends)
    return Segment(
        since,
        None if length is None else since + dt.timedelta(days=length),
        unit=draw(units),
        title=draw(st.sampled_from(["Enhetschef", "Undersköterska", ""])),
        aid=draw(st.sampled_from(["207008", "151010", ""])),
    )


@st.composite
def employments(draw: st.DrawFn, number: str) -> Persona:
    leaves = draw(st.lists(st.builds(Leave, days, st.none() | days), max_size=1))
    parts = tuple(draw(st.lists(segments(), min_size=1, max_size=3)))
    return work(number, segments=parts, leaves=tuple(leaves), cancelled=draw(st.booleans()) and draw(st.booleans()))


@st.composite
def people(draw: st.DrawFn) -> PersonDocument:
    chosen = [draw(employments(number)) for number in ("e1", "e2")[: draw(st.integers(0, 2))]]
    return person(
        *chosen,
        given=NAMES[0],
        family=NAMES[1],
        marking=draw(st.none() | st.sampled_from(list(Marking))),
        restricted=draw(st.booleans()),
        agreed=draw(st.sampled_from(["", "Kim A"])),
        status=draw(st.sampled_from(["registered", "deceased"])),
        quarantined=draw(st.sampled_from(["", "", "number.cycle"])),
    )


histories = st.lists(st.tuples(people(), days), min_size=1, max_size=5)


@given(histories)
def test_desired_is_deterministic(history: list[tuple[PersonDocument, dt.date]]) -> None:
    one, other = Provisioning(), Provisioning()
    for document, day in history:
        assert one.see(document, at(day)) == other.see(document, at(day))
        assert one.last == other.last


@given(histories)
def test_every_group_and_every_enabled_account_has_a_reason_and_a_disabled_one_has_no_groups(
    history: list[tuple[PersonDocument, dt.date]],
) -> None:
    accounts = Provisioning()
    for document, day in history:
        for one in accounts.see(document, at(day)).values():
            state, reasons = one.intent.state, one.intent.reasons
            assert state.groups == frozenset(group for reason in reasons for group in reason.groups)
            if state.presence is Presence.ENABLED:
                assert any(not reason.groups for reason in reasons)
                keys = {p.key for p in document.personas if p.state(day) in ("active", "on-leave")}
                assert {reason.persona for reason in reasons} & keys
            else:
                assert state.groups == frozenset()
            assert {why.code for why in one.intent.why_not} <= WHY_NOT.keys()


@given(histories)
def test_no_registered_name_of_a_restricted_person_is_in_any_intent(
    history: list[tuple[PersonDocument, dt.date]],
) -> None:
    accounts = Provisioning()
    for document, day in history:
        for one in accounts.see(document, at(day)).values():
            if restricted(document):
                encoded = msgspec.json.encode(one.intent).decode()
                assert not any(name in encoded for name in NAMES)
                assert one.intent.protected


@given(people(), days, st.integers(1, 200))
def test_nothing_changes_between_now_and_the_next_change(document: PersonDocument, day: dt.date, hours: int) -> None:
    accounts = Provisioning()
    accounts.see(document, at(day))
    now = accounts.see(document, at(day))
    assert accounts.last is not None
    later = at(day) + dt.timedelta(hours=hours)
    if accounts.last.next_change is None or later < accounts.last.next_change:
        then = accounts.see(document, later)
        assert {t: a.intent.state for t, a in then.items()} == {t: a.intent.state for t, a in now.items()}


@given(employments("e1"), employments("e2"), days)
def test_closing_one_persona_changes_no_group_with_another_basis(one: Persona, other: Persona, day: dt.date) -> None:
    known = {**UNITS, "unit:kommun:unheard": unit("unit:kommun:unheard", parent=TOP)}
    alone = Provisioning(units=known).groups(person(other), at(day))
    accounts = Provisioning(units=known)
    both = accounts.groups(person(one, other), at(day))
    assert alone <= both
    closed = msgspec.structs.replace(one, cancelled=True)
    assert accounts.groups(person(closed, other), at(day)) == alone


@given(employments("e1"), employments("e2"), days)
def test_closing_one_persona_takes_every_group_that_rested_on_it_alone_whatever_the_other_waits_for(
    one: Persona, other: Persona, day: dt.date
) -> None:
    accounts = Provisioning()
    before = accounts.see(person(one, other), at(day)).get("directory")
    reasons = before.intent.reasons if before else ()
    of_the_other = {group for reason in reasons if reason.persona == other.key for group in reason.groups}
    of_the_other |= Provisioning().groups(person(other), at(day))
    closed = msgspec.structs.replace(one, cancelled=True)
    assert accounts.groups(person(closed, other), at(day)) <= of_the_other


groups = st.frozensets(st.sampled_from(["org:a", "org:b", "role:x", "role:y"]))
attributes = st.dictionaries(st.sampled_from(["display_name", "title"]), st.sampled_from(["A", "B"]))
states = st.builds(AccountState, st.just("k"), st.sampled_from(Presence), st.just("u"), attributes, groups)
brakes = st.frozensets(st.sampled_from(Lane)).map(BrakeView)
lanes = st.none() | st.sampled_from(Lane)


@given(states, st.none() | states, lanes)
def test_an_open_brake_permits_everything(
    desired: AccountState, observed: AccountState | None, lane: Lane | None
) -> None:
    assert permit(desired, observed, BrakeView.open(), lane) == desired


@given(states, states, lanes)
def test_a_closed_brake_adds_nothing_to_an_existing_account_and_takes_nothing_from_it(
    desired: AccountState, observed: AccountState, lane: Lane | None
) -> None:
    allowed = permit(desired, observed, BrakeView.closed(), lane)
    if observed.presence is Presence.ABSENT or allowed is None:
        return
    assert allowed.groups == observed.groups
    assert allowed.presence is observed.presence
    assert lane is Lane.PROTECT
    assert allowed.attributes == desired.attributes


@given(states, states, brakes, lanes)
@example(
    AccountState("k", Presence.ENABLED, groups=frozenset({"org:b"})),
    AccountState("k", Presence.ENABLED, groups=frozenset({"org:a"})),
    BrakeView(frozenset({Lane.UPDATE})),
    None,
)
def test_what_is_permitted_lies_between_observed_and_desired_and_a_held_mover_never_has_both(
    desired: AccountState, observed: AccountState, brake: BrakeView, lane: Lane | None
) -> None:
    allowed = permit(desired, observed, brake, lane)
    if allowed is None or observed.presence is Presence.ABSENT:
        return
    assert observed.groups & desired.groups <= allowed.groups <= observed.groups | desired.groups
    if Lane.REMOVE not in brake.allowed:
        assert observed.groups <= allowed.groups
        if observed.groups - desired.groups:
            assert allowed.groups == observed.groups
            assert not (allowed.presence is Presence.ENABLED and observed.presence is not Presence.ENABLED)
    if Lane.DISABLE not in brake.allowed and observed.presence is Presence.ENABLED:
        assert allowed.presence is Presence.ENABLED
    assert permit(desired, allowed, brake, lane) in (None, desired)


@given(states, st.none() | states, st.booleans())
def test_there_is_a_lane_exactly_where_something_differs(
    desired: AccountState, observed: AccountState | None, protect: bool
) -> None:
    lane = lane_of(desired, observed, protect=protect)
    there = observed or AccountState("k", Presence.ABSENT)
    assert (lane is None) == (digest(desired, "s") == digest(there, "s"))
    if lane is not None and there.presence is Presence.ENABLED and desired.presence is not Presence.ENABLED:
        assert lane in (Lane.PROTECT, Lane.DISABLE)


@given(states, states)
def test_digests_are_equal_exactly_for_equal_states_and_differ_by_salt(one: AccountState, other: AccountState) -> None:
    same = one == other or one.presence is other.presence is Presence.ABSENT
    assert (digest(one, "s") == digest(other, "s")) == same
    assert digest(one, "s") != digest(one, "t")
