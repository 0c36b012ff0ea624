"""`make check`, the part that is ours: generated files are fresh, documents lead to what is there, no real personnummer,
no address of a package registry."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.checks import generated, personnummer, references, traces
from deploy.checks.files import tracked

ROOT = Path(__file__).resolve().parents[2]
_REGISTRY = re.compile(
    r"https?://[\w.-]*\b(?:registry|pypi|repo\d?|files|static|deb|proxy)\.[\w.-]+|https?://[\w.-]+/(?:simple|maven2)/",
    re.I,
)
_LOCKS = {"uv.lock", "package-lock.json", "poetry.lock", "pdm.lock"}


def registry_addresses(root: Path) -> list[str]:
    """Files that record where packages came from: only names, versions and hashes belong in the tree."""
    found = []
    for path in tracked(root):
        if path.name in _LOCKS:
            found.append(f"{path.relative_to(root)}: a lock file that records addresses")
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if _REGISTRY.search(line):
                found.append(f"{path.relative_to(root)}:{number}: address of a package registry")
    return found


CHECKS: dict[str, Callable[[Path], list[str]]] = {
    "personnummer guard": personnummer.find,
    "registry addresses": registry_addresses,
    "generated files": generated.stale,
    "links of documents": references.broken_links,
    "files that documents name": references.broken_references,
    "requirements, principles and demands": traces.broken,
}


def main() -> int:
    if "--write" in sys.argv[1:]:
        for path in generated.write(ROOT):
            print(f"wrote {path}")
        return 0
    bad = 0
    for name, check in CHECKS.items():
        found = check(ROOT)
        bad += len(found)
        print(f"{name}: {'ok' if not found else f'{len(found)} found'}")
        for line in found:
            print(f"  {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
