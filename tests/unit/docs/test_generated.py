"""Generated files: what is stale is found, and the codes are whole."""

from pathlib import Path

import pytest

from deploy.checks import generated
from streams.contracts.errors import TEXTS, ErrorText


@pytest.mark.parametrize(("code", "text"), sorted(TEXTS.items()), ids=sorted(TEXTS))
def test_every_error_code_says_what_it_means_in_two_languages(code: str, text: ErrorText) -> None:
    assert text.en.endswith(".")
    assert text.sv.endswith(".")
    assert text.en != text.sv
    assert 400 <= text.status < 600


def test_what_is_missing_or_differs_is_stale_until_it_is_written(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    for name in ("docs/sparbarhet/krav.yml", "docs/sparbarhet/principer.yml", "docs/krav-pa-malsystem.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((root / name).read_bytes())
    written = generated.write(tmp_path)
    assert "docs/flows.md" in written
    assert generated.stale(tmp_path) == []
    (tmp_path / "docs" / "flows.md").write_text("# Flows\n", encoding="utf-8")
    (tmp_path / "docs" / "settings.md").unlink()
    assert [line.partition(":")[0] for line in generated.stale(tmp_path)] == ["docs/settings.md", "docs/flows.md"]
