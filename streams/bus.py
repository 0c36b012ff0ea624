"""The producer port and the in-memory bus that implements it: product code, run by the same contract tests as Kafka."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

from streams.envelope import Message


class Producer(Protocol):
    """Sends messages; a message counts as sent only after `flush` has returned.

    `flush` waits for every delivery report and raises `Unavailable("service.unavailable")` if any of them failed.
    """

    def send(self, message: Message) -> None: ...

    def flush(self) -> None: ...


class Handler(Protocol):
    """What a worker is given: handles a batch, idempotently, and returns when its effects are committed.

    Raises `Rejected` when the batch holds something that will never be accepted (the runner then tries the records one
    by one), and anything transient as it comes (the runner backs off and tries again).
    """

    def __call__(self, batch: Sequence[Message]) -> None: ...


class MemoryBus:
    """One partition a topic, in memory, in one process: what `--through direct` and unit tests run over."""

    def __init__(self) -> None:
        self._topics: dict[str, list[Message]] = defaultdict(list)
        self._read: dict[tuple[str, str], int] = defaultdict(int)

    def send(self, message: Message) -> None:
        log = self._topics[message.topic]
        log.append(Message(message.topic, message.key, message.value, dict(message.headers), 0, len(log)))

    def flush(self) -> None:
        return None

    def log(self, topic: str) -> Sequence[Message]:
        """Everything ever sent to a topic, oldest first."""
        return tuple(self._topics[topic])

    def topics(self) -> Iterator[str]:
        return iter(sorted(self._topics))

    def take(self, group: str, topic: str, most: int = 500) -> Sequence[Message]:
        """The next messages that a consumer group has not taken; nothing left gives an empty sequence."""
        start = self._read[group, topic]
        found = self._topics[topic][start : start + most]
        self._read[group, topic] = start + len(found)
        return tuple(found)
