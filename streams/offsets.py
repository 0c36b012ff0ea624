"""Where consumer groups stand in the log, written down and set back: what a restored store needs.

Reading something again is harmless (claims and document versions de-duplicate); not reading it would lose it.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import confluent_kafka as ck

from streams.broker import Bootstrap
from streams.contracts.errors import Rejected, Unavailable
from streams.kafka_client import ANSWER_SECONDS, away, settings

Offsets = dict[str, dict[str, dict[int, int]]]
"""The offset that is read next, by group, topic and partition."""

_IN_USE = frozenset(("UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION"))


def committed(bootstrap: Bootstrap, groups: Mapping[str, Sequence[str]]) -> Offsets:
    """As they are now; a partition that a group never committed is at its beginning.

    Raises `Unavailable` where the broker does not answer, `Rejected("resource.unknown")` for a topic that is not there.
    """
    found: Offsets = {}
    for group, topics in groups.items():
        with _asker(bootstrap, group) as asker:
            parts = asker.committed(_partitions(asker, topics), ANSWER_SECONDS)
        found[group] = _by_topic((one.topic, one.partition, max(0, one.offset)) for one in parts)
    return found


def at(bootstrap: Bootstrap, groups: Mapping[str, Sequence[str]], instant: dt.datetime) -> Offsets:
    """The first record of each partition that was written at this instant (UTC) or later; its end where there is none."""
    found: Offsets = {}
    milliseconds = int(instant.timestamp() * 1000)
    with _asker(bootstrap, f"kallan-read-{uuid.uuid4().hex}") as asker:
        for group, topics in groups.items():
            wanted = [ck.TopicPartition(one.topic, one.partition, milliseconds) for one in _partitions(asker, topics)]
            told = asker.offsets_for_times(wanted, ANSWER_SECONDS)
            found[group] = _by_topic(
                (one.topic, one.partition, one.offset if one.offset >= 0 else _end(asker, one)) for one in told
            )
    return found


def rewind(bootstrap: Bootstrap, offsets: Offsets) -> None:
    """Make each group read from there. Never forward: a group that stands before such an offset stays where it is.

    Raises `Rejected("group.in-use")` where a worker of a group runs; what was set before that stays set.
    """
    now = committed(bootstrap, {group: list(topics) for group, topics in offsets.items()})
    for group, topics in offsets.items():
        wanted = [
            ck.TopicPartition(topic, part, min(offset, now[group][topic].get(part, offset)))
            for topic, parts in topics.items()
            for part, offset in parts.items()
        ]
        with _asker(bootstrap, group) as asker:
            try:
                asker.commit(offsets=wanted, asynchronous=False)
            except ck.KafkaException as error:
                if error.args[0].name() in _IN_USE:
                    raise Rejected("group.in-use", group) from None
                raise


@contextmanager
def _asker(bootstrap: Bootstrap, group: str) -> Iterator[ck.Consumer]:
    """A consumer with the group's name that never joins it."""
    asker = ck.Consumer(settings(bootstrap, {"group.id": group, "enable.auto.commit": False}))
    try:
        yield asker
    except ck.KafkaException as error:
        raise away(error, "offsets") from None
    finally:
        asker.close()


def _partitions(asker: ck.Consumer, topics: Sequence[str]) -> list[ck.TopicPartition]:
    present = asker.list_topics(timeout=ANSWER_SECONDS).topics
    for topic in topics:
        if topic not in present or present[topic].error is not None:
            raise Rejected("resource.unknown", f"topic {topic}")
    return [ck.TopicPartition(topic, number) for topic in topics for number in sorted(present[topic].partitions)]


def _end(asker: ck.Consumer, part: ck.TopicPartition) -> int:
    marks = asker.get_watermark_offsets(part, ANSWER_SECONDS)
    if marks is None:
        raise Unavailable("service.unavailable", f"Kafka: {part.topic}: no answer in time")
    return int(marks[1])


def _by_topic(parts: Iterator[tuple[str, int, int]]) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for topic, number, offset in parts:
        found.setdefault(topic, {})[number] = offset
    return found
