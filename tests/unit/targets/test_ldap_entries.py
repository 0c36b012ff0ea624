"""The account as an entry and back."""

import ldap3
from hypothesis import given
from hypothesis import strategies as st

from connectors.targets.ldap import entries
from connectors.targets.ldap.session import Entry
from connectors.targets.port import AccountState, Disabling, Presence

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
_MANAGER_DN = "uid=boss,ou=people,dc=test"
_STATES = st.builds(
    AccountState,
    _TEXT,
    st.sampled_from([Presence.ENABLED, Presence.DISABLED]),
    _TEXT.map(lambda text: f"u{text}"),
    st.dictionaries(st.sampled_from(sorted(entries.ATTRIBUTES)), _TEXT.map(lambda text: f"v{text}")),
    st.frozensets(st.sampled_from(["org:unit:k:1", "role:usk"])),
)
_DISABLING = st.sampled_from([Disabling.LOCKED_TIME, Disabling.PASSWORD_REMOVED])


def _entry(state: AccountState, disabling: Disabling) -> Entry:
    manager_dn = _MANAGER_DN if "manager" in state.attributes else ""
    values = {
        **entries.wanted_values(state, manager_dn),
        **entries.sign_in_values(state.presence is Presence.ENABLED, disabling),
        "uid": (state.uid,),
        "objectClass": entries.CLASSES,
    }
    return Entry("uid=x", {name.lower(): texts for name, texts in values.items() if texts})


def _applied(entry: Entry, changes: dict[str, list[tuple[str, list[str]]]]) -> Entry:
    values = dict(entry.values)
    for name, steps in changes.items():
        for how, texts in steps:
            values[name.lower()] = (*(values.get(name.lower(), ()) if how == ldap3.MODIFY_ADD else ()), *texts)
    return Entry(entry.dn, {name: texts for name, texts in values.items() if texts})


@given(_STATES, _DISABLING)
def test_what_is_written_reads_back(state: AccountState, disabling: Disabling) -> None:
    manager = state.attributes.get("manager", "")
    assert entries.state_of(_entry(state, disabling), manager, state.groups, disabling) == state


@given(_STATES, _STATES, _DISABLING)
def test_the_changes_lead_to_what_is_wanted_and_then_there_are_none(
    before: AccountState, after: AccountState, disabling: Disabling
) -> None:
    wanted = entries.wanted_values(after, _MANAGER_DN if "manager" in after.attributes else "")
    enabled = after.presence is Presence.ENABLED
    entry = _entry(before, disabling)
    changes = {
        **entries.value_changes(entry, wanted),
        **entries.sign_in_changes(entry, enabled, disabling),
        "uid": [(ldap3.MODIFY_REPLACE, [after.uid])],
    }
    changed = _applied(entry, changes)
    assert entries.state_of(changed, after.attributes.get("manager", ""), after.groups, disabling) == after
    assert entries.value_changes(changed, wanted) == {}
    assert entries.sign_in_changes(changed, enabled, disabling) == {}


@given(_STATES, _DISABLING)
def test_an_entry_always_has_the_mandatory_names(state: AccountState, disabling: Disabling) -> None:
    values = _entry(state, disabling)
    assert values.first("cn")
    assert values.first("sn")


def test_for_a_person_who_shows_a_display_name_only_no_other_name_is_stored() -> None:
    state = AccountState("k", Presence.ENABLED, "x7k2", {"display_name": "Handläggare 7"})
    values = entries.wanted_values(state, "")
    assert (values["cn"], values["sn"], values["givenName"]) == (("Handläggare 7",), ("x7k2",), ())


