"""What the API measures. No label could name a person: routes are templates, releases and forms those of the settings."""

from streams.metrics import Kind, Label, Metric

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

ROUTE = Label("route", "the template of an address of the API", None)
METHOD = Label("method", "an HTTP method", METHODS)
STATUS = Label(
    "status", "an HTTP status, `none` where the client left", frozenset(map(str, range(100, 600))) | {"none"}
)
RELEASE = Label("release", "a release of the settings", None)
FORM = Label("form", "a form of the settings", None)
ASKED = Label("asked", "whether a field had to be asked", frozenset(("yes", "no")))

REQUESTS = Metric(
    "kallan_api_requests_total",
    Kind.COUNTER,
    "Requests by route template, method and status",
    (ROUTE, METHOD, STATUS),
    "rate of 5xx above 0 for 5 minutes",
)
SECONDS = Metric(
    "kallan_api_request_seconds",
    Kind.HISTOGRAM,
    "Time to answer by route template",
    (ROUTE,),
    "99th percentile above 1 s",
)
DISCLOSURES = Metric("kallan_api_disclosures_total", Kind.COUNTER, "Answers about a person, by release", (RELEASE,))
QUESTIONS = Metric(
    "kallan_prefill_fields_total",
    Kind.COUNTER,
    "Fields of prefilled forms, by form and whether they had to be asked",
    (FORM, ASKED),
)

METRICS = (REQUESTS, SECONDS, DISCLOSURES, QUESTIONS)
