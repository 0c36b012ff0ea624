"""What the in-memory target has beyond the contract: hands of its own, calls that are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.targets.memory import MemoryTarget
from connectors.targets.port import AccountState, Presence
from connectors.targets.rules import managed
from streams.contracts.errors import KallanError, Rejected

_KEYS = st.sampled_from(["k1", "k2", "k3"])
_STATES = st.builds(
    AccountState,
    _KEYS,
    st.sampled_from(Presence),
    st.sampled_from(["u1", "u2", "U2", "u3"]),
    st.dictionaries(st.sampled_from(["title", "mail"]), st.sampled_from(["a", "b"])),
    st.frozensets(st.sampled_from(["org:1", "role:2"])),
)


@given(st.lists(_STATES, max_size=20))
def test_no_two_accounts_ever_have_one_uid_and_every_success_is_as_asked(states: list[AccountState]) -> None:
    target = MemoryTarget()
    for state in states:
        others = {one.state.uid.lower() for one in target.read_all() if one.state.key != state.key}
        if state.presence is not Presence.ABSENT and state.uid.lower() in others:
            with pytest.raises(Rejected):
                target.ensure(state)
            continue
        made = target.ensure(state)
        assert made.state.presence is state.presence
        if state.presence is not Presence.ABSENT:
            assert made.state == state
        assert target.ensure(state).changed == ()
    uids = [one.state.uid.lower() for one in target.read_all()]
    assert len(uids) == len(set(uids))


def test_every_call_is_counted_also_those_that_fail() -> None:
    target = MemoryTarget()
    target.ensure(AccountState("k", Presence.ENABLED, "u"))
    target.read("k")
    list(target.read_all())
    target.go_down()
    with pytest.raises(KallanError):
        target.read("k")
    assert target.calls == [("ensure", "k"), ("read", "k"), ("read_all", ""), ("read", "k")]


def test_a_hand_can_change_anything_and_a_changed_uid_shows() -> None:
    target = MemoryTarget()
    target.ensure(AccountState("k", Presence.ENABLED, "u", {"title": "a", "mail": "m"}, frozenset({"org:1"})))
    target.change_by_hand(
        "k",
        attributes={"title": None, "mail": "x"},
        enabled=False,
        uid="v",
        join=frozenset({"vpn"}),
        leave=frozenset({"org:1"}),
    )
    read = target.read("k")
    assert read is not None
    assert read.state == AccountState("k", Presence.DISABLED, "v", {"mail": "x"}, frozenset())
    assert target.groups_of("k") == {"vpn"}
    assert not target.may_sign_in("v")
    target.delete_by_hand("k")
    assert target.read("k") is None
    with pytest.raises(KeyError):
        target.change_by_hand("k")


def test_groups_are_ours_by_their_name() -> None:
    assert managed(["org:unit:k:1", "role:usk", "vpn", "organisation", ""]) == {"org:unit:k:1", "role:usk"}
