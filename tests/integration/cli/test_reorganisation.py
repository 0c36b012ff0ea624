"""`kallan reorganisation` over the direct world: looked at, told, decided, and in effect on its day for accounts too."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.targets.port import Presence
from deploy import reorganisation
from deploy.settings import CONFIG
from deploy.wiring import sources
from deploy.wiring.data import read_register

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Kallan, Town

UNIT, NEW = "unit:kommun:1100", "unit:kommun:1190"
RENAMED = {"orgId": "1100", "orgName": "Hemtjänst Norr", "nodeFrom": "2020-01-01", "nodeTo": "2026-09-30"}
ADDED = {"orgId": "1190", "orgName": "Hemtjänst", "nodeFrom": "2026-10-01"}


def draft(folder: Path, *rows: dict[str, str], parent: str = "") -> Path:
    head = {"format": "org-draft.v1", "extractedAt": "2026-09-01T07:00:00Z", "total": False}
    head |= {"draftId": "omorg-1", "takesEffect": "2026-10-01", "decision": "KS 2026/0200", "title": "En hemtjänst"}
    lines = [head, *({**row, "parentId": parent} for row in rows), {"end": True, "count": len(rows)}]
    path = folder / "draft.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_draft_is_loaded_looked_at_and_thrown_away(town: Town, kallan: Kallan, tmp_path: Path) -> None:
    loaded = kallan("reorganisation", "load", str(draft(tmp_path, RENAMED, ADDED)))
    assert (loaded.code, loaded.err) == (0, "")
    assert "omorg-1: 2 units on 2026-10-01" in loaded.out
    assert (
        f"to know: {UNIT}: employments stand on a closed unit (employment:kommun:E1, employment:kommun:E2)"
        in loaded.out
    )
    verified = kallan("reorganisation", "verify", "omorg-1", "--json")
    assert (verified.code, [one["code"] for one in verified.data["findings"]]) == (0, ["employments-left"])
    assert [one["state"] for one in kallan("reorganisation", "list", "--json").data] == ["draft"]
    assert kallan("reorganisation", "void", "omorg-1", "--by", "karin").code == 0
    assert "omorg-1  void  2026-10-01  2 units  En hemtjänst" in kallan("reorganisation", "list").out
    again = kallan("reorganisation", "void", "omorg-1", "--by", "karin")
    assert again.code == 2
    assert "draft.state" in again.err


def test_what_would_not_hold_together_is_told_and_not_committed(town: Town, kallan: Kallan, tmp_path: Path) -> None:
    loaded = kallan("reorganisation", "load", str(draft(tmp_path, ADDED, parent="1234")))
    assert loaded.code == 1
    assert f"wrong: {NEW}: a unit above it is not known (unit:kommun:1234)" in loaded.out
    refused = kallan("reorganisation", "verify", "omorg-1")
    assert refused.code == 1
    assert "There are no drafts." not in kallan("reorganisation", "list").out
    missing = kallan("reorganisation", "verify", "omorg-9")
    assert missing.code == 2
    assert "resource.unknown" in missing.err


def test_what_is_wrong_with_the_organisation_as_it_stands_is_told(town: Town, kallan: Kallan) -> None:
    assert kallan("reorganisation", "check").code == 0
    circle = [{"orgId": "1100", "orgName": "Hemtjänst Norr", "nodeFrom": "2020-01-01", "parentId": "1190"}]
    circle += [{"orgId": "1190", "orgName": "Hemtjänst", "nodeFrom": "2020-01-01", "parentId": "1100"}]
    town.world.feed("organisation", circle, total=False)
    town.world.settle()
    told = kallan("reorganisation", "check", "--on", "2026-09-02", "--json")
    assert told.code == 1
    assert [(one["unit"], one["code"]) for one in told.data["findings"]] == [(UNIT, "cycle"), (NEW, "cycle")]


def test_on_its_day_people_who_were_left_behind_keep_their_accounts(town: Town, kallan: Kallan, tmp_path: Path) -> None:
    world = town.world
    kallan("reorganisation", "load", str(draft(tmp_path, RENAMED, ADDED)))
    register = read_register(CONFIG / "sources.yml")
    edge = sources.edge(world.base, world.bus)
    reorganisation.commit(edge, world.readings.reader, register, "omorg-1", "karin")
    world.settle()
    world.set_clock(dt.datetime(2026, 10, 1, 8, tzinfo=dt.UTC))
    world.settle()
    old, new = world.readings.reader.unit(UNIT), world.readings.reader.unit(NEW)
    assert old is not None
    assert new is not None
    assert (old.exists(dt.date(2026, 10, 1)), new.exists(dt.date(2026, 10, 1))) == (False, True)
    accounts = list(world.targets["directory"].read_all())
    assert accounts
    assert all(one.state.presence is Presence.ENABLED for one in accounts)