def test_a_flag_alone_does_not_count_as_disabled() -> None:
    def presence(disabling: Disabling, **values: str) -> Presence:
        entry = Entry("uid=x", {name.lower(): (text,) for name, text in values.items()})
        return entries.presence_of(entry, disabling)

    removed, locked = Disabling.PASSWORD_REMOVED, Disabling.LOCKED_TIME
    assert presence(removed, kallanActive="FALSE") is Presence.DISABLED
    assert presence(removed, kallanActive="FALSE", userPassword="x") is Presence.ENABLED
    assert presence(removed, kallanActive="TRUE") is Presence.ENABLED
    assert presence(locked, kallanActive="FALSE") is Presence.ENABLED
    assert presence(locked, kallanActive="TRUE", pwdAccountLockedTime="000001010000Z") is Presence.DISABLED
    assert presence(locked, pwdAccountLockedTime="20260101120000Z") is Presence.ENABLED  # failed attempts, not ours


def test_a_lock_after_failed_attempts_is_left_when_enabled_and_replaced_when_disabled() -> None:
    entry = Entry("uid=x", {"kallanactive": ("TRUE",), "pwdaccountlockedtime": ("20260101120000Z",)})
    assert entries.sign_in_changes(entry, True, Disabling.LOCKED_TIME) == {}
    changes = entries.sign_in_changes(entry, False, Disabling.LOCKED_TIME)
    assert changes["pwdAccountLockedTime"] == [(ldap3.MODIFY_REPLACE, ["000001010000Z"])]


def test_a_second_value_made_by_hand_shows_as_a_difference_and_is_removed() -> None:
    state = AccountState("k", Presence.ENABLED, "u", {"title": "Lärare"})
    entry = _entry(state, Disabling.LOCKED_TIME)
    entry = Entry(entry.dn, {**entry.values, "title": ("Lärare", "Rektor")})
    read = entries.state_of(entry, "", frozenset(), Disabling.LOCKED_TIME)
    assert read.attributes["title"] == "Lärare | Rektor"
    changes = entries.value_changes(entry, entries.wanted_values(state, ""))
    assert changes == {"title": [(ldap3.MODIFY_REPLACE, ["Lärare"])]}


def test_a_hand_that_takes_our_class_away_is_repaired() -> None:
    state = AccountState("k", Presence.ENABLED, "u")
    entry = _entry(state, Disabling.LOCKED_TIME)
    entry = Entry(entry.dn, {**entry.values, "objectclass": ("inetOrgPerson", "KALLANACCOUNT")})
    changes = entries.value_changes(entry, entries.wanted_values(state, ""))
    assert changes == {"objectClass": [(ldap3.MODIFY_ADD, ["eduPerson"])]}


def test_distinguished_names_compare_without_case_and_spaces_and_know_escapes() -> None:
    assert entries.normal_dn("UID=a, OU=People,DC=test") == entries.normal_dn("uid=A,ou=people,dc=test")
    assert entries.normal_dn("not a dn") == "not a dn"
    assert entries.parent_dn("uid=a\\,b\\\\,ou=people,dc=test") == "ou=people,dc=test"
    assert entries.parent_dn("dc=test") == ""
    assert entries.person_dn("a,b+c", "ou=people") == "uid=a\\,b\\+c,ou=people"
    assert entries.equals("uid", "a*)(b\\") == "(uid=a\\2a\\29\\28b\\5c)"


def test_a_conditional_write_names_the_key_and_the_version_that_was_read() -> None:
    entry = Entry("uid=x", {"kallanaccountkey": ("k",), "entrycsn": ("20260101#1",), "modifytimestamp": ("2026",)})
    assert entries.unchanged_condition(entry) == "(&(kallanAccountKey=k)(entryCSN=20260101#1))"
    entry = Entry("uid=x", {"kallanaccountkey": ("k",), "modifytimestamp": ("2026Z",)})
    assert entries.unchanged_condition(entry) == "(&(kallanAccountKey=k)(modifyTimestamp=2026Z))"
    assert entries.unchanged_condition(Entry("uid=x", {"kallanaccountkey": ("k",)})) == "(kallanAccountKey=k)"
