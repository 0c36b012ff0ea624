"""Measurements: every metric is a value of `Metric` in a closed list, and no label value passes that is not known before.

`deploy.operations.metrics.ALL` holds them all and `docs/metrics.md` is generated from it; Prometheus' own library is used
in this file only. A label names a kind of thing (a topic, a lane, a code, a target), never a person: what is not among the
known values of a label is counted as `other`.
"""

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series a counter, which nobody asked for

CONTENT_TYPE = CONTENT_TYPE_LATEST
OTHER = "other"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of durations."""

_FORM = re.compile(r"[A-Za-z0-9/{][A-Za-z0-9_.{}/+-]{0,79}")
_LOOKS_PERSONAL = re.compile(r"[0-9]{6}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-")
"""A run of digits like a number of a person, or the beginning of a UUID."""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Label:
    """`values` are all there are; None: those that the settings name, told by `Meter.know`. `of` says what they are."""

    name: str
    of: str
    values: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` as it is shown (a counter's ends in `_total`); `alarm` says when somebody should be woken, empty: never."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()
    alarm: str = ""

    def __post_init__(self) -> None:
        if (self.kind is Kind.COUNTER) is not self.name.endswith("_total"):
            raise ValueError(f"{self.name}: counters, and no others, end in _total")


class Meter:
    """What one process has measured. Thread-safe; a figure that is never given is not shown."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._made: dict[str, Counter | Gauge | Histogram] = {}
        self._known: dict[str, frozenset[str]] = {}
        self._lock = threading.RLock()

    def know(self, label: Label, values: Iterable[str]) -> None:
        """These values of a label come from the settings. One that could be taken for a number or id of a person is not
        taken, and its figures count as `other`."""
        safe = frozenset(one for one in values if _FORM.fullmatch(one) and not _LOOKS_PERSONAL.search(one))
        with self._lock:
            self._known[label.name] = self._known.get(label.name, frozenset()) | safe

    def count(self, metric: Metric, by: float = 1.0, /, **labels: str) -> None:
        with self._lock:
            made = self._instrument(metric)
            assert isinstance(made, Counter)  # noqa: S101
            (made.labels(**self._values(metric, labels)) if metric.labels else made).inc(by)

    def set(self, metric: Metric, value: float, /, **labels: str) -> None:
        with self._lock:
            made = self._instrument(metric)
            assert isinstance(made, Gauge)  # noqa: S101
            (made.labels(**self._values(metric, labels)) if metric.labels else made).set(value)

    def replace(self, metric: Metric, figures: Mapping[str, float]) -> None:
        """All figures of a gauge with one label, by its value: those that are not given any more are gone."""
        (label,) = metric.labels
        with self._lock:
            made = self._instrument(metric)
            assert isinstance(made, Gauge)  # noqa: S101
            made.clear()
            for value, figure in figures.items():
                made.labels(**self._values(metric, {label.name: value})).inc(figure)

    def observe(self, metric: Metric, seconds: float, /, **labels: str) -> None:
        with self._lock:
            made = self._instrument(metric)
            assert isinstance(made, Histogram)  # noqa: S101
            (made.labels(**self._values(metric, labels)) if metric.labels else made).observe(seconds)

    def text(self) -> bytes:
        """The Prometheus exposition format."""
        with self._lock:
            return generate_latest(self._registry)

    def value(self, name: str, **labels: str) -> float | None:
        """One figure as it would be shown; None: it is not."""
        with self._lock:
            return self._registry.get_sample_value(name, labels)

    def _instrument(self, metric: Metric) -> Counter | Gauge | Histogram:
        made = self._made.get(metric.name)
        if made is None:
            names = [label.name for label in metric.labels]
            if metric.kind is Kind.COUNTER:
                made = Counter(metric.name, metric.meaning, names, registry=self._registry)
            elif metric.kind is Kind.GAUGE:
                made = Gauge(metric.name, metric.meaning, names, registry=self._registry)
            else:
                made = Histogram(metric.name, metric.meaning, names, buckets=SECONDS, registry=self._registry)
            self._made[metric.name] = made
        return made

    def _values(self, metric: Metric, given: Mapping[str, str]) -> dict[str, str]:
        if given.keys() != {label.name for label in metric.labels}:
            raise ValueError(f"{metric.name} has the labels {[label.name for label in metric.labels]}")
        found = {}
        for label in metric.labels:
            known = self._known.get(label.name, frozenset()) if label.values is None else label.values
            found[label.name] = given[label.name] if given[label.name] in known else OTHER
        return found
