"""The catalogue of topics holds together."""

import re

import pytest

from streams.catalogue import MMD_GROUP, MMD_PLACE, SOURCE_RULING, TOPICS, Cleanup, Topic


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_says_who_writes_it_who_reads_it_and_what_it_is_in_two_languages(topic: Topic) -> None:
    assert re.fullmatch(r"(source|mmd)\.[a-z]+\.v[1-9][0-9]*", topic.name)
    assert re.fullmatch(r"[a-z-]+\.v[1-9][0-9]*", topic.schema)
    assert topic.writers
    assert topic.readers or topic.name in {MMD_PLACE, MMD_GROUP}  # for others than our own workers
    assert topic.key
    assert topic.sv
    assert topic.en
    assert topic.sv != topic.en


def test_names_are_unique() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


def test_urgent_topics_have_a_lane_and_readers_of_their_own() -> None:
    for topic in TOPICS:
        assert (topic.lane == "urgent") == (".urgent." in topic.name or topic.name == SOURCE_RULING)
        assert topic.lane in ("urgent", "bulk")
        assert all(reader.endswith(f"-{topic.lane}") for reader in topic.readers)
    lanes = {lane: {r for t in TOPICS if t.lane == lane for r in t.readers} for lane in ("urgent", "bulk")}
    assert lanes["urgent"].isdisjoint(lanes["bulk"])


def test_the_source_log_is_kept_for_ever_and_full_state_is_compacted() -> None:
    for topic in TOPICS:
        if topic.name.startswith("source."):
            assert (topic.cleanup, topic.retention_ms) == (Cleanup.DELETE, -1)
        elif topic.lane == "bulk":
            assert topic.cleanup is Cleanup.COMPACT
        else:
            assert topic.cleanup is Cleanup.DELETE
            assert topic.retention_ms > 0
