"""What every use of librdkafka here shares: its settings, how its errors are told, and records as messages."""

import logging
import time
from typing import Any

import confluent_kafka as ck

from streams.broker import MECHANISM, Bootstrap, broker_of
from streams.contracts.errors import Unavailable
from streams.envelope import Message

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
"""How long the broker is waited for in one question to it."""

_SAY_EVERY = 5.0


def settings(bootstrap: Bootstrap, more: dict[str, str | int | bool] | None = None) -> dict[str, Any]:
    # librdkafka's own log lines go to stderr past our logging: what matters in them reaches us as errors too.
    broker = broker_of(bootstrap)
    found: dict[str, Any] = {"bootstrap.servers": broker.address, "log_level": 2}
    if broker.user:
        found |= {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": MECHANISM,
            "sasl.username": broker.user,
            "sasl.password": broker.password,
        }
        if broker.ca_file:
            found["ssl.ca.location"] = broker.ca_file
    return found | (more or {})


def error_name(error: Any) -> str:
    """Kafka's name of an error (`_TRANSPORT`, `NOT_LEADER_FOR_PARTITION`); its text may hold more than we want to say."""
    found = error.args[0] if isinstance(error, ck.KafkaException) else error
    return str(found.name()) if isinstance(found, ck.KafkaError) else type(error).__name__


def away(error: Any, doing: str) -> Unavailable:
    return Unavailable("service.unavailable", f"Kafka: {doing}: {error_name(error)}")


class Outages:
    """Says that the broker does not answer: a clear line, not one for every attempt of the library."""

    def __init__(self, bootstrap: Bootstrap) -> None:
        self._bootstrap = str(bootstrap)
        self._said = float("-inf")

    def __call__(self, error: ck.KafkaError) -> None:
        if time.monotonic() - self._said >= _SAY_EVERY:
            self._said = time.monotonic()
            log.warning("Kafka at %s does not answer (%s); trying again", self._bootstrap, error.name())


def text(raw: bytes | str | None) -> str:
    """Text as it was read; what is not UTF-8 becomes replacement characters, which no check of ours lets through."""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw or ""


def message_of(record: ck.Message) -> Message:
    """A record as it was read."""
    return Message(
        str(record.topic()),
        text(record.key()),
        record.value(),
        {str(name): text(value) for name, value in list(record.headers() or [])},
        int(record.partition() or 0),
        int(record.offset() or 0),
    )
