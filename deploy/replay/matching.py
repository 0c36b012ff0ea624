"""Partial matching: what is not written is not asserted."""

from typing import Any


def differences(want: Any, got: Any, path: str = "") -> list[str]:
    """Where `got` does not hold what `want` demands, as lines `path: want ..., got ...`.

    A mapping must be contained; each item of a list must match some item of the other list; None means absent or empty;
    everything else must be equal.
    """
    if want is None:
        return [] if got in (None, "", [], {}, ()) else [f"{path}: want nothing, got {got!r}"]
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return [f"{path}: want a mapping, got {got!r}"]
        found: list[str] = []
        for key, item in want.items():
            found += differences(item, got.get(key), f"{path}.{key}" if path else str(key))
        return found
    if isinstance(want, list):
        if not isinstance(got, list):
            return [f"{path}: want a list, got {got!r}"]
        if not want and got:
            return [f"{path}: want an empty list, got {got!r}"]
        return [
            f"{path}: want an item like {item!r}, got {got!r}"
            for item in want
            if not any(not differences(item, candidate) for candidate in got)
        ]
    return [] if want == got else [f"{path}: want {want!r}, got {got!r}"]
