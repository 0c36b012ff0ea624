"""Secrets that the embedded stack makes for itself: one file each, readable by its owner alone, made once."""

import contextlib
import os
import secrets
from pathlib import Path


def secret(path: Path, size: int = 24) -> str:
    """The secret in this file, made on first use: URL-safe text of `size` random bytes. Two callers at once get the same."""
    while not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        making = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(size))
        with contextlib.suppress(FileExistsError):  # another made it first: theirs counts
            path.hardlink_to(making)
        making.unlink()
    return path.read_text().strip()
