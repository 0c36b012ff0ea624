"""The account as a SCIM user and back, with scim2-models' own PATCH as the judge."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from scim2_models import Context, PatchOp

from connectors.targets.port import AccountState, Presence
from connectors.targets.scim.accounts import ATTRIBUTES, held, new_user, operations, state_of, wanted
from connectors.targets.scim.models import TOLERANT, Account
from connectors.targets.scim.session import equals

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(lambda text: f"v{text}")
_STATES = st.builds(
    AccountState,
    _TEXT,
    st.sampled_from([Presence.ENABLED, Presence.DISABLED]),
    _TEXT,
    st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), _TEXT),
    st.frozensets(st.sampled_from(["org:unit:k:1", "role:usk"])),
)


def _user(state: AccountState) -> Account:
    """As a server would hold it: what was sent, read again."""
    sent = new_user(state, _manager_id(state)).model_dump(scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    return Account.model_validate(sent)


def _manager_id(state: AccountState) -> str:
    return f"id-{state.attributes['manager']}" if "manager" in state.attributes else ""


@given(_STATES)
def test_what_is_sent_reads_back(state: AccountState) -> None:
    assert state_of(_user(state), state.attributes.get("manager", ""), state.groups) == state


@given(_STATES, _STATES)
def test_the_operations_lead_to_what_is_wanted_and_then_there_are_none(
    before: AccountState, after: AccountState
) -> None:
    user, goal = _user(before), wanted(after, _manager_id(after))
    changes = operations(held(user), goal)
    if changes:
        payload = {"Operations": [dict(operation) for operation in changes.values()]}
        patch: Any = PatchOp[Account].model_validate(payload, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        patch.patch(user)
    assert held(user) == goal
    assert operations(held(user), goal) == {}
    read = state_of(user, after.attributes.get("manager", ""), after.groups)
    assert (read.uid, read.presence, read.attributes) == (after.uid, after.presence, after.attributes)


def test_only_the_work_address_is_ours() -> None:
    payload = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "a",
        "emails": [{"value": "hem@kommun.test", "type": "home"}, {"value": "arbete@kommun.test", "type": "work"}],
        "phoneNumbers": [{"value": "070-1740605"}],
        "favouriteColour": "blue",
    }
    user = Account.model_validate(payload, scim_policy=TOLERANT)
    assert held(user)["mail"] == "arbete@kommun.test"
    assert list(operations(held(user), {"uid": "a", "presence": "true"})) == ["mail"]
    assert operations(held(user), {"uid": "a", "presence": "true"})["mail"] == {
        "op": "remove",
        "path": 'emails[type eq "work"]',
    }


def test_a_server_that_does_not_tell_active_counts_as_enabled_and_one_that_tells_false_does_not() -> None:
    for active, presence in ((None, Presence.ENABLED), (True, Presence.ENABLED), (False, Presence.DISABLED)):
        user = Account(user_name="a", external_id="k", active=active)
        assert state_of(user, "", frozenset()).presence is presence


def test_a_filter_value_is_a_json_string() -> None:
    assert equals("externalId", 'a"b\\') == 'externalId eq "a\\"b\\\\"'
    assert equals("displayName", "Öst") == 'displayName eq "Öst"'
