"""Consumer groups and their topics, from the catalogue: a group is a reader that is a Faust worker."""

from collections.abc import Mapping

from streams.catalogue import TOPICS

WORKERS = ("ingest-urgent", "ingest-bulk", "evaluate-urgent", "evaluate-bulk")
GROUPS: Mapping[str, tuple[str, ...]] = {
    name: tuple(topic.name for topic in TOPICS if name in topic.readers) for name in WORKERS
}
