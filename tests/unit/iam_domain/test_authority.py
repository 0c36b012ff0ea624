"""The policy of a legal authority takes away or asks more, whatever the core says; it can give nothing."""

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploy.wiring.data import read_policy
from iam.domain.account import Presence
from iam.domain.authority import AuthorityPolicy
from iam.domain.policy import Policy
from streams.contracts.claims import Leave, Marking
from streams.contracts.errors import KallanError, Rejected
from tests.unit.iam_domain.making import DAY, O1, O2, POLICY, POLICY_DATA, TOP, UNITS, Provisioning, at, person, work

SOCIAL = "Socialnämnden"
FILE: dict[str, Any] = {"authority": SOCIAL, "decision": "SN 2026 § 12"}
STRICTER: list[dict[str, Any]] = [
    {"refused_targets": ["directory"]},
    {"refused_targets": ["directory", "cloud"]},
    {"refused_hosting": ["cloud"]},
    {"refused_groups": ["role:*"]},
    {"refused_groups": [f"org:{O1}"]},
    {"withheld": ["title", "department", "manager"]},
    {"statuses": ["registered"]},
    {"lead_days": 3},
    {"leave": "suspend"},
]
NOW = at(DAY)


def policy(*asked: dict[str, Any], core: dict[str, Any] | None = None) -> Policy:
    base = POLICY if core is None else Policy.from_data(core)
    return base.with_authorities([AuthorityPolicy.from_data(FILE | one) for one in asked])


def social(*asked: dict[str, Any], core: dict[str, Any] | None = None, below: bool = False) -> Provisioning:
    """One unit of the authority; the name stands on the unit itself, or above it."""
    named = TOP if below else O1
    units = UNITS | {named: msgspec.structs.replace(UNITS[named], legal_authority=f" {SOCIAL.upper()} ")}
    return Provisioning(policy(*asked, core=core), units)


def chef(**more: Any) -> Any:
    return person(work(title="Enhetschef"), **more)


def test_a_target_that_the_authority_refuses_is_given_to_nobody_of_its_units_and_taken_from_who_has_it() -> None:
    before, refused = Provisioning(), social({"refused_hosting": ["cloud"]})
    assert set(before.see(chef(), NOW)) == {"cloud", "directory"}
    assert set(refused.see(chef(), NOW)) == {"directory"}
    had = social({"refused_hosting": ["cloud"]})
    had.previous, had.names = dict(before.previous), dict(before.names)
    seen = had.see(chef(), NOW)
    assert seen["cloud"].intent.state.presence is Presence.DISABLED
    assert "authority" in {one.code for one in seen["cloud"].intent.why_not}
    assert seen["directory"].intent.state.presence is Presence.ENABLED
    assert set(had.see(person(work(at_unit=O2), who="p2"), NOW)) == {"cloud", "directory"}


def test_the_authority_of_the_nearest_unit_above_that_names_one_counts() -> None:
    assert set(social({"refused_targets": ["cloud"]}, below=True).see(chef(), NOW)) == {"directory"}


def test_the_core_cannot_overrule_a_stricter_authority() -> None:
    """Not even by a rule that names the target, the group and the attribute themselves."""
    core = copy.deepcopy(POLICY_DATA)
    core["targets"]["cloud"]["protected"] = "allowed"  # type: ignore[index]
    core["attributes"] = ["display_name", "title"]
    core["masked"] = ["display_name", "title"]
    asked = {"refused_targets": ["cloud"], "refused_groups": ["role:chef"], "withheld": ["title"]}
    for who in (chef(), chef(marking=Marking.SEKRETESSMARKERING, agreed="Kim")):
        (only,) = social(asked, core=core).see(who, NOW).values()
        assert only.target == "directory"
        assert "role:chef" not in only.intent.state.groups
        assert "title" not in only.intent.state.attributes
        assert ("chef", "authority") in {(one.rule, one.code) for one in only.intent.why_not}


def test_an_authority_can_shorten_the_lead_suspend_on_leave_and_ask_for_a_register_status() -> None:
    starts = person(work(since=DAY + dt.timedelta(days=10)))
    assert Provisioning().presence(starts, NOW) is Presence.DISABLED
    early = social({"lead_days": 3})
    assert early.presence(starts, NOW) is None
    assert early.presence(starts, at(DAY + dt.timedelta(days=7))) is Presence.DISABLED
    away = person(work(leaves=(Leave(DAY, None),)))
    assert Provisioning().presence(away, NOW) is Presence.ENABLED
    assert social({"leave": "suspend"}).presence(away, NOW) is Presence.DISABLED
    assert social({"statuses": ["registered"]}).presence(person(work(), status="emigrated"), NOW) is None
    assert social({"statuses": ["registered"]}).presence(person(work()), NOW) is Presence.ENABLED


