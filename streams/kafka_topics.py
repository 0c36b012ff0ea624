"""Our topics in Kafka: made and kept as the catalogue says."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import confluent_kafka as ck
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from streams.broker import Bootstrap
from streams.catalogue import TOPICS, Cleanup, Topic
from streams.contracts.errors import Unavailable
from streams.kafka_client import ANSWER_SECONDS, away, error_name, settings

log = logging.getLogger(__name__)

_SAY_EVERY = 5.0
_ANEW_AFTER = 10.0


class _Asking:
    """A client that is made anew every ten seconds for as long as it is asked in vain: one that was told of no brokers at
    all, as a broker that was away for a moment tells of itself, never asks again (librdkafka, issue 5301)."""

    def __init__(self, bootstrap: Bootstrap) -> None:
        self._bootstrap = bootstrap
        self._made = float("-inf")

    def client(self) -> AdminClient:
        if time.monotonic() - self._made > _ANEW_AFTER:
            self._made = time.monotonic()
            self._admin = AdminClient(settings(self._bootstrap))
        return self._admin


def create_topics(
    bootstrap: Bootstrap,
    *,
    partitions: int = 24,
    replication: int = 1,
    topics: Sequence[Topic] = TOPICS,
    timeout: float = 60.0,
) -> None:
    """Make every topic of the catalogue that is missing, bring the settings of the others up to date, and wait until all
    have leaders. The number of partitions of a topic never changes (keys would move). Safe to run at any time.

    Raises `Unavailable` if that was not done within `timeout` seconds.
    """
    asking = _Asking(bootstrap)
    deadline, said = time.monotonic() + timeout, 0.0
    while True:
        try:
            admin = asking.client()
            present = admin.list_topics(timeout=min(5.0, timeout)).topics
            missing = [topic for topic in topics if topic.name not in present]
            ready = [topic for topic in topics if topic.name in present and _has_leaders(present[topic.name])]
            if len(ready) == len(topics):
                _alter(admin, topics)
                return
            _create(admin, missing, partitions, replication)
        except ck.KafkaException as error:
            if time.monotonic() - said >= _SAY_EVERY:
                said = time.monotonic()
                log.warning(
                    "Kafka at %s does not answer (%s); waiting to create topics", str(bootstrap), error_name(error)
                )
            if time.monotonic() > deadline:
                raise away(error, "create topics") from None
        if time.monotonic() > deadline:
            raise Unavailable("service.unavailable", "Kafka: topics have no leaders")
        time.sleep(0.1)


def wait_for_topics(bootstrap: Bootstrap, topics: Sequence[str], *, stop: threading.Event) -> None:
    """Returns when every topic exists and has leaders, or when `stop` is set. A worker that started earlier would leave
    out a topic that is not there yet."""
    asking = _Asking(bootstrap)
    said = float("-inf")
    while not stop.is_set():
        try:
            present = asking.client().list_topics(timeout=1.0).topics
            missing = [name for name in topics if name not in present or not _has_leaders(present[name])]
            why = f"has no topic {', '.join(missing)} yet"
        except ck.KafkaException as error:
            missing, why = list(topics), f"does not answer ({error_name(error)})"
        if not missing:
            return
        if time.monotonic() - said >= _SAY_EVERY:
            said = time.monotonic()
            log.warning("Kafka at %s %s; waiting", str(bootstrap), why)
        stop.wait(0.25)


def _has_leaders(found: Any) -> bool:
    return found.error is None and all(part.leader >= 0 and part.error is None for part in found.partitions.values())


def _config(topic: Topic) -> dict[str, str]:
    compact = topic.cleanup is Cleanup.COMPACT
    config = {"cleanup.policy": topic.cleanup.value, "retention.ms": str(topic.retention_ms)}
    return {**config, "max.compaction.lag.ms": str(24 * 3600 * 1000)} if compact else config


def _create(admin: AdminClient, topics: Sequence[Topic], partitions: int, replication: int) -> None:
    new = [NewTopic(one.name, partitions, replication, config=_config(one)) for one in topics]
    for future in admin.create_topics(new).values() if new else ():
        try:
            future.result(ANSWER_SECONDS)
        except ck.KafkaException as error:
            if error.args[0].code() != ck.KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def _alter(admin: AdminClient, topics: Sequence[Topic]) -> None:
    """Retention and compaction as the catalogue says, also for a topic that was there before."""
    resources = []
    for topic in topics:
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in _config(topic).items()
        ]
        resources.append(ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=entries))
    for future in admin.incremental_alter_configs(resources).values():
        future.result(ANSWER_SECONDS)
