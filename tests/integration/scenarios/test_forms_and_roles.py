"""R-04, S-14 and S-30 from the sources' native files to the bytes that a reader gets over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from tests.integration.scenarios.conftest import CHILD, FEMALE, MALE, SIBLING, Town, post, row

HOME = {"Utdelningsadress1": "Provgatan 4 lgh 1101", "PostNr": "04110", "Postort": "ORTEN"}
AT_HOME: dict[str, Any] = {
    "Folkbokforingsdatum": "20190101",
    "LanKod": "14",
    "KommunKod": "80",
    "Folkbokforingsadress": HOME,
}


def guardian_of(child: str, **more: Any) -> dict[str, Any]:
    return {"PersonNr": child, "Relationstyp": "VF", "RelationFromdatum": "20130505", **more}


def ward_of(guardian: str, **more: Any) -> dict[str, Any]:
    return {"PersonNr": guardian, "Relationstyp": "V", "RelationFromdatum": "20130505", **more}


def family(town: Town) -> None:
    town.say(
        "navet",
        post(FEMALE, "Greta Maria", **AT_HOME, Relationer=[guardian_of(CHILD), guardian_of(SIBLING)]),
        post(MALE, "Gustav", **AT_HOME, Relationer=[guardian_of(CHILD, RelationTomdatum="20260914")]),
        post(
            CHILD,
            "Cia",
            Fodelsedatum="20130505",
            Relationer=[ward_of(FEMALE), ward_of(MALE, RelationTomdatum="20260914")],
        ),
        post(SIBLING, "Sven", Fodelsedatum="20120505", Relationer=[ward_of(FEMALE)]),
    )


def filled(answer: httpx.Response) -> dict[str, str | None]:
    assert answer.status_code == 200
    return {field["name"]: field["value"] for field in answer.json()["form"]["fields"]}


def test_a_guardians_form_asks_nothing_that_the_register_knows(town: Town) -> None:
    family(town)
    answer = town.prefill(FEMALE)
    found = filled(answer)
    assert (found["guardian-name"], found["guardian-number"]) == ("Greta Maria Provby", FEMALE)
    assert (found["street"], found["postal-code"], found["locality"]) == ("Provgatan 4 lgh 1101", "04110", "ORTEN")
    children = {found[f"{n}.child-number"]: (found[f"{n}.child-name"], found[f"{n}.child-birth"]) for n in (0, 1)}
    assert children == {CHILD: ("Cia Provby", "2013-05-05"), SIBLING: ("Sven Provby", "2012-05-05")}
    asked = {field["name"] for field in answer.json()["form"]["fields"] if field["asked"]}
    assert asked == {"wanted-from", "preschool"}
    assert {field["source"] for field in answer.json()["form"]["fields"] if not field["asked"]} == {"navet"}


def test_a_child_whose_post_has_not_come_is_asked_about_and_never_left_out_in_silence(town: Town) -> None:
    town.say("navet", post(FEMALE, "Greta Maria", **AT_HOME, Relationer=[guardian_of(CHILD), guardian_of(SIBLING)]))
    town.say("navet", post(SIBLING, "Sven", Fodelsedatum="20120505", Relationer=[ward_of(FEMALE)]))
    answer = town.prefill(FEMALE)
    fields = {field["name"]: field for field in answer.json()["form"]["fields"]}
    assert answer.json()["form"]["children_not_known"] == 1
    assert (fields["0.child-number"]["value"], fields["1.child-number"]["value"]) == (SIBLING, None)
    assert all(fields[f"1.{name}"]["asked"] for name in ("child-name", "child-number", "child-birth"))
    assert CHILD not in answer.text
    town.say("navet", post(CHILD, "Cia", Fodelsedatum="20130505", Relationer=[ward_of(FEMALE)]))
    found = town.prefill(FEMALE)
    assert found.json()["form"]["children_not_known"] == 0
    assert {value for name, value in filled(found).items() if name.endswith("child-number")} == {CHILD, SIBLING}


def test_a_form_that_is_handed_over_tells_nothing_of_a_child_that_is_not_known(town: Town) -> None:
    town.say("navet", post(FEMALE, "Greta", **AT_HOME, Relationer=[guardian_of(CHILD), guardian_of(SIBLING)]))
    town.say("navet", post(SIBLING, "Sven", Sekretessmarkering="J", Relationer=[ward_of(FEMALE)]))
    form = town.prefill(FEMALE).json()["form"]
    assert (form["handed_over"], form["children_not_known"]) == (True, 0)
    assert {field["value"] for field in form["fields"]} == {None}


def test_a_child_is_in_the_form_through_the_last_day_of_custody_and_no_longer(town: Town) -> None:
    family(town)
    town.at("2026-09-14T23:59:00")
    assert "Cia" in town.prefill(MALE).text
    town.at("2026-09-15")
    assert filled(town.prefill(MALE)).keys() == {
        *("guardian-name", "guardian-number", "street", "postal-code", "locality", "wanted-from", "preschool")
    }
    assert CHILD not in town.prefill(MALE).text
    assert CHILD not in town.search(MALE, "e-services").text


def test_custody_that_the_childs_post_alone_ends_is_over_at_once(town: Town) -> None:
    family(town)
    town.at("2026-09-05T08:00:00")
    town.say("navet", post(CHILD, "Cia", Fodelsedatum="20130505", Relationer=[ward_of(FEMALE)]))
    assert "Cia" not in town.prefill(MALE).text
    assert "Cia" in town.prefill(FEMALE).text


def test_a_protected_child_hands_the_form_over_and_is_told_of_nowhere(town: Town) -> None:
    family(town)
    before = town.prefill(FEMALE)
    town.say("navet", {"PersonNr": CHILD, "SkyddadFolkbokforing": "J"})
    after = town.prefill(FEMALE)
    assert after.json()["form"]["handed_over"] is True
    assert set(filled(after)) == set(filled(before))
    assert not any(value for value in filled(after).values())
    relatives = town.search(FEMALE, "e-services").json()
    child = town.world.readings.person_id(CHILD)
    assert child is not None
    assert child not in str(relatives)
    assert len(relatives["wards"]) == 1


def test_readers_of_employees_get_the_same_bytes_and_no_notice_when_the_employee_becomes_a_guardian(town: Town) -> None:
    town.say("navet", post(FEMALE, "Greta"), post(CHILD, "Cia"))
    town.say("hr", row("E1", FEMALE))
    before = {client: town.search(FEMALE, client) for client in ("intranet", "payroll")}
    cursors = {client: town.changes(client)["cursor"] for client in before}
    town.at("2026-09-02T08:00:00")
    town.say("navet", {"PersonNr": FEMALE, "Relationer": [guardian_of(CHILD)]})
    assert "0.child-name" in filled(town.prefill(FEMALE))
    for client, answer in before.items():
        now = town.search(FEMALE, client)
        assert answer.status_code == now.status_code == 200
        assert (now.content, now.headers["etag"]) == (answer.content, answer.headers["etag"])
        assert town.changes(client, cursors[client])["changes"] == []


def test_somebody_who_is_a_guardian_only_is_not_known_to_readers_of_employees(town: Town) -> None:
    family(town)
    nobody = town.search(SIBLING, "intranet")
    found = town.search(FEMALE, "intranet")
    assert found.status_code == nobody.status_code == 404
    assert found.content == nobody.content
