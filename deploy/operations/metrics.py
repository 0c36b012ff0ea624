"""The closed list of metrics: all that any process shows. `docs/metrics.md` is generated from it."""

from iam.execute import metrics as execution
from mmd.api import metrics as api
from streams import worker_metrics
from streams.metrics import Kind, Label, Metric

DOCUMENT_LANE = Label("lane", "a lane of the relay", frozenset(("urgent", "bulk")))

DIRTY = Metric("kallan_dirty_documents", Kind.GAUGE, "Documents that wait to be published", (DOCUMENT_LANE,))
DIRTY_OLDEST = Metric(
    "kallan_dirty_oldest_seconds",
    Kind.GAUGE,
    "Age of the oldest document that waits; 0: none",
    (DOCUMENT_LANE,),
    "urgent above 10, bulk above 600",
)
DOCUMENTS_DUE = Metric("kallan_documents_due", Kind.GAUGE, "Documents whose content changes by a date that has come")
PERSONS_DUE = Metric("kallan_persons_due", Kind.GAUGE, "Persons whose evaluation is due")
PERSONS_OLDEST = Metric(
    "kallan_persons_due_oldest_seconds",
    Kind.GAUGE,
    "For how long the longest due evaluation has been due, by the business clock; 0: none",
    alarm="above 600",
)
FACTS = Metric("kallan_account_facts", Kind.GAUGE, "Account facts (uid, mail, ePPN) that wait to be delivered")
FACTS_OLDEST = Metric(
    "kallan_account_facts_oldest_seconds",
    Kind.GAUGE,
    "Age of the oldest account fact that waits; 0: none",
    alarm="above 300: new accounts are not made meanwhile",
)

OWN = (DIRTY, DIRTY_OLDEST, DOCUMENTS_DUE, PERSONS_DUE, PERSONS_OLDEST, FACTS, FACTS_OLDEST)

SHOWN_BY = {
    "every worker": worker_metrics.METRICS[:5] + (worker_metrics.KEY_MISSES,),
    "ingest and evaluate": (worker_metrics.RECORDS, worker_metrics.LAG, worker_metrics.LETTERS, worker_metrics.BRAKE),
    "relay": (DIRTY, DIRTY_OLDEST, DOCUMENTS_DUE),
    "evaluate, bulk": (PERSONS_DUE, PERSONS_OLDEST),
    "execute": (*execution.METRICS, FACTS, FACTS_OLDEST),
    "api": api.METRICS,
}
"""The list by the process that shows it."""

ALL: tuple[Metric, ...] = tuple(metric for metrics in SHOWN_BY.values() for metric in metrics)


def page() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "A closed list, generated from `deploy/operations/metrics.py`: there are no others. A label names a kind of thing,",
        "never a person; a value that is not known beforehand is counted as `other`.",
        "",
        "Every worker serves `/metrics`, `/health` (the process lives) and `/ready` (work moves) on `KALLAN_METRICS_PORT`,",
        "the API on its own port. The alarm is a hint to begin with.",
        "",
    ]
    for who, metrics in SHOWN_BY.items():
        lines += [
            f"## {who[0].upper()}{who[1:]}",
            "",
            "| metric | type | labels | meaning | alarm |",
            "|---|---|---|---|---|",
        ]
        for one in metrics:
            labels = ", ".join(f"`{label.name}`" for label in one.labels)
            lines.append(f"| `{one.name}` | {one.kind.value} | {labels} | {one.meaning} | {one.alarm} |")
        lines.append("")
    lines += ["## Labels", "", "| label | is | values |", "|---|---|---|"]
    seen: set[tuple[str, str]] = set()
    for label in (label for one in ALL for label in one.labels):
        if (label.name, label.of) not in seen:
            seen.add((label.name, label.of))
            lines.append(f"| `{label.name}` | {label.of} | {_values(label)} |")
    return "\n".join(lines) + "\n"


def _values(label: Label) -> str:
    if label.values is None:
        return "those of the settings, `other`"
    if len(label.values) > 20:
        return "all there are, `other`"
    return ", ".join(f"`{value}`" for value in sorted(label.values)) + ", `other`"