def test_it_holds_from_its_first_day_to_its_last_and_everybody_is_looked_at_again_then() -> None:
    dated = policy({"refused_targets": ["cloud"], "valid_from": DAY, "valid_to": DAY})
    assert dated.boundaries() >= {DAY, DAY + dt.timedelta(days=1)}
    assert dated.fingerprint != POLICY.fingerprint
    for day, here in ((-1, 2), (0, 1), (1, 2)):
        one = social({"refused_targets": ["cloud"], "valid_from": DAY, "valid_to": DAY})
        assert len(one.see(chef(), at(DAY + dt.timedelta(days=day)))) == here


@given(st.lists(st.sampled_from(STRICTER), max_size=4), st.sampled_from(["registered", "emigrated"]), st.booleans())
def test_whatever_an_authority_says_nobody_gets_more_than_the_core_gives(
    asked: list[dict[str, Any]], status: str, away: bool
) -> None:
    who = person(work(title="Enhetschef", leaves=(Leave(DAY, None),) if away else ()), status=status)
    core, strict = Provisioning().see(who, NOW), social(*asked).see(who, NOW)
    assert strict.keys() <= core.keys()
    for target, one in strict.items():
        given_, had = one.intent.state, core[target].intent.state
        assert given_.groups <= had.groups
        assert given_.attributes.items() <= had.attributes.items()
        assert given_.presence is had.presence or given_.presence is not Presence.ENABLED


@pytest.mark.parametrize(
    ("looser", "place"),
    [
        ({"targets": {"x": {"hosting": "cloud", "classification": "K1"}}}, "targets"),
        ({"accounts": []}, "accounts"),
        ({"grants": [{"id": "x", "persona": "employee", "groups": ["role:x"]}]}, "grants"),
        ({"masked": ["title"]}, "masked"),
        ({"leave": "keep"}, "leave"),
        ({"lead_days": 15}, "lead_days"),
        ({"refused_targets": ["clowd"]}, "refused_targets"),
        ({"refused_groups": ["*"]}, "refused_groups"),
        ({"refused_groups": ["role:"]}, "refused_groups"),
        ({"authority": "  "}, "authorities"),
        ({"decision": " "}, "decision"),
        ({"withheld": ["display_name"]}, "withheld"),
        ({"decision": ""}, "decision"),
        ({"valid_from": dt.date(2026, 2, 1), "valid_to": dt.date(2026, 1, 1)}, "valid_to"),
    ],
)
def test_a_file_that_would_give_or_loosen_anything_is_refused(
    looser: dict[str, Any], place: str, tmp_path: Path
) -> None:
    with pytest.raises(Rejected, match=place):
        policy(looser)
    core, folder = tmp_path / "policy.yml", tmp_path / "authorities"
    folder.mkdir()
    core.write_text(yaml.safe_dump(POLICY_DATA))
    (folder / "social.yml").write_text(yaml.safe_dump(FILE | looser))
    with pytest.raises(KallanError, match=r"social\.yml") as refused:
        read_policy(core, str(folder))
    assert refused.value.code == "settings.invalid"


def test_the_cores_file_cannot_speak_for_an_authority() -> None:
    with pytest.raises(Rejected, match="authorities"):
        Policy.from_data(POLICY_DATA | {"authorities": []})


def test_the_files_of_a_folder_are_read_and_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    core = tmp_path / "policy.yml"
    core.write_text(yaml.safe_dump(POLICY_DATA))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "social.yml").write_text(yaml.safe_dump(FILE | {"withheld": ["title"]}))
    (tmp_path / "a" / "school.yaml").write_text(yaml.safe_dump(FILE | {"authority": "BUN"}))
    assert {one.authority for one in read_policy(core, str(tmp_path / "a")).authorities} == {SOCIAL, "BUN"}
    assert read_policy(core).authorities == ()
    with pytest.raises(KallanError, match="no such folder"):
        read_policy(core, str(tmp_path / "b"))


