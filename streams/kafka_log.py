"""Reading the log again: one record, a whole topic, and how far each consumer group is behind.

Raises `Unavailable("service.unavailable")` when the broker does not answer, `Rejected("resource.unknown")` when what was
asked for is not there.
"""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, OffsetSpec

from streams.broker import Bootstrap
from streams.contracts.errors import Rejected, Unavailable
from streams.envelope import Message
from streams.kafka_client import ANSWER_SECONDS, away, message_of, settings

_SIP_SECONDS = 0.02
"""librdkafka waits this long for a batch to fill, also when the partition has ended."""


def _reader(bootstrap: Bootstrap) -> ck.Consumer:
    """A consumer that belongs to no group, commits nothing and is told where a partition ends."""
    return ck.Consumer(
        settings(
            bootstrap,
            {
                "group.id": f"kallan-read-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            },
        )
    )


def read_at(
    bootstrap: Bootstrap, topic: str, partition: int, offset: int, *, timeout: float = ANSWER_SECONDS
) -> Message:
    """The one record there. `Rejected("resource.unknown")` if the log no longer (or not yet) holds it."""
    gone = Rejected("resource.unknown", f"{topic}/{partition}/{offset} is not in the log")
    consumer = _reader(bootstrap)
    try:
        if partition not in _partitions(consumer, topic, timeout):
            raise gone
        low, high = _watermarks(consumer, ck.TopicPartition(topic, partition), timeout)
        if not low <= offset < high:
            raise gone
        consumer.assign([ck.TopicPartition(topic, partition, offset)])
        for record in _until_end(consumer, timeout, {partition: offset + 1}):
            if record.offset() == offset:
                return message_of(record)
        raise gone
    except ck.KafkaException as error:
        raise away(error, f"read {topic}") from None
    finally:
        consumer.close()


def dump(bootstrap: Bootstrap, topic: str, *, timeout: float = ANSWER_SECONDS) -> Iterator[Message]:
    """Everything in a topic from its start to where it ends now, in order within a partition.

    Complete or an exception. `timeout`: seconds without an answer after which it raises `Unavailable`.
    """
    consumer = _reader(bootstrap)
    try:
        left: dict[int, int] = {}
        starts = []
        for number in _partitions(consumer, topic, timeout):
            low, high = _watermarks(consumer, ck.TopicPartition(topic, number), timeout)
            if low < high:
                left[number] = high
                starts.append(ck.TopicPartition(topic, number, low))
        consumer.assign(starts)
        for record in _until_end(consumer, timeout, left):
            yield message_of(record)
    except ck.KafkaException as error:
        raise away(error, f"read {topic}") from None
    finally:
        consumer.close()


def _partitions(consumer: ck.Consumer, topic: str, timeout: float) -> list[int]:
    found = consumer.list_topics(timeout=timeout).topics.get(topic)  # naming the topic here could create it
    if found is None or found.error is not None:
        raise Rejected("resource.unknown", f"topic {topic}")
    return sorted(found.partitions)


def _watermarks(consumer: ck.Consumer, partition: ck.TopicPartition, timeout: float) -> tuple[int, int]:
    found = consumer.get_watermark_offsets(partition, timeout=timeout)
    if found is None:
        raise Unavailable("service.unavailable", f"Kafka: read {partition.topic}: no answer in time")
    return found


def _until_end(consumer: ck.Consumer, timeout: float, ends: Mapping[int, int]) -> Iterator[ck.Message]:
    """Records of the assigned partitions until each has reached its end (the offset after its last record)."""
    left = dict(ends)
    heard = time.monotonic()
    while left:
        for record in consumer.consume(500, _SIP_SECONDS):
            heard = time.monotonic()
            number, error = int(record.partition() or 0), record.error()
            if error is not None:
                if error.code() != ck.KafkaError._PARTITION_EOF:
                    raise ck.KafkaException(error)
                left.pop(number, None)
            elif number in left:
                yield record
                if int(record.offset() or 0) >= left[number] - 1:
                    del left[number]
        if time.monotonic() - heard > timeout:
            raise Unavailable("service.unavailable", "Kafka: no answer in time")


class LagMeter:
    """How far consumer groups are behind: when everything is 0 and stays so, the log has been handled.

    What a group has committed is asked by a consumer with its name that never joins it: the same question by the admin
    client kills the process when a broker has just started (docs/decisions/0100). For one thread; `close` when done.
    """

    def __init__(self, bootstrap: Bootstrap) -> None:
        self._bootstrap = bootstrap
        self._admin = AdminClient(settings(bootstrap))
        self._askers: dict[str, ck.Consumer] = {}

    def close(self) -> None:
        askers, self._askers = self._askers, {}
        for asker in askers.values():
            asker.close()

    def read(
        self, groups: Mapping[str, Sequence[str]], *, timeout: float = ANSWER_SECONDS
    ) -> dict[tuple[str, str], int]:
        """Records not yet committed, by (group, topic). A group that never committed is behind by the whole topic.

        Raises `Rejected("resource.unknown")` for a topic that does not exist, `Unavailable` where the broker does not
        answer in time (a new one is still electing the coordinators of its groups).
        """
        try:
            return self._read(groups, timeout)
        except ck.KafkaException as error:
            self._begin_anew()
            raise away(error, "read lag") from None
        except TimeoutError:
            self._begin_anew()
            raise Unavailable("service.unavailable", "Kafka: no answer about consumer groups in time") from None

    def _begin_anew(self) -> None:
        """The next question is asked by new clients: one that was told of no brokers at all, as a broker that was away for a
        moment tells of itself, never asks again (librdkafka, issue 5301)."""
        self.close()
        self._admin = AdminClient(settings(self._bootstrap))

    def _read(self, groups: Mapping[str, Sequence[str]], timeout: float) -> dict[tuple[str, str], int]:
        present = self._admin.list_topics(timeout=timeout).topics
        names = sorted({topic for topics in groups.values() for topic in topics})
        for name in names:
            if name not in present:
                raise Rejected("resource.unknown", f"topic {name}")
        parts = [(name, number) for name in names for number in present[name].partitions]
        # What was committed is read before the ends: what arrives in between counts as lag, never the other way round.
        committed = {
            group: self._committed(group, [part for part in parts if part[0] in topics], timeout)
            for group, topics in groups.items()
        }
        starts = self._offsets(parts, OffsetSpec.earliest(), timeout)  # type: ignore[no-untyped-call]
        ends = self._offsets(parts, OffsetSpec.latest(), timeout)  # type: ignore[no-untyped-call]
        return {
            (group, topic): sum(
                ends[topic, number] - max(committed[group].get((topic, number), 0), starts[topic, number])
                for number in present[topic].partitions
            )
            for group, topics in groups.items()
            for topic in topics
        }

    def _committed(self, group: str, parts: Sequence[tuple[str, int]], timeout: float) -> dict[tuple[str, int], int]:
        if group not in self._askers:
            self._askers[group] = ck.Consumer(
                settings(self._bootstrap, {"group.id": group, "enable.auto.commit": False})
            )
        found = self._askers[group].committed([ck.TopicPartition(*part) for part in parts], timeout)
        for part in found:
            if part.error is not None:
                raise ck.KafkaException(part.error)
        return {(part.topic, part.partition): part.offset for part in found}

    def _offsets(
        self, parts: Sequence[tuple[str, int]], spec: OffsetSpec, timeout: float
    ) -> dict[tuple[str, int], int]:
        asked = self._admin.list_offsets({ck.TopicPartition(*part): spec for part in parts})
        return {(part.topic, part.partition): future.result(timeout).offset for part, future in asked.items()}


def lag(bootstrap: Bootstrap, groups: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], int]:
    """`LagMeter.read` once; keep a meter where it is asked often."""
    meter = LagMeter(bootstrap)
    try:
        return meter.read(groups)
    finally:
        meter.close()
