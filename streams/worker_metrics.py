"""What every worker measures, and what those measure that read topics."""

from streams.catalogue import TOPICS
from streams.contracts.errors import TEXTS
from streams.metrics import Kind, Label, Metric
from streams.sealing import KeyState

TOPIC = Label("topic", "a topic of the catalogue", frozenset(topic.name for topic in TOPICS))
CODE = Label("code", "an error code", frozenset(TEXTS))
PART = Label(
    "part", "a part of a worker that works by itself: messages, documents, timers, account-facts, or a target", None
)
FATE = Label("fate", "what became of a record", frozenset(("handled", "rejected", "left")))
KEY_STATE = Label("state", "why there is no key", frozenset(KeyState))
VERSION = Label("version", "the version of the program", None)

BUILD = Metric("kallan_build_info", Kind.GAUGE, "Always 1: which version runs", (VERSION,))
READY = Metric(
    "kallan_worker_ready",
    Kind.GAUGE,
    "1: work moves, or there is none; 0: not ready, the code is in the answer of /ready",
    alarm="0 for 2 minutes",
)
PENDING = Metric("kallan_worker_pending", Kind.GAUGE, "Work that could be done now, at the last look", (PART,))
STALLED = Metric(
    "kallan_worker_stalled_seconds",
    Kind.GAUGE,
    "For how long work has waited while nothing moved; 0: it moves",
    (PART,),
    "above KALLAN_STALL_SECONDS",
)
PROGRESS = Metric(
    "kallan_worker_last_progress_timestamp_seconds", Kind.GAUGE, "When work last moved, Unix time; 0: never", (PART,)
)
RECORDS = Metric(
    "kallan_records_total",
    Kind.COUNTER,
    "Records that were read: handled, rejected (now a dead letter), or left in the log by the brake",
    (TOPIC, FATE),
    "rate of rejected above 0 for 10 minutes",
)
LAG = Metric(
    "kallan_consumer_lag",
    Kind.GAUGE,
    "Records that the consumer group has not committed (the whole group: take the maximum over its processes)",
    (TOPIC,),
    "grows for 10 minutes",
)
LETTERS = Metric(
    "kallan_dead_letters",
    Kind.GAUGE,
    "Open dead letters of the consumer group",
    (CODE,),
    "rises, or above 0 for a day",
)
BRAKE = Metric(
    "kallan_dead_letter_brake",
    Kind.GAUGE,
    "How many sources the brake holds in this topic",
    (TOPIC,),
    "above 0",
)
KEY_MISSES = Metric(
    "kallan_key_misses_total",
    Kind.COUNTER,
    "Data keys that were asked for and are not there; renewed is ordinary, erased follows an erasure",
    (KEY_STATE,),
    "unknown rises",
)

METRICS = (BUILD, READY, PENDING, STALLED, PROGRESS, RECORDS, LAG, LETTERS, BRAKE, KEY_MISSES)
