"""Secrets that the embedded stack makes for itself: one file each, readable by its owner alone, made once."""

import contextlib
import os
import secrets
from pathlib import Path


def secret(path: Path, size: int = 32) -> str:
    """The secret in this file, made on first use: URL-safe text of `size` random bytes. Two callers at once get the same."""
    return kept(path, secrets.token_urlsafe(size))


def key(path: Path, size: int = 32) -> str:
    """The key in this file, made on first use: `size` random bytes as hexadecimal digits."""
    return kept(path, secrets.token_hex(size))


def put(path: Path, value: str) -> None:
    """Keep a secret that was given to us, in place of what the file held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    making = _written(path, value)
    making.replace(path)


def kept(path: Path, fresh: str) -> str:
    """What the file holds; `fresh` is put there if it does not exist yet."""
    while not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        making = _written(path, fresh)
        with contextlib.suppress(FileExistsError):  # another made it first: theirs counts
            path.hardlink_to(making)
        making.unlink()
    return path.read_text().strip()


def _written(path: Path, value: str) -> Path:
    making = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(value)
    return making
