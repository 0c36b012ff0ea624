"""The packages keep to their layers, and no municipality stands in the code."""

import re
import subprocess
import sys
from pathlib import Path

from deploy.checks.files import tracked

ROOT = Path(__file__).parents[3]
_MUNICIPALITIES = re.compile(r"g[öo]teborg|helsingborg|malm[öo]|stockholms? (?:stad|kommun)|uppsala", re.IGNORECASE)
_PRODUCT = ("connectors", "iam", "mmd", "streams", "deploy")
_ABOUT_DOCUMENTS = ROOT / "deploy" / "docs"  # names the publishers of what is asked for


def test_no_package_reaches_past_its_layer() -> None:
    """Among others: no target connector knows a source connector, and provisioning never reads the master's store."""
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_municipality_is_named_in_the_code_or_its_data() -> None:
    files = [path for path in tracked(ROOT) if path.relative_to(ROOT).parts[0] in _PRODUCT and path.is_file()]
    searched = [path for path in files if not path.is_relative_to(_ABOUT_DOCUMENTS)]
    assert len(searched) > 100
    assert [path for path in searched if _MUNICIPALITIES.search(path.read_text("utf-8", errors="replace"))] == []
