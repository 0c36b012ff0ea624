"""Keys that are asked for and are not there are counted by why; asking whether the keys answer is not."""

from __future__ import annotations

from pathlib import Path

from deploy.settings import Settings
from deploy.wiring.base import Base
from streams.keys import NOBODY
from streams.sealing import KeyClass, KeyState


def test_each_kind_of_missing_key_is_counted(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text("ab" * 32)
    settings = Settings.model_validate({"database_url": database_url, "secrets": tmp_path, "demo": True})
    base = Base(settings, "relay")
    keys = base.keys
    old = keys.current(KeyClass.OUTER, {"a", "b"})
    keys.renew(KeyClass.OUTER, "a")
    keys.destroy_older(KeyClass.OUTER, "a")
    keys.erase({"b"})
    keys.find({old["a"].id, old["b"].id, "outer/c/1", "outer/d/1", f"inner/{NOBODY}/1"})
    live = keys.current(KeyClass.OUTER, {"a"})["a"].id
    keys.find({live})
    counts = {state: base.meter.value("kallan_key_misses_total", state=state.value) for state in KeyState}
    base.close()
    assert counts == {KeyState.RENEWED: 1, KeyState.ERASED: 1, KeyState.UNKNOWN: 2}
