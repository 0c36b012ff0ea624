"""The metrics of execution. Labels name targets, lanes and outcomes, never a person."""

from enum import StrEnum

from iam.domain.account import Lane
from streams.metrics import Kind, Label, Metric


class Outcome(StrEnum):
    """What became of one attempt; also the word in the journal and in `kallan explain`."""

    DONE = "done"  # the target was asked and its read-back is what was desired
    UNCHANGED = "unchanged"  # read-back: the target already was as desired, nothing was asked
    READ = "read-back"  # what became of an earlier attempt was read; the decision follows from it
    NOTHING = "nothing"  # a join and a leave before any attempt: nothing to do
    WAITS = "waits"  # done, but for a reference to an account that the target does not have yet
    PARTIAL = "partial"  # the allowed part is done, the rest is held by the brake
    HELD = "held"  # nothing may happen now
    REFUSED = "refused"  # the target refused
    DIFFERS = "differs"  # the target said yes and its read-back says something else
    UNREACHABLE = "unreachable"  # nothing was sent
    UNKNOWN = "unknown"  # sent, and no answer in time: read back first
    UNREADABLE = "unreadable"  # the desired state cannot be opened with the keys there are
    LATE = "late"  # the lease was lost, or a late call came in between: the result does not count


TARGET = Label("target", "a target of the settings", None)
LANE = Label("lane", "a lane of execution", frozenset(Lane))
OUTCOME = Label("outcome", "what became of an attempt", frozenset(Outcome))

QUEUE = Metric("kallan_execute_queue", Kind.GAUGE, "Changes that wait, whatever they wait for", (TARGET, LANE))
OLDEST = Metric(
    "kallan_execute_oldest_seconds", Kind.GAUGE, "Age of the oldest change that waits; 0: none", (TARGET, LANE)
)
OPERATIONS = Metric(
    "kallan_execute_operations_total",
    Kind.COUNTER,
    "Attempts by what became of them",
    (TARGET, OUTCOME),
    "rate of refused, differs or unreadable above 0 for 10 minutes",
)
CALL_SECONDS = Metric("kallan_execute_call_seconds", Kind.HISTOGRAM, "Duration of a call that was answered", (TARGET,))
OLDEST_REVOCATION = Metric(
    "kallan_execute_oldest_revocation_seconds",
    Kind.GAUGE,
    "Age of the oldest protection or disabling that waits; 0: none waits",
    (TARGET,),
    "above 60",
)
BREAKER = Metric(
    "kallan_execute_breaker", Kind.GAUGE, "0 closed, 1 half open, 2 open", (TARGET,), "above 0 for 5 minutes"
)

METRICS = (QUEUE, OLDEST, OPERATIONS, CALL_SECONDS, OLDEST_REVOCATION, BREAKER)
