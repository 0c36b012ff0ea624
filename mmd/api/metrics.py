"""What the API measures: a closed list, no label that could name a person."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class Metrics:
    """One registry a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "kallan_api_requests_total",
            "Requests by route template, method and status",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "kallan_api_request_seconds", "Time to answer by route template", ("route",), registry=self.registry
        )
        self.disclosures = Counter(
            "kallan_api_disclosures_total", "Answers about a person, by release", ("release",), registry=self.registry
        )
        self.questions = Counter(
            "kallan_prefill_fields_total",
            "Fields of prefilled forms, by form and whether they had to be asked",
            ("form", "asked"),
            registry=self.registry,
        )
