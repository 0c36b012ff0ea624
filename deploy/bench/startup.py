"""How long a stack takes from nothing to ready, and what it holds in memory."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from deploy.bench.figures import Figure, Series, limit
from deploy.bench.memory import Memory, of_tree
from deploy.bench.waiting import until
from deploy.running import Running, running
from deploy.wiring.groups import GROUPS
from streams.kafka_client import settings

LIMIT_SECONDS = 20.0
LIMIT_BYTES = 2e9
_PATIENCE = 120.0


@dataclass(slots=True)
class Started:
    """A running stack and the seconds that it took; `stop` is set when the block has ended."""

    running: Running
    servers: float
    ready: float
    stop: float = 0.0


@contextlib.contextmanager
def started(home: Path) -> Iterator[Started]:
    """A stack in an empty folder, ready: the API says so, and every consumer group has all its partitions."""
    began = time.monotonic()
    found: Started | None = None
    stopping = began
    try:
        with running(home, throwaway=True) as stack:
            servers = time.monotonic() - began
            wait_ready(stack)
            found = Started(stack, servers, time.monotonic() - began)
            try:
                yield found
            finally:
                stopping = time.monotonic()
    finally:
        if found is not None:
            found.stop = time.monotonic() - stopping


def wait_ready(stack: Running) -> None:
    """Until the API says so and every consumer group has all its partitions."""
    admin = AdminClient(settings(stack.master.kafka))
    until(lambda: _api_is_ready(stack.api_url), _PATIENCE, "the API")
    until(lambda: _groups_are_ready(admin), _PATIENCE, "the workers in their consumer groups")


def _api_is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _groups_are_ready(admin: AdminClient) -> bool:
    try:
        partitions = {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=10.0).topics.items()}
        asked = admin.describe_consumer_groups([*GROUPS], request_timeout=10.0)
        groups = {name: asked[name].result() for name in GROUPS}
    except KafkaException:  # a new broker is still electing the coordinators of its groups
        return False
    for name, topics in GROUPS.items():
        group = groups[name]
        held = sum(len(member.assignment.topic_partitions) for member in group.members)
        if group.state != ConsumerGroupState.STABLE or held != sum(partitions[topic] for topic in topics):
            return False
    return True


def startup_figure(starts: list[Started], others: float) -> Figure:
    return Figure(
        "startup",
        "start-up, empty data folder, libraries cached",
        "s",
        Series(tuple(one.ready for one in starts)),
        limit("required", LIMIT_SECONDS),
        note="until the API is ready and every worker has its partitions",
        others=others,
        details={"until workers are started": Series(tuple(one.servers for one in starts)).median},
    )


def measure_memory(stack: Running) -> Memory:
    """Servers, workers, API and their supervisor; the bench itself is no part of it."""
    return of_tree(stack.stack.supervisor.process_id)


def memory_figure(found: dict[str, Memory]) -> Figure:
    """`found`: by the moment at which it was measured."""
    worst = max(found.values(), key=lambda one: one.total)
    sizes = {moment: one.total / 1e9 for moment, one in found.items()}
    parts = {name: size / 1e9 for name, size in sorted(worst.by_process.items(), key=lambda one: -one[1])}
    counted = "PSS" if all(one.proportional for one in found.values()) else "RSS in part: shared pages count twice"
    return Figure(
        "memory",
        "resident memory of everything",
        "GB",
        Series(tuple(sizes.values())),
        limit("required", LIMIT_BYTES / 1e9),
        tail=True,
        note=f"{counted}; " + ", ".join(f"{moment} {size:.2f}" for moment, size in sizes.items()),
        details={**sizes, **{f"at most: {name}": size for name, size in parts.items()}},
    )
