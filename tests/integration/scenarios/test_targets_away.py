"""S-23 with the master in front: what happens while a target does not answer is one change when it is back."""

from __future__ import annotations

from tests.integration.scenarios.conftest import CHILD, FEMALE, MALE, SIBLING, Town, post, row


def test_during_an_outage_other_targets_go_on_and_afterwards_protection_and_ends_come_first(town: Town) -> None:
    town.say("navet", post(FEMALE, "Annakanariefågel"), post(MALE, "Bo"), post(CHILD, "Cia"), post(SIBLING, "Dan"))
    town.say("hr", row("E1", FEMALE), row("E2", MALE))
    town.world.target("collaboration", "down")
    town.at("2026-09-02T08:00:00")
    town.say("hr", row("E2", MALE, endDate="2026-09-01"))  # the only one that is tried: nobody knew of the outage
    town.say("hr", row("E3", CHILD), row("E4", SIBLING))
    town.say("hr", row("E3", CHILD, cancelled=True))
    town.say("navet", {"PersonNr": FEMALE, "Sekretessmarkering": "J"})
    assert presence(town, MALE, "directory") == "disabled"
    assert presence(town, SIBLING, "directory") == "enabled"
    start = town.journal_end()
    town.world.target("collaboration", "up")
    town.at("2026-09-02T12:00:00")
    assert [lane for lane, _, _ in town.asked(start)][:2] == ["protect", "disable"]
    assert {target for _, target, _ in town.asked(start)} == {"collaboration"}
    found = {who: presence(town, who, "collaboration") for who in (FEMALE, MALE, CHILD, SIBLING)}
    assert found == {FEMALE: "disabled", MALE: "disabled", CHILD: "never", SIBLING: "enabled"}
    assert town.world.readings.leaks.find("Annakanariefågel") == []


def presence(town: Town, number: str, target: str) -> str:
    """Of a person's only account, as the target itself tells it."""
    (key,) = town.world.readings.account_keys(town.world.readings.person_id(number) or "")
    found = town.world.targets[target].read(key)
    return found.state.presence.value if found else "never"