@pytest.mark.parametrize("name", ["social.YML", "social", "social.yml.txt", "social.json"])
def test_a_file_that_would_be_passed_over_is_a_mistake(tmp_path: Path, name: str) -> None:
    core, folder = tmp_path / "policy.yml", tmp_path / "a"
    core.write_text(yaml.safe_dump(POLICY_DATA))
    folder.mkdir()
    (folder / "README.md").write_text("one authority in each")
    (folder / name).write_text(yaml.safe_dump(FILE | {"withheld": ["title"]}))
    with pytest.raises(KallanError, match=r"settings\.invalid") as refused:
        read_policy(core, str(folder))
    assert name in refused.value.detail


def test_the_example_of_the_format_is_read_as_it_stands() -> None:
    text = (Path(__file__).parents[3] / "docs" / "formats" / "authority-policy.md").read_text(encoding="utf-8")
    example = AuthorityPolicy.from_data(yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0]))
    assert POLICY.with_authorities([example]).authorities == (example,)
    assert all(f"`{name}`" in text for name in AuthorityPolicy.__struct_fields__)


SECRET_AT_WORK = {"withheld": ["given_name", "family_name", "manager"]}


@pytest.mark.parametrize("below", [False, True])
def test_what_an_authority_withholds_does_not_come_out_when_the_work_ends(below: bool) -> None:
    strict = social(SECRET_AT_WORK, below=below)
    working = strict.see(chef(), NOW)["directory"].intent.state.attributes
    assert "given_name" not in working
    for after in (
        person(work(title="Enhetschef", to=DAY - dt.timedelta(days=1))),
        person(work(title="Enhetschef", cancelled=True)),
        person(),
    ):
        left = strict.see(after, NOW)["directory"].intent.state
        assert left.presence is Presence.DISABLED
        assert left.attributes.keys() <= working.keys()


@given(
    st.lists(st.sampled_from([*STRICTER, SECRET_AT_WORK, {"withheld": ["eppn"]}]), max_size=4),
    st.sampled_from([{"to": DAY - dt.timedelta(days=1)}, {"cancelled": True}, {"leaves": (Leave(DAY, None),)}]),
    st.booleans(),
)
def test_no_account_shows_more_when_the_work_ends_or_is_interrupted_or_the_unit_is_lost(
    asked: list[dict[str, Any]], change: dict[str, Any], lost: bool
) -> None:
    strict = social(*asked, below=True)
    working = strict.see(chef(), NOW)
    if lost:
        del strict.units[TOP]
    for target, one in strict.see(person(work(title="Enhetschef", **change)), NOW).items():
        assert one.intent.state.attributes.keys() <= working[target].intent.state.attributes.keys()
        assert one.intent.state.groups <= working[target].intent.state.groups


@pytest.mark.parametrize("also", [{"statuses": ["emigrated"]}, {"refused_targets": ["directory"]}])
def test_what_an_authority_withholds_does_not_come_out_where_it_refuses_the_account_too(also: dict[str, Any]) -> None:
    before = social(SECRET_AT_WORK)
    working = before.see(chef(), NOW)["directory"].intent.state.attributes
    strict = social(SECRET_AT_WORK | also)
    strict.previous, strict.names = dict(before.previous), dict(before.names)
    left = strict.see(chef(), NOW)["directory"].intent.state
    assert left.presence is Presence.DISABLED
    assert left.attributes.keys() <= working.keys()


def test_what_an_authority_withholds_stays_withheld_while_it_is_not_known_whose_the_unit_is() -> None:
    """The unit is placed below one that nobody has heard of yet."""
    strict = social(SECRET_AT_WORK, below=True)
    working = strict.see(chef(), NOW)["directory"].intent.state
    del strict.units[TOP]
    meanwhile = strict.see(chef(), NOW)["directory"].intent.state
    assert meanwhile.presence is Presence.ENABLED
    assert meanwhile.attributes == working.attributes


def test_an_authority_speaks_for_nobody_who_has_left_it_for_another() -> None:
    """A new employment elsewhere shows what it shows, though the account served the old one too."""
    old, new = work("e1", to=DAY - dt.timedelta(days=1)), work("e2", since=DAY, at_unit=O2)
    shown = social(SECRET_AT_WORK).see(person(old, new), NOW)["directory"].intent.state.attributes
    assert shown["given_name"] == "Kanariefågel"
