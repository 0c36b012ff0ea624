"""The metrics of execution: a closed, typed list. Labels name targets, lanes and outcomes, never a person."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


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
    LATE = "late"  # the lease was lost: the result does not count


class ExecuteMetrics:
    """All there is. Each process has its own registry; `text()` is the Prometheus exposition format."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.queue = Gauge("kallan_execute_queue", "Changes that wait", ["target", "lane"], registry=self.registry)
        self.operations = Counter(
            "kallan_execute_operations",
            "Attempts by what became of them",
            ["target", "outcome"],
            registry=self.registry,
        )
        self.call_seconds = Histogram(
            "kallan_execute_call_seconds",
            "Duration of a target call",
            ["target"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.oldest_revocation_seconds = Gauge(
            "kallan_execute_oldest_revocation_seconds",
            "Age of the oldest protection or disabling that waits; 0: none waits",
            ["target"],
            registry=self.registry,
        )
        self.breaker = Gauge(
            "kallan_execute_breaker", "0 closed, 1 half open, 2 open", ["target"], registry=self.registry
        )

    def text(self) -> bytes:
        return generate_latest(self.registry)
