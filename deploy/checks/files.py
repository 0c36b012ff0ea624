"""The files of a tree, as git knows them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path


def tracked(root: Path) -> Iterator[Path]:
    """Files that git tracks, or would track; every file where there is no repository."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        yield from sorted(path for path in root.rglob("*") if path.is_file())
        return
    for name in sorted(set(listed.split("\0")) - {""}):
        if (root / name).exists():
            yield root / name
