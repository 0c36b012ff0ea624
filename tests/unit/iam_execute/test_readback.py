"""The read-back is compared with what the target can hold, and only with groups that are ours."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.targets import port
from iam.domain.account import AccountState, Presence
from iam.execute.readback import as_held, equals, from_port, lacks_only_reference, managed, to_port

CAPABILITIES = port.Capabilities(
    "directory", port.Disabling.ACTIVE_FLAG, True, frozenset({"title", "manager"}), conditional_writes=False
)
FLAT = port.Capabilities("flat", port.Disabling.ACTIVE_FLAG, False, frozenset(), conditional_writes=False)

states = st.builds(
    AccountState,
    key=st.just("a"),
    presence=st.sampled_from(Presence),
    uid=st.sampled_from(["u1", "u2"]),
    attributes=st.dictionaries(st.sampled_from(["title", "mail", "manager"]), st.sampled_from(["x", "y"])),
    groups=st.frozensets(st.sampled_from(["org:1", "role:a"])),
)


@given(states)
def test_a_state_survives_the_way_through_the_port(state: AccountState) -> None:
    assert from_port(to_port(state)) == state


@given(states, states)
def test_two_states_are_equal_exactly_if_the_target_would_hold_the_same(one: AccountState, other: AccountState) -> None:
    expected = as_held(one, CAPABILITIES, frozenset()) == as_held(other, CAPABILITIES, frozenset())
    assert equals(one, other, CAPABILITIES) == expected
    assert equals(one, one, CAPABILITIES)


@given(states)
def test_what_is_held_is_held_as_it_is(state: AccountState) -> None:
    once = as_held(state, CAPABILITIES, frozenset())
    assert as_held(once, CAPABILITIES, frozenset()) == once


def test_a_foreign_group_is_nobodys_difference() -> None:
    wanted = AccountState("a", Presence.ENABLED, "u", {}, frozenset({"org:1"}))
    read = AccountState("a", Presence.ENABLED, "u", {}, frozenset({"org:1", "fackklubben"}))
    assert equals(wanted, read, CAPABILITIES)
    assert managed(read.groups) == ["org:1"]


def test_a_target_without_groups_or_attributes_is_not_asked_for_them() -> None:
    state = AccountState("a", Presence.ENABLED, "u", {"title": "Lärare"}, frozenset({"org:1"}))
    assert as_held(state, FLAT, frozenset()) == AccountState("a", Presence.ENABLED, "u")


def test_a_missing_manager_is_told_from_a_wrong_one_and_from_other_differences() -> None:
    wanted = AccountState("a", Presence.ENABLED, "u", {"title": "x", "manager": "m"})
    assert lacks_only_reference(wanted, AccountState("a", Presence.ENABLED, "u", {"title": "x"}), CAPABILITIES)
    assert not lacks_only_reference(
        wanted, AccountState("a", Presence.ENABLED, "u", {"title": "x", "manager": "n"}), CAPABILITIES
    )
    assert not lacks_only_reference(wanted, AccountState("a", Presence.ENABLED, "u", {"title": "y"}), CAPABILITIES)
