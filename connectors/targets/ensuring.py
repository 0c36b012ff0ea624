"""What `ensure` is in every target: read, write on what was read, and again when somebody else wrote in between."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from connectors.targets.port import Observed
from streams.contracts.errors import Rejected, Unavailable

T = TypeVar("T")

_TRIES = 3


class Contended(Exception):
    """Somebody else wrote the same account since it was read, or it is gone: read again."""


def persistently(name: str, once: Callable[[], Observed]) -> Observed:
    """The outcome of `once`, called again from its start when it raises `Contended`. Raises
    `Unavailable("target.unknown-outcome")` where that does not end: an earlier round may have done a part."""
    for _ in range(_TRIES):
        try:
            return once()
        except Contended:
            continue
    raise Unavailable("target.unknown-outcome", f"{name}: another writer in between")


def only(name: str, found: Sequence[T]) -> T | None:
    """The one account with a key, or None. Two are refused: nobody can know which is meant."""
    if len(found) > 1:
        raise Rejected("target.refused", f"{name}: more than one account has this key")
    return found[0] if found else None


def uid_taken(name: str) -> Rejected:
    return Rejected("target.refused", f"{name}: uid belongs to another account")
