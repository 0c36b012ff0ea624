"""The contract of the target port, run against every target there is."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.targets.port import AccountState, Observed, Presence, Target
from deploy.embedded.ports import free_port
from streams.contracts.errors import Rejected, Unavailable
from tests.contract.targets.benches import Bench, MemoryBench, ServerBench, account, new_key
from tests.contract.targets.servers import Line

Reach = Callable[..., Target]
_PASSWORD = "korrekt-häst-batteri"


def _state(observed: Observed | None) -> AccountState:
    assert observed is not None
    return observed.state


class TestTargetContract:
    def test_an_account_is_made_with_all_it_shall_hold(self, bench: Bench) -> None:
        key, unit = new_key(), f"org:unit:kommun:{new_key()}"
        wanted = account(
            key,
            groups=[unit, "role:usk"],
            display_name="Anna Berg",
            given_name="Anna",
            family_name="Berg",
            title="Undersköterska",
            department="Hemtjänst Norr",
            mail=f"{key}@kommun.test",
        )
        made = bench.target.ensure(wanted)
        assert made.state == wanted
        assert made.native_id
        assert "created" in made.changed
        assert bench.target.read(key) == Observed(wanted, made.native_id, made.version)
        assert bench.members(unit) == {key}

    def test_a_second_ensure_writes_nothing(self, bench: Bench) -> None:
        wanted = account(new_key(), groups=["role:usk"], display_name="Anna Berg", mail="anna.berg@kommun.test")
        made = bench.target.ensure(wanted)
        again = bench.target.ensure(wanted)
        assert again.changed == ()
        assert (again.state, again.native_id, again.version) == (wanted, made.native_id, made.version)

    def test_values_are_changed_added_and_removed(self, bench: Bench) -> None:
        key = new_key()
        bench.target.ensure(account(key, display_name="Anna Berg", title="Vikarie", department="Norr"))
        wanted = account(key, display_name="Anna Ek", mail="anna.ek@kommun.test", department="Norr")
        changed = bench.target.ensure(wanted)
        assert changed.state == wanted
        assert set(changed.changed) == {"display_name", "title", "mail"}
        bare = bench.target.ensure(account(key))
        assert bare.state == account(key)

    def test_an_account_may_show_nothing_but_a_display_name(self, bench: Bench) -> None:
        wanted = account(new_key(), display_name="Handläggare 7")
        assert bench.target.ensure(wanted).state == wanted

    def test_groups_are_joined_and_left_and_other_members_stay(self, bench: Bench) -> None:
        one, other, unit, role = new_key(), new_key(), f"org:unit:k:{new_key()}", f"role:{new_key()}"
        bench.target.ensure(account(one, groups=[unit, role]))
        bench.target.ensure(account(other, groups=[unit]))
        moved = bench.target.ensure(account(one, groups=[role]))
        assert moved.state.groups == {role}
        assert moved.changed == (f"group:{unit}",)
        assert bench.members(unit) == {other}
        bench.target.ensure(account(other))
        assert bench.members(unit) == set()  # the last one could leave too
        bench.target.ensure(account(one, groups=[unit, role]))
        assert bench.members(unit) == {one}

    def test_a_group_that_is_not_ours_is_left_alone(self, bench: Bench) -> None:
        key, foreign = new_key(), f"vpn-{new_key()}"
        bench.target.ensure(account(key, groups=["role:usk"]))
        bench.put_in_group(foreign, key)
        assert _state(bench.target.read(key)).groups == {"role:usk"}
        assert bench.target.ensure(account(key)).state.groups == frozenset()
        assert bench.members(foreign) == {key}
        with pytest.raises(Rejected, match="org: or role:"):
            bench.target.ensure(account(key, groups=[foreign]))

    def test_a_disabled_account_cannot_sign_in(self, bench: Bench) -> None:
        key = new_key()
        bench.target.ensure(account(key, display_name="Anna"))
        bench.set_password(key, _PASSWORD)
        assert bench.signs_in(key, _PASSWORD)
        disabled = bench.target.ensure(account(key, Presence.DISABLED, display_name="Anna"))
        assert disabled.state.presence is Presence.DISABLED
        assert "presence" in disabled.changed
        assert not bench.signs_in(key, _PASSWORD)
        assert bench.target.ensure(account(key, Presence.DISABLED, display_name="Anna")).changed == ()
        enabled = bench.target.ensure(account(key, display_name="Anna"))
        assert enabled.state.presence is Presence.ENABLED
        assert bench.signs_in(key, _PASSWORD) is bench.keeps_credential
        bench.set_password(key, _PASSWORD)
        assert bench.signs_in(key, _PASSWORD)

    def test_an_account_is_staged_disabled(self, bench: Bench) -> None:
        wanted = account(new_key(), Presence.DISABLED, display_name="Börjar på måndag")
        assert bench.target.ensure(wanted).state == wanted

    def test_deleting_takes_the_memberships_along_and_twice_is_no_error(self, bench: Bench) -> None:
        key, unit, foreign = new_key(), f"org:unit:k:{new_key()}", f"vpn-{new_key()}"
        bench.target.ensure(account(key, groups=[unit]))
        bench.put_in_group(foreign, key)
        gone = bench.target.ensure(account(key, Presence.ABSENT))
        assert gone.state.presence is Presence.ABSENT
        assert gone.changed == ("deleted",)
        assert bench.target.read(key) is None
        assert bench.members(unit) == bench.members(foreign) == set()
        again = bench.target.ensure(account(key, Presence.ABSENT))
        assert again.changed == ()
        assert again.state.presence is Presence.ABSENT

    def test_a_uid_can_change_and_memberships_follow(self, bench: Bench) -> None:
        key, new_uid, unit, foreign = new_key(), new_key(), f"org:unit:k:{new_key()}", f"vpn-{new_key()}"
        made = bench.target.ensure(account(key, groups=[unit], display_name="Anna"))
        bench.put_in_group(foreign, key)
        wanted = account(key, uid=new_uid, groups=[unit], display_name="Anna")
        renamed = bench.target.ensure(wanted)
        assert renamed.state == wanted
        assert renamed.native_id == made.native_id
        assert "uid" in renamed.changed
        assert bench.members(unit) == bench.members(foreign) == {new_uid}
        assert bench.target.ensure(wanted).changed == ()

    def test_a_uid_of_somebody_else_is_refused(self, bench: Bench) -> None:
        key, taken = new_key(), new_key()
        bench.make_stranger(taken, f"{taken}@kommun.test")
        with pytest.raises(Rejected) as refused:
            bench.target.ensure(account(key, uid=taken))
        assert refused.value.code == "target.refused"
        assert bench.target.read(key) is None
        bench.target.ensure(account(key))
        with pytest.raises(Rejected):
            bench.target.ensure(account(key, uid=taken))
        assert _state(bench.target.read(key)).uid == key

    def test_an_entry_with_our_mail_is_never_taken_for_ours(self, bench: Bench) -> None:
        key, stranger = new_key(), new_key()
        bench.make_stranger(stranger, f"{key}@kommun.test")
        made = bench.target.ensure(account(key, mail=f"{key}@kommun.test"))
        assert made.changed == ("created",)
        assert made.state.uid == key

    def test_an_unknown_key_reads_as_none(self, bench: Bench) -> None:
        assert bench.target.read(new_key()) is None
        assert bench.target.read("a*)(uid=*") is None

    def test_a_manager_is_an_account_key(self, bench: Bench) -> None:
        boss, key, late = new_key(), new_key(), new_key()
        bench.target.ensure(account(boss, display_name="Chef"))
        wanted = account(key, manager=boss)
        assert bench.target.ensure(wanted).state == wanted
        assert bench.target.ensure(wanted).changed == ()
        assert bench.target.read(key) is not None
        assert _state(bench.target.read(key)).attributes == {"manager": boss}
        assert bench.target.ensure(account(key, manager=late)).state.attributes == {}  # not there yet
        bench.target.ensure(account(late))
        assert bench.target.ensure(account(key, manager=late)).state.attributes == {"manager": late}
        assert bench.target.ensure(account(key)).state.attributes == {}

    @pytest.mark.parametrize(
        "value",
        [
            "Åsa Öberg-Ström",
            'Anna "Ann" O\'Hara',
            "a  b   c",
            "ANNA berg",
            "#1 <x> ; y, z + = \\ / *()",
            "李 Ōта 👩🏽",
            "=x",
        ],
    )
    def test_values_come_back_exactly_as_given(self, bench: Bench, value: str) -> None:
        key = new_key()
        bench.target.ensure(account(key, display_name=value.swapcase(), title=value.lower()))
        wanted = account(key, display_name=value, family_name=value, title=value, department=value)
        assert bench.target.ensure(wanted).state == wanted
        assert bench.target.read(key) is not None
        assert _state(bench.target.read(key)) == wanted
        assert bench.target.ensure(wanted).changed == ()

    @pytest.mark.parametrize("ending", [",x", "+y", "#z", 'å"', ";<>", "\\", "*()", "=", "/?#"])
    def test_names_with_special_characters_are_safe(self, bench: Bench, ending: str) -> None:
        key = new_key() + ending
        wanted = account(key, groups=[f"role:{key}"], display_name="x")
        assert bench.target.ensure(wanted).state == wanted
        assert bench.target.ensure(wanted).changed == ()
        assert bench.target.ensure(account(key, Presence.ABSENT)).changed == ("deleted",)
        assert bench.target.read(key) is None

    @pytest.mark.parametrize("value", ["", " ", " x", "x ", "a\x00b", "a\nb", "x" * 2000])
    def test_values_that_would_not_survive_are_refused_before_anything_is_sent(self, bench: Bench, value: str) -> None:
        key = new_key()
        with pytest.raises(Rejected, match="display_name") as refused:
            bench.target.ensure(account(key, display_name=value))
        assert refused.value.code == "target.refused"
        with pytest.raises(Rejected, match="uid"):
            bench.target.ensure(AccountState(key, Presence.ENABLED, value))
        assert bench.target.read(key) is None

    def test_an_attribute_that_the_target_does_not_store_is_refused(self, bench: Bench) -> None:
        with pytest.raises(Rejected, match="does not store an unknown attribute"):
            bench.target.ensure(account(new_key(), shoe_size="43"))
        stores = bench.target.capabilities().attributes
        key = new_key()
        if "eppn" in stores:
            assert bench.target.ensure(account(key, eppn="x@kommun.test")).state.attributes == {"eppn": "x@kommun.test"}
        else:
            with pytest.raises(Rejected, match="does not store eppn"):
                bench.target.ensure(account(key, eppn="x@kommun.test"))

    def test_what_was_changed_by_hand_is_repaired(self, bench: Bench) -> None:
        key, role = new_key(), f"role:{new_key()}"
        wanted = account(key, display_name="Anna Berg", title="Lärare")
        bench.target.ensure(wanted)
        bench.rename_by_hand(key, "Kungen")
        bench.put_in_group(role, key)
        drifted = _state(bench.target.read(key))
        assert (drifted.attributes["display_name"], set(drifted.groups)) == ("Kungen", {role})
        repaired = bench.target.ensure(wanted)
        assert repaired.state == wanted
        assert set(repaired.changed) == {"display_name", f"group:{role}"}

    def test_read_all_gives_every_account_once(self, bench: Bench) -> None:
        keys, unit, stranger = [new_key() for _ in range(250)], f"org:unit:k:{new_key()}", new_key()
        bench.seed(keys, unit)
        if not isinstance(bench, MemoryBench):
            bench.make_stranger(stranger, f"{stranger}@kommun.test")
        bench.target.ensure(account(keys[0], Presence.DISABLED, manager=keys[1], groups=[unit, "role:usk"]))
        found = [one for one in bench.target.read_all() if one.state.key in set(keys)]
        assert len(found) == 250
        assert all(one.native_id and one.version for one in found)
        states = {one.state.key: one.state for one in found}
        assert states[keys[0]] == account(keys[0], Presence.DISABLED, manager=keys[1], groups=[unit, "role:usk"])
        assert states[keys[7]] == account(keys[7], display_name=keys[7], groups=[unit])
        assert stranger not in {one.state.uid for one in bench.target.read_all()}

    def test_two_at_once_in_one_new_group_lose_nobody(self, bench: Bench) -> None:
        for _ in range(3):
            keys, unit = [new_key() for _ in range(4)], f"org:unit:k:{new_key()}"
            with ThreadPoolExecutor(4) as pool:
                made = list(pool.map(lambda key, group=unit: bench.target.ensure(account(key, groups=[group])), keys))
            assert all(one.state.groups == {unit} for one in made)
            assert bench.members(unit) == set(keys)

    def test_joining_and_leaving_at_once_lose_nobody(self, bench: Bench) -> None:
        keys, unit = [new_key() for _ in range(8)], f"org:unit:k:{new_key()}"
        for key in keys[:4]:
            bench.target.ensure(account(key, groups=[unit]))
        wanted = [account(key) for key in keys[:4]] + [account(key, groups=[unit]) for key in keys[4:]]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(bench.target.ensure, wanted))
        assert bench.members(unit) == set(keys[4:])

    def test_capabilities_tell_the_name_and_how_sign_in_is_stopped(self, bench: Bench) -> None:
        bench.target.read(new_key())
        found = bench.target.capabilities()
        assert found.name
        assert found.groups
        assert found.conditional_writes
        assert {"display_name", "given_name", "family_name", "mail", "manager"} <= found.attributes


@pytest.mark.parametrize("bench", ["openldap", "unboundid", "scim"], indirect=True)
class TestLine:
    """What goes wrong between us and a server."""

    def test_a_server_that_is_away_is_unreachable(self, reach: Reach) -> None:
        target = reach(free_port(), timeout=1)
        with pytest.raises(Unavailable) as away:
            target.ensure(account(new_key()))
        assert away.value.code == "target.unreachable"
        with pytest.raises(Unavailable) as away:
            target.read(new_key())
        assert away.value.code == "target.unreachable"
        with pytest.raises(Unavailable):
            list(target.read_all())

    def test_a_server_that_accepts_and_says_nothing_is_unreachable(self, reach: Reach) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            target = reach(silent.getsockname()[1], timeout=1)
            with pytest.raises(Unavailable) as away:
                target.ensure(account(new_key()))
            assert away.value.code == "target.unreachable"

    def test_what_is_written_is_read_back_and_nothing_is_asked_twice(
        self, server_bench: ServerBench, reach: Reach, line: Line
    ) -> None:
        """Made: one search for account, uid and manager, the account, two memberships, the account and its groups read
        back. Unchanged: account and groups. Another name: those, the change, and the account read back."""
        target, boss, key = reach(line.port, timeout=10), new_key(), new_key()
        groups = [f"role:{new_key()}", f"org:unit:k:{new_key()}"]
        target.ensure(account(boss, groups=groups))
        wanted = account(key, groups=groups, display_name="Anna", manager=boss)
        renamed = account(key, groups=groups, display_name="Anna Ek", manager=boss)
        asked = []
        for state in (wanted, wanted, renamed):
            line.heard.clear()
            assert target.ensure(state).state == state
            asked.append(sum(map(server_bench.is_request, line.heard)))
        assert asked == [6, 2, 4]

    def test_an_answer_that_is_lost_leaves_the_outcome_unknown_and_nothing_is_made_twice(
        self, server_bench: ServerBench, reach: Reach, line: Line
    ) -> None:
        target, key = reach(line.port, timeout=1), new_key()
        wanted = account(key, groups=["role:usk"], display_name="Anna")
        line.armed = True
        with pytest.raises(Unavailable) as lost:
            target.ensure(wanted)
        assert lost.value.code == "target.unknown-outcome"
        line.armed = False
        assert _state(target.read(key)).uid == key  # it was done after all
        assert "created" not in target.ensure(wanted).changed
        assert _state(server_bench.target.read(key)) == wanted

    def test_a_lost_answer_to_a_change_is_repaired_by_the_next_call(
        self, server_bench: ServerBench, reach: Reach, line: Line
    ) -> None:
        target, key = reach(line.port, timeout=1), new_key()
        target.ensure(account(key, display_name="Anna"))
        for wanted in (account(key, Presence.DISABLED, display_name="Anna"), account(key, Presence.ABSENT)):
            line.armed = True
            with pytest.raises(Unavailable) as lost:
                target.ensure(wanted)
            assert lost.value.code == "target.unknown-outcome"
            line.armed = False
            assert target.ensure(wanted).state.presence is wanted.presence

    def test_a_server_that_goes_away_while_a_connection_is_idle_is_unreachable(
        self, server_bench: ServerBench, reach: Reach
    ) -> None:
        first = Line(server_bench.port, server_bench.is_write)
        target, key = reach(first.port, timeout=2), new_key()
        target.ensure(account(key, display_name="Anna"))
        first.close()
        with pytest.raises(Unavailable) as away:
            target.read(key)
        assert away.value.code == "target.unreachable"

    def test_a_server_that_comes_back_is_used_again_without_a_failure(
        self, server_bench: ServerBench, reach: Reach, line: Line
    ) -> None:
        target, key = reach(line.port, timeout=2), new_key()
        target.ensure(account(key, display_name="Anna"))
        line.hang_up()
        assert target.ensure(account(key, display_name="Anna Ek")).changed == ("display_name",)


def test_memory_can_go_down_and_come_up_and_time_out_after_the_write() -> None:
    bench = MemoryBench()
    memory, key = bench.memory, new_key()
    memory.go_down()
    with pytest.raises(Unavailable) as away:
        memory.ensure(account(key))
    assert away.value.code == "target.unreachable"
    memory.come_up()
    memory.time_out_after_write()
    with pytest.raises(Unavailable) as lost:
        memory.ensure(account(key, display_name="Anna"))
    assert lost.value.code == "target.unknown-outcome"
    assert memory.ensure(account(key, display_name="Anna")).changed == ()
    assert memory.calls == [("ensure", key)] * 3
