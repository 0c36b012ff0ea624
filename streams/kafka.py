"""Kafka by librdkafka: a producer whose delivery reports are all checked; and, from their own files, our topics and the
ways to read the log again."""

import contextlib
import time
from collections.abc import Iterator

import confluent_kafka as ck

from streams.broker import Bootstrap
from streams.contracts.errors import Rejected, Unavailable
from streams.envelope import Message
from streams.kafka_client import Outages, error_name, settings
from streams.kafka_log import LagMeter, dump, lag, read_at
from streams.kafka_topics import create_topics

__all__ = ["DELIVERY_TIMEOUT", "KafkaProducer", "LagMeter", "create_topics", "dump", "lag", "read_at"]

DELIVERY_TIMEOUT = 30.0
"""Seconds after which a message that was not delivered never will be: what a successor relay waits out."""


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """What a signal's handler raises while a delivery report is being told is lost by the binding: its call then ends in a
    SystemError that has no cause. Nothing else raises in our reports. Raises KeyboardInterrupt in its place."""
    try:
        yield
    except SystemError as error:
        if error.__cause__ is None:
            raise KeyboardInterrupt from error
        raise


class KafkaProducer:
    """Implements `streams.bus.Producer`. For one thread: `flush` speaks for everything sent since the last `flush`."""

    def __init__(
        self, bootstrap: Bootstrap, *, delivery_timeout: float = DELIVERY_TIMEOUT, client_id: str = "kallan"
    ) -> None:
        self.delivery_timeout = delivery_timeout
        self._settings = settings(
            bootstrap,
            {
                "client.id": client_id,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 5,
                "message.max.bytes": 1_040_000,  # the library's own default is below our limit of content
                "delivery.timeout.ms": int(delivery_timeout * 1000),
                "reconnect.backoff.max.ms": 2000,
            },
        )
        self._outages = Outages(bootstrap)
        self._failed: dict[str, str] = {}
        self._producer = self._new()

    def _new(self) -> ck.Producer:
        return ck.Producer({**self._settings, "error_cb": self._outages})

    def send(self, message: Message) -> None:
        """Raises `Rejected("input.too-large")`; a full buffer is waited for, then `Unavailable`."""
        headers: list[tuple[str, str | bytes | None]] = list(message.headers.items())
        deadline = time.monotonic() + self.delivery_timeout
        while True:
            try:
                self._producer.produce(
                    message.topic, message.value, message.key, headers=headers, on_delivery=self._delivered
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise Unavailable("service.unavailable", f"Kafka: {message.topic}: the buffer is full") from None
                self._poll(0.1)
            except ck.KafkaException as error:
                if error.args[0].code() == ck.KafkaError.MSG_SIZE_TOO_LARGE:
                    raise Rejected("input.too-large", message.topic) from None
                self._failed[message.topic] = error_name(error)  # a producer that can send no more: told by flush
                return
            else:
                self._poll(0)
                return

    def _poll(self, seconds: float) -> None:
        with _interruptible():
            self._producer.poll(seconds)

    def _delivered(self, error: ck.KafkaError | None, message: ck.Message) -> None:
        if error is not None:
            self._failed[str(message.topic())] = error.name()

    def flush(self) -> None:
        """Returns when everything sent was written by the broker; raises `Unavailable` naming the topics where not."""
        try:
            with _interruptible():
                left = self._producer.flush(self.delivery_timeout + 5)
        except (ck.KafkaException, SystemError) as error:
            # A fatal error of the library is raised here; where a delivery report is just being told, inside a SystemError.
            left, self._failed["every topic"] = 1, error_name(error.__cause__ or error)
        failed, self._failed = self._failed, {}
        if left or failed:
            # What the caller will send again is not sent by this producer later, which after a fatal error is of no use.
            self._producer.purge()
            self._producer.flush(0)
            self._failed = {}
            self._producer = self._new()
            topics = ", ".join(f"{topic} ({name})" for topic, name in sorted(failed.items()))
            raise Unavailable("service.unavailable", f"Kafka: not delivered: {topics or 'no answer in time'}")
