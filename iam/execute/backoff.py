"""How long a row waits after a failure: seconds, growing to a cap. Nothing is ever dropped."""

from iam.execute.metrics import Outcome

_FIRST_AND_CAP = {
    # the breaker paces calls to a target that is away; the row itself must be ready when the target is back, so that
    # the order on return is that of the lanes and not that of who happened to wait
    Outcome.UNREACHABLE: (0.1, 1.0),
    Outcome.UNKNOWN: (0.5, 30.0),
    Outcome.REFUSED: (5.0, 3600.0),
    Outcome.DIFFERS: (5.0, 3600.0),
    Outcome.UNREADABLE: (1.0, 60.0),
    Outcome.HELD: (5.0, 30.0),
    Outcome.PARTIAL: (5.0, 30.0),
}
REVOCATION_CAP = 60.0
"""A protection, a disabling or a removal from a group is tried at least this often (SM5: retried for ever)."""


def delay(outcome: Outcome, failures: int, *, revocation: bool) -> float:
    """Seconds until the next try after the `failures`-th failure in a row (1 is the first)."""
    first, cap = _FIRST_AND_CAP[outcome]
    if revocation:
        cap = min(cap, REVOCATION_CAP)
    return float(min(first * 2 ** min(max(failures - 1, 0), 30), cap))
